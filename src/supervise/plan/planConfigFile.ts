// The accumulation config on disk: where it goes, what of an earlier one is kept, and writing it whole or not at all.
import { rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type AccumulationConfig, configNameOf } from '../../planning/configSchema';
import { readConfig } from '../../planning/readConfig';
import { updateConfig, writeConfig } from '../../planning/writeConfig';
import { PlainFileError, readPlainText } from '../../protocol/plainFile';
import { replaceProjectFile, temporaryName } from '../runs/runFolderFiles';

/** A config that cannot be read or written; the message is for a person. */
export class PlanConfigError extends Error {
  override readonly name = 'PlanConfigError';

  constructor(
    message: string,
    options?: ErrorOptions,
    /** Where the mistake is; null where the file itself cannot be read or written. */
    readonly place: { readonly file: string; readonly line: number } | null = null,
  ) {
    super(message, options);
  }
}

export interface PlanConfigFile {
  /** Absolute path. */
  readonly path: string;
  /** What stood there before; null: a new file. */
  readonly earlier: { readonly text: string; readonly config: AccumulationConfig } | null;
}

/**
 * Looks at the place of the config before anything is measured.
 * @param given `--out`; null: beside the entry, under the entry's name
 * @throws PlanConfigError for a folder that is missing or cannot be written, and for a file there that is no config
 */
export async function openPlanConfig(entry: string, given: string | null): Promise<PlanConfigFile> {
  const file =
    given === null ? path.join(path.dirname(entry), configNameOf(path.basename(entry))) : path.resolve(given);
  const text = await readPlainText(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
    const reason = error instanceof PlainFileError ? error.message : (error.code ?? error.message);
    const what = error.code === 'EISDIR' ? 'is a folder' : `cannot be read (${reason})`;
    throw new PlanConfigError(`The config ${file} ${what}. Name another file with --out.`, { cause: error });
  });
  await tryFolder(path.dirname(file));
  if (text === null) return { path: file, earlier: null };
  const { config, problems } = readConfig(text);
  if (config) return { path: file, earlier: { text, config } };
  const lines = problems.map(({ line, column, message }) => `${file}:${line}:${column}: ${message}`);
  throw new PlanConfigError(
    `${file} is already there and is no sound accumulation config, so it is not overwritten. Mend or remove it, or name another file with --out.\n${lines.join('\n')}`,
    {},
    { file, line: problems[0]?.line ?? 1 },
  );
}

/** Writes and removes an empty file: permissions do not tell of read-only disks, of quotas, or of what root may not do. */
async function tryFolder(folder: string): Promise<void> {
  const trial = temporaryName(path.join(folder, '.batch-planner'));
  try {
    await writeFile(trial, '', { flag: 'wx' });
    await rm(trial);
  } catch (error) {
    const info = await stat(folder).catch(() => null);
    const { code, message } = error as NodeJS.ErrnoException;
    const what =
      info === null
        ? 'does not exist'
        : info.isDirectory()
          ? `cannot be written (${code ?? message})`
          : 'is a file';
    throw new PlanConfigError(
      `The folder ${folder} ${what}, so the config cannot go there. Name a file elsewhere with --out.`,
      { cause: error },
    );
  }
}

/**
 * Writes the config; of an earlier one, comments and whatever the plan does not decide stay.
 * @throws PlanConfigError
 */
export async function savePlanConfig(file: PlanConfigFile, config: AccumulationConfig): Promise<void> {
  const text = file.earlier === null ? writeConfig(config) : updateConfig(file.earlier.text, config);
  await replaceProjectFile(file.path, text).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new PlanConfigError(`The config ${file.path} cannot be written: ${reason}.`, { cause: error });
  });
}
