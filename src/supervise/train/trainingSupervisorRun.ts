// Which run folder a training uses: a new one, the one that was named, or the one of the run that is gone on with.
import { readdirSync } from 'node:fs';
import { access, rm, rmdir } from 'node:fs/promises';
import path from 'node:path';
import type { RunRecord } from '../../protocol/runEvents';
import { RunLock } from '../runs/runLock';
import {
  cannotWrite,
  createRunFolder,
  listRunFolders,
  openRunFolder,
  RunFolderError,
  runPaths,
  type RunPaths,
} from '../runs/runFolder';
import { recordOrRescued } from './rescuedRecord';
import { statIfThere } from './runFollower';
import { supervisorLogOf } from './supervisorLog';
import type { TrainingConfig } from './trainingSupervisorConfig';

export interface OpenedRun {
  readonly paths: RunPaths;
  readonly lock: RunLock;
  /** As it was before this training; null for a new run. */
  readonly earlier: RunRecord | null;
  /** The folder was made for this training. */
  readonly isNew: boolean;
}

/**
 * Finds or makes the run folder and locks it.
 * @param options `prepared`: the folder, where another process has made and checked it for this training
 * @throws RunFolderError, RunLockedError
 */
export async function openRun(
  training: TrainingConfig,
  options: { runDir: string | null; resume: boolean; time: Date; prepared?: string | null },
): Promise<OpenedRun> {
  const { runDir, resume, prepared = null } = options;
  const isNew = runDir === null ? !resume : (await statIfThere(path.resolve(runDir))) === null;
  const paths = await folderOf(training, { runDir, resume, prepared, time: options.time });
  let lock: RunLock | null = null;
  try {
    lock = await locked(paths);
    const earlier = await recordOrRescued(paths, training);
    const problem = resume ? whyNotResume(paths, earlier) : whyNotNew(paths, earlier);
    if (problem !== null) throw new RunFolderError(problem);
    return { paths, lock, earlier, isNew };
  } catch (error) {
    await lock?.release();
    if (isNew) await asFarAsPossible(() => rmdir(paths.folder));
    throw error;
  }
}

/** Removes what was made for a training that never began, once its lock is released; what a run has told stays. */
export async function removeUnused({ paths, isNew }: Pick<OpenedRun, 'paths' | 'isNew'>): Promise<void> {
  if ((await statIfThere(paths.record)) !== null) return;
  await asFarAsPossible(async () => {
    for (const file of [supervisorLogOf(paths.folder), paths.control]) await rm(file, { force: true });
    // Not what is in it: another training may have begun there meanwhile.
    if (isNew) await rmdir(paths.folder);
  });
}

/** On a disk that is read-only by now, or where something else stands in the folder's place, it stays. */
async function asFarAsPossible(remove: () => Promise<void>): Promise<void> {
  try {
    await remove();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
  }
}

function folderOf(
  training: TrainingConfig,
  options: { runDir: string | null; resume: boolean; time: Date; prepared: string | null },
): RunPaths | Promise<RunPaths> {
  const { runDir, resume, prepared, time } = options;
  // Checked by the process that made it; since then it holds this process's log.
  if (prepared !== null) return runPaths(prepared);
  return runDir === null ? ownFolder(training, resume, time) : openRunFolder(path.resolve(runDir));
}

/** run.json at the beginning of a training. */
export function startedRecord(
  training: TrainingConfig,
  { paths, earlier }: Pick<OpenedRun, 'paths' | 'earlier'>,
  facts: { product: string; time: Date; seed: number },
): RunRecord {
  const { config, file, entry } = training;
  const device = config.measured?.device;
  return {
    version: 1,
    name: paths.name,
    entry,
    configPath: file,
    config,
    startedAt: earlier?.startedAt ?? facts.time.toISOString(),
    endedAt: null,
    state: 'starting',
    supervisorPid: process.pid,
    microbatchSize: config.microbatchSize,
    targetBatchSize: config.targetBatchSize,
    backend: earlier?.backend ?? null,
    device: device ? { name: device.name, memoryTotalBytes: device.memoryTotalBytes ?? 0 } : null,
    nodeVersion: process.versions.node,
    productVersion: facts.product,
    seed: earlier?.seed ?? facts.seed,
    attempts: (earlier?.attempts ?? 0) + 1,
  };
}

async function ownFolder(training: TrainingConfig, resume: boolean, time: Date): Promise<RunPaths> {
  const { folder, file, entry } = training;
  if (!resume) return createRunFolder(folder, entry, time);
  let newest: { readonly paths: RunPaths; readonly start: number } | null = null;
  // By name the newest is the first, which so stays among those that began at the same time.
  for (const paths of await listRunFolders(folder)) {
    const record = await recordOrRescued(paths, training);
    if (record?.configPath !== file) continue;
    const start = Date.parse(record.startedAt);
    if (newest === null || start > newest.start) newest = { paths, start };
  }
  if (newest !== null) return newest.paths;
  throw new RunFolderError(
    `There is no run of ${path.basename(file)} to go on with. Start one with: batch-planner train ${path.relative('', file)}`,
  );
}

async function locked(paths: RunPaths): Promise<RunLock> {
  try {
    return await RunLock.acquire(paths.lock, paths.folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error) throw cannotWrite(paths.folder, error);
    throw error;
  }
}

function whyNotResume(paths: RunPaths, earlier: RunRecord | null): string | null {
  if (!earlier) return `There is no run in ${paths.folder} to go on with.`;
  if (earlier.state !== 'completed') return null;
  return `The run ${earlier.name} is completed: there is nothing to go on with. Leave --resume out to train anew.`;
}

function whyNotNew(paths: RunPaths, earlier: RunRecord | null): string | null {
  if (!earlier) return null;
  return `${paths.folder} holds a run already: go on with it by --resume, or name another folder with --run-dir.`;
}

/** Whether there is something to go on from. */
export function hasCheckpoint({ checkpoints }: RunPaths): boolean {
  try {
    return readdirSync(checkpoints).some((name) => /^\d+$/.test(name));
  } catch (error) {
    // None yet, something else in its place, or not to be read: nothing that can be gone on from.
    if (error instanceof Error && 'code' in error) return false;
    throw error;
  }
}

/** True for a file that is not there any more; one that cannot be looked at is. */
export async function isGone(file: string): Promise<boolean> {
  return access(file).then(
    () => false,
    ({ code }: NodeJS.ErrnoException) => code === 'ENOENT' || code === 'ENOTDIR',
  );
}
