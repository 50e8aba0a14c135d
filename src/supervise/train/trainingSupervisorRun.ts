// Which run folder a training uses: a new one, the one that was named, or the one of the run that is gone on with.
import path from 'node:path';
import type { RunRecord } from '../../protocol/runEvents';
import { RunLock } from '../runs/runLock';
import {
  cannotWrite,
  createRunFolder,
  listRunFolders,
  openRunFolder,
  RunFolderError,
  type RunPaths,
} from '../runs/runFolder';
import { readRunRecord } from '../runs/runFolderFiles';
import type { TrainingConfig } from './trainingSupervisorConfig';

export interface OpenedRun {
  readonly paths: RunPaths;
  readonly lock: RunLock;
  /** As it was before this training; null for a new run. */
  readonly earlier: RunRecord | null;
}

/**
 * Finds or makes the run folder and locks it.
 * @throws RunFolderError, RunLockedError
 */
export async function openRun(
  training: TrainingConfig,
  options: { runDir: string | null; resume: boolean; time: Date },
): Promise<OpenedRun> {
  const { runDir, resume } = options;
  const paths =
    runDir === null
      ? await ownFolder(training, resume, options.time)
      : await openRunFolder(path.resolve(runDir));
  const lock = await locked(paths);
  try {
    const earlier = await readRunRecord(paths);
    const problem = resume ? whyNotResume(paths, earlier) : whyNotNew(paths, earlier);
    if (problem !== null) throw new RunFolderError(problem);
    return { paths, lock, earlier };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** run.json at the beginning of a training. */
export function startedRecord(
  training: TrainingConfig,
  { paths, earlier }: OpenedRun,
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
  for (const paths of await listRunFolders(folder)) {
    const record = await readRunRecord(paths);
    if (record?.configPath === file) return paths;
  }
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
