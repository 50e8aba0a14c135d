// Where an export is written: nothing that is there is lost, and what can be told before is told before the first file.
import { lstat, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ExportError } from '../export/exportError';
import { quoted } from '../planning/commandText';
import { fileTrouble } from '../protocol/fileTrouble';

/** A file of an export, with its absolute path. */
export interface FileToWrite {
  readonly file: string;
  readonly text: string;
}

/**
 * The absolute path of what was typed.
 * @param name of a file as it is proposed where a folder was typed
 * @throws ExportError where it is a folder
 */
export async function outputFileOf(typed: string, name: string): Promise<string> {
  const file = path.resolve(typed);
  const isFolder =
    typed === '' || typed.endsWith('/') || typed.endsWith(path.sep) || (await isFolderNow(file));
  if (!isFolder) return file;
  throw new ExportError(
    `${file} is a folder: name the file, like --output ${quoted(path.join(typed, name))}.`,
  );
}

/**
 * Writes the files.
 * @throws ExportError where one is there already and `force` is false, with nothing written; and where one cannot be written
 */
export async function writeFiles(files: readonly FileToWrite[], force: boolean): Promise<void> {
  const [main] = files;
  for (const [index, { file }] of files.entries()) {
    if (files.findIndex((other) => other.file === file) < index)
      throw new ExportError(`Another file of the export has the name ${file}: choose another --output.`);
    if (!force && (await isThere(file))) throw alreadyThere(file, file === main?.file);
  }
  for (const { file, text } of files) {
    try {
      // wx: never in place of what is there, also where it appears this moment.
      await writeFile(file, text, { flag: force ? 'w' : 'wx' });
    } catch (error) {
      throw writeError(file, error, file === main?.file);
    }
  }
}

function alreadyThere(file: string, isMain: boolean): ExportError {
  const where = isMain ? 'choose another --output' : 'choose an --output in another folder';
  return new ExportError(`${file} is there already: ${where}, or add --force to replace it.`);
}

function writeError(file: string, error: unknown, isMain: boolean): ExportError {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EEXIST') return alreadyThere(file, isMain);
  const sentence =
    code === 'ENOENT'
      ? `There is no folder ${path.dirname(file)}: make it, or choose another --output.`
      : `${file} cannot be written: ${fileTrouble(error)}. Choose another --output.`;
  return new ExportError(sentence, { cause: error });
}

async function isFolderNow(file: string): Promise<boolean> {
  const facts = await stat(file).catch(() => null);
  return facts?.isDirectory() ?? false;
}

/** Also a link that leads nowhere. */
async function isThere(file: string): Promise<boolean> {
  return (await lstat(file).catch(() => null)) !== null;
}
