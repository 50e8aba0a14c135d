// A run whose run.json was torn by a power cut: what a resume needs of it stands in the other files of its folder.
import { stat } from 'node:fs/promises';
import { engineJob, type TrainJob } from '../../protocol/job';
import { checkOutside } from '../../protocol/outsideValue';
import type { RunRecord } from '../../protocol/runEvents';
import type { RunPaths } from '../runs/runFolder';
import { readJson, readRunRecord } from '../runs/runFolderFiles';
import { readRunEvents } from '../runs/runFolderTail';
import type { TrainingConfig } from './trainingSupervisorConfig';

/**
 * What is known of the run in a folder: run.json or, where that is torn or gone, the job of its last training process.
 * @returns null where there is no run, or none of this config's entry
 * @throws the file system's error
 */
export async function recordOrRescued(paths: RunPaths, training: TrainingConfig): Promise<RunRecord | null> {
  const record = await readRunRecord(paths);
  if (record !== null) return record;
  const job = checkOutside(engineJob, await readJson(paths.job)).data;
  return job?.mode === 'train' && job.entry === training.entry ? rescued(paths, training, job) : null;
}

async function rescued(
  paths: RunPaths,
  { config, file }: TrainingConfig,
  { entry, seed, attempt }: TrainJob,
): Promise<RunRecord> {
  const events = await readRunEvents(paths.events);
  const started = events.findLast((event) => event.type === 'started');
  return {
    version: 1,
    name: paths.name,
    entry,
    configPath: file,
    config,
    // Its first process's job was written when it began.
    startedAt: events[0]?.time ?? (await stat(paths.job)).mtime.toISOString(),
    endedAt: null,
    // Whatever it was: what is done is not done again.
    state: 'training',
    supervisorPid: process.pid,
    microbatchSize: config.microbatchSize,
    targetBatchSize: config.targetBatchSize,
    backend: started?.type === 'started' ? started.backend : null,
    device: null,
    nodeVersion: process.versions.node,
    productVersion: '',
    seed,
    attempts: attempt,
  };
}
