// The run folder: where runs lie, what is in one, and how one is made.
import { chmod, mkdir, readdir, realpath, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isOutOfRoom } from '../../protocol/fileTrouble';

/** A place for runs that cannot be used; `message` is one sentence with what to do. */
export class RunFolderError extends Error {
  override readonly name = 'RunFolderError';
}

/** Paths in one run folder. */
export interface RunPaths {
  /** The folder itself, absolute. */
  readonly folder: string;
  readonly name: string;
  readonly record: string;
  readonly events: string;
  readonly progress: string;
  readonly log: string;
  readonly checkpoints: string;
  readonly control: string;
  readonly lock: string;
  readonly job: string;
  readonly reports: string;
}

export function runPaths(folder: string): RunPaths {
  const inside = (name: string): string => path.join(folder, name);
  return {
    folder,
    name: path.basename(folder),
    record: inside('run.json'),
    events: inside('events.ndjson'),
    progress: inside('progress.json'),
    log: inside('trainer.log'),
    checkpoints: inside('checkpoints'),
    control: inside('control.json'),
    lock: inside('run.lock'),
    job: inside('job.json'),
    reports: inside('reports.ndjson'),
  };
}

/** Folder of a config's runs: `.batch-planner/runs` beside the config. */
export function runsFolder(configFolder: string): string {
  return path.join(configFolder, '.batch-planner', 'runs');
}

/** `2026-11-22T17-05-09-train`: sorts by time, and is a name that every file system takes. */
export function runName(time: Date, entry: string): string {
  const stem = path.basename(entry).replace(/\.[^.]*$/, '');
  const safe =
    stem
      .replace(/[^\p{L}\p{N}._]+/gu, '-')
      .replace(/^-+|-+$/g, '')
      .slice(0, 60) || 'entry';
  return `${time.toISOString().slice(0, 19).replaceAll(':', '-')}-${safe}`;
}

/**
 * Makes a new run folder, readable by its owner only, and the `.gitignore` that keeps runs out of the user's commits.
 * @throws RunFolderError where it cannot be made
 */
export async function createRunFolder(configFolder: string, entry: string, time: Date): Promise<RunPaths> {
  const runs = runsFolder(configFolder);
  try {
    await makeFolders(runs);
    await writeIfMissing(path.join(configFolder, '.batch-planner', '.gitignore'), '*\n');
    const name = runName(time, entry);
    for (let number = 1; ; number++) {
      const folder = path.join(runs, number === 1 ? name : `${name}-${number}`);
      if (await makeFolder(folder)) return runPaths(await realpath(folder));
    }
  } catch (error) {
    throw cannotWrite(runs, error);
  }
}

/**
 * The folder that `--run-dir` names, made where it is missing. An empty one becomes its owner's alone, as a new one is;
 * on Windows, where folders have no such rights, it has those of the folder above it.
 * @throws RunFolderError where it is no folder that can be written, or holds something else than a run
 */
export async function openRunFolder(folder: string): Promise<RunPaths> {
  try {
    await makeFolders(folder);
    const real = await realpath(folder);
    const names = await readdir(real);
    const paths = runPaths(real);
    if (names.length === 0) await closeToOthers(real);
    // What a start that failed has left is no other file.
    const isOurs =
      names.includes('run.json') ||
      names.every((name) => name.startsWith('control.json') || name.startsWith('run.lock'));
    if (!isOurs) {
      throw new RunFolderError(
        `${folder} holds other files and no run: name an empty or new folder with --run-dir.`,
      );
    }
    return paths;
  } catch (error) {
    throw error instanceof RunFolderError ? error : cannotWrite(folder, error);
  }
}

/** Run folders in a config's folder, newest first; empty where there are none. */
export async function listRunFolders(configFolder: string): Promise<RunPaths[]> {
  const runs = runsFolder(configFolder);
  try {
    const entries = await readdir(runs, { withFileTypes: true });
    const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    return folders
      .sort()
      .reverse()
      .map((name) => runPaths(path.join(runs, name)));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
}

/** The sentence for a place that cannot be written. */
export function cannotWrite(place: string, error: unknown): RunFolderError {
  const { code, message } = error as NodeJS.ErrnoException;
  const reasons: Record<string, string> = {
    EACCES: 'permission denied',
    EPERM: 'permission denied',
    EROFS: 'the file system is read-only',
    ENOSPC: 'the disk is full',
    EDQUOT: 'the disk quota is used up',
    ENOTDIR: 'a part of its path is a file',
    EEXIST: 'a file of that name is in the way',
    ENOENT: 'its file system takes no new folder there',
  };
  const reason = reasons[code ?? ''] ?? message;
  return new RunFolderError(
    `The run folder ${place} cannot be written: ${reason}. ${isOutOfRoom(error) ? 'Make room there, or name' : 'Name'} another one with --run-dir.`,
    { cause: error },
  );
}

/** With the folders above it. Node's own way to do so never returns where a parent is there and takes none, as /proc. */
async function makeFolders(folder: string): Promise<void> {
  const found = await stat(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (found?.isDirectory()) return;
  if (found === null && path.dirname(folder) !== folder) await makeFolders(path.dirname(folder));
  // Another process may have made it in the meantime; anything else of that name is in the way.
  if (!(await makeFolder(folder)) && !(await stat(folder)).isDirectory()) {
    throw Object.assign(new Error(`${folder} is a file.`), { code: 'EEXIST' });
  }
}

async function makeFolder(folder: string): Promise<boolean> {
  try {
    await mkdir(folder, { mode: 0o700 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Files of a run are their owner's anyway; a folder on a disk without rights, or of another user, stays as it is. */
async function closeToOthers(folder: string): Promise<void> {
  try {
    await chmod(folder, 0o700);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS' && code !== 'EROFS') throw error;
  }
}

async function writeIfMissing(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
