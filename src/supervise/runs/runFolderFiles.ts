// Files of a run folder that are replaced whole: run.json, the control file, the job. A reader sees old or new, no half.
import { randomBytes } from 'node:crypto';
import { open, realpath, rename, rm, stat } from 'node:fs/promises';
import { controlRequest, type ControlRequest } from '../../protocol/job';
import { PlainFileError, readPlainText } from '../../protocol/plainFile';
import { runRecord, type RunRecord } from '../../protocol/runEvents';
import { runProgress, type RunProgress } from '../../protocol/runProgress';
import type { RunPaths } from './runFolder';

/** A name beside a file that nothing else takes. */
export function temporaryName(file: string): string {
  return `${file}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`;
}

/**
 * Replaces a file that belongs to the user's project, not to a run: its permissions stay, a new one has those of any
 * new file, and a link stays a link.
 * @throws the file system's error; the file is as it was then
 */
export async function replaceProjectFile(file: string, text: string): Promise<void> {
  const target = await realpath(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  // The mode of a new file is what the user's umask leaves of it.
  if (target === null) await replaceFile(file, text, 0o666);
  else await replaceFile(target, text, (await stat(target)).mode & 0o777);
}

/**
 * Replaces a file atomically: temporary name, flush, rename.
 * @param mode permissions of the new file; those of a run are for its owner alone
 * @throws the file system's error; the file is as it was then
 */
export async function replaceFile(file: string, text: string, mode = 0o600): Promise<void> {
  const temporary = temporaryName(file);
  try {
    const handle = await open(temporary, 'wx', mode);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

export async function writeRunRecord(paths: RunPaths, record: RunRecord): Promise<void> {
  await replaceFile(paths.record, `${JSON.stringify(record, null, 2)}\n`);
}

/** What run.json says; null where it is missing, torn, or written by a newer version. */
export async function readRunRecord(paths: RunPaths): Promise<RunRecord | null> {
  const value = await readJson(paths.record);
  const checked = runRecord.safeParse(value);
  return checked.success ? checked.data : null;
}

/** Asks a trainer to pause, to go on, or to stop. */
export async function writeControl(paths: RunPaths, request: ControlRequest['request']): Promise<void> {
  await replaceFile(paths.control, `${JSON.stringify(controlRequest.parse({ request }))}\n`);
}

/**
 * What is asked through the control file; null where nothing is. A folder that cannot be read for a while (a lost
 * permission, a network drive) asks for nothing, and does not end a training that goes on in it.
 */
export async function readControl(paths: RunPaths): Promise<ControlRequest['request'] | null> {
  const checked = controlRequest.safeParse(await readIfReadable(paths.control));
  return checked.success ? checked.data.request : null;
}

/** How far the update in the making is; null where that is not known, for whatever reason. */
export async function readRunProgress(paths: RunPaths): Promise<RunProgress | null> {
  const checked = runProgress.safeParse(await readIfReadable(paths.progress));
  return checked.success ? checked.data : null;
}

async function readIfReadable(file: string): Promise<unknown> {
  try {
    return await readJson(file);
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined;
    throw error;
  }
}

/**
 * A file's JSON; undefined where there is none, where it is torn (a file that is written just now), or where something
 * stands in its place that no run writes, such as a link to a device.
 * @throws the file system's error
 */
export async function readJson(file: string): Promise<unknown> {
  let text: string;
  try {
    text = await readPlainText(file);
  } catch (error) {
    if (error instanceof PlainFileError) return undefined;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
