// What a training process is started with: its command, and its job.
import path from 'node:path';
import { engineJob, type TrainJob } from '../../protocol/job';
import { checkOutside } from '../../protocol/outsideValue';
import type { RunRecord } from '../../protocol/runEvents';
import type { RunPaths } from '../runs/runFolder';
import { readJson } from '../runs/runFolderFiles';
import { scriptCommand, type ScriptCommand } from '../scriptCommand';
import type { TrainingConfig } from './trainingSupervisorConfig';

/** How often a training is saved. */
export interface CheckpointIntervals {
  /** Seconds between two checkpoints; 60 where it is left out. */
  readonly checkpointSeconds?: number;
  /** Updates between two; by time alone where it is left out. */
  readonly checkpointUpdates?: number;
}

const defaultCheckpointSeconds = 60;

/** The intervals of a run that is gone on with, as its last training process had them; none where that is not known. */
export async function earlierIntervals(paths: RunPaths): Promise<CheckpointIntervals> {
  const job = checkOutside(engineJob, await readJson(paths.job)).data;
  if (job?.mode !== 'train') return {};
  const { checkpointSeconds, checkpointUpdates } = job;
  return { checkpointSeconds, ...(checkpointUpdates === null ? {} : { checkpointUpdates }) };
}

/**
 * The command of every training process of a run.
 * @param programFolder folder of preload.cjs and modelEntry.cjs
 * @throws ScriptCommandError
 */
export function trainingCommand(
  { config, entry, folder }: TrainingConfig,
  paths: RunPaths,
  programFolder: string,
  deviceVariables: Readonly<Record<string, string>>,
): ScriptCommand {
  const { training } = config;
  const script = training.kind === 'script' ? training : null;
  return scriptCommand({
    main: script ? entry : path.join(programFolder, 'modelEntry.cjs'),
    arguments: script?.arguments ?? [],
    folder: path.resolve(folder, script?.folder ?? '.'),
    nodeArguments: script?.nodeArguments ?? [],
    jobFile: paths.job,
    preloadFile: path.join(programFolder, 'preload.cjs'),
    environment: { ...process.env, ...deviceVariables },
  });
}

/** What differs from one process of a run to the next. */
export type AttemptJob = Pick<TrainJob, 'firstMicrobatchSize' | 'mayGrow' | 'recovery' | 'resumeFrom'>;

/** The job of the first process that a person starts. */
export function firstAttemptJob({ config }: TrainingConfig, resumeFrom: string | null): AttemptJob {
  return { firstMicrobatchSize: config.microbatchSize, mayGrow: true, recovery: null, resumeFrom };
}

export function trainingJob(
  { config, entry, folder }: TrainingConfig,
  paths: RunPaths,
  record: Pick<RunRecord, 'seed' | 'attempts'>,
  { checkpointSeconds = defaultCheckpointSeconds, checkpointUpdates }: CheckpointIntervals,
  attempt: AttemptJob,
): TrainJob {
  const { training } = config;
  return {
    version: 1,
    mode: 'train',
    reportFile: paths.reports,
    parentPid: process.pid,
    entry,
    // What was planned was measured on one backend: another one needs other memory.
    backend: config.backend ?? config.measured?.backend.name ?? null,
    passOver: [],
    targetBatchSize: config.targetBatchSize,
    ...(training.kind === 'model' ? { model: { training, folder } } : {}),
    microbatchSize: config.microbatchSize,
    ...attempt,
    runFolder: paths.folder,
    controlFile: paths.control,
    checkpointSeconds,
    checkpointUpdates: checkpointUpdates ?? null,
    seed: record.seed,
    attempt: record.attempts,
    fingerprint: config.measured?.fingerprint ?? null,
  };
}
