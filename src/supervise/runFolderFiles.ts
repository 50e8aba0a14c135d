// Files of a run folder that are replaced whole: run.json, the control file, the job. A reader sees old or new, no half.
import { randomBytes } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { controlRequest, type ControlRequest } from '../protocol/job';
import { runRecord, type RunRecord } from '../protocol/runEvents';
import { runProgress, type RunProgress } from '../protocol/runProgress';
import type { RunPaths } from './runFolder';

/**
 * Replaces a file atomically: temporary name, flush, rename.
 * @throws the file system's error; the file is as it was then
 */
export async function replaceFile(file: string, text: string): Promise<void> {
  const temporary = `${file}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`;
  try {
    const handle = await open(temporary, 'wx', 0o600);
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

/** How far the update in the making is; null where that is not known. */
export async function readRunProgress(paths: RunPaths): Promise<RunProgress | null> {
  const checked = runProgress.safeParse(await readJson(paths.progress));
  return checked.success ? checked.data : null;
}

/** A file's JSON; undefined where there is none or where it is torn (a file that is written just now). */
export async function readJson(file: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
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
