// What a supervisor says of a training: what it trains and on what, why it goes on anew, and how it ended.
import path from 'node:path';
import { quoted } from '../../planning/commandText';
import { describeSizes } from '../../planning/describe';
import { splitBatch } from '../../planning/microbatches';
import { shownLine } from '../../planning/shownText';
import { formatCount, formatCounted, formatDuration } from '../../planning/units';
import type { TrainJob } from '../../protocol/job';
import type { RunEvent } from '../../protocol/runEvents';
import type { RunPaths } from '../runs/runFolder';
import type { TrainingConfig } from './trainingSupervisorConfig';
import type { Verdict } from './trainingSupervisorOutcome';
import type { TrainingTally } from './trainingSupervisorTally';

export function introduction({ config, entry }: TrainingConfig): string {
  const sizes = splitBatch(config.targetBatchSize, config.microbatchSize);
  return sizes.length === 1
    ? `Training ${shownLine(path.basename(entry))}. ${describeSizes(sizes)}`
    : `Training ${shownLine(path.basename(entry))}, examples per update: ${describeSizes(sizes)}`;
}

export function backendSentence(
  { backend }: Extract<RunEvent, { type: 'started' }>,
  { config }: TrainingConfig,
): string {
  const planned = config.measured?.backend.name;
  const device = backend.deviceName === null ? '' : ` (${backend.deviceName})`;
  const on = `On ${backend.name} ${backend.version}${device}.`;
  if (planned === undefined || planned === backend.name) return on;
  return `${on} The plan was measured on ${planned}: plan again, as its microbatch size may not fit here.`;
}

/**
 * Why another process is started, and where it goes on.
 * @param from the update that comes next in the checkpoint; null where there is none, and all is done again
 */
export function restartSentence(
  {
    recovery,
    firstMicrobatchSize,
  }: Pick<TrainJob, 'firstMicrobatchSize'> & {
    recovery: NonNullable<TrainJob['recovery']>;
  },
  from: { readonly call: number; readonly update: number } | null,
): string {
  const isCut = recovery.kind === 'outOfMemory' && firstMicrobatchSize < recovery.microbatch;
  const what = recovery.kind === 'crash' ? recovery.message.replace(/\.$/, '') : outOfMemoryText(recovery);
  const size = isCut ? ` with ${formatCount(firstMicrobatchSize)} at once` : '';
  if (from === null) return `${what}: nothing is saved yet, so it begins anew${size}.`;
  // A loop of trainOnBatch has a call for each update, which nobody counts.
  const place = from.call === 0 ? `update ${formatCount(from.update + 1)}` : 'the last checkpoint';
  return `${what}: going on from ${place}${size}.`;
}

function outOfMemoryText({ microbatch, message }: NonNullable<TrainJob['recovery']>): string {
  return `Out of memory at ${formatCount(microbatch)} at once (${message})`;
}

/**
 * How it ended, and what can be done then.
 * @param runDir as typed; null: the run folder was not named
 */
export function closingSentences(
  { file }: TrainingConfig,
  paths: RunPaths,
  verdict: Verdict,
  facts: { tally: TrainingTally; ms: number; runDir: string | null; hasCheckpoint: boolean },
): string[] {
  const { tally, ms, runDir, hasCheckpoint } = facts;
  const sentences = [...verdict.sentences];
  const relative = path.relative('', paths.folder) || '.';
  const saving = tally.savingSentence;
  if (verdict.state === 'completed') {
    const { all, updates } = tally;
    const epochs = all.epochs > 0 ? `${formatCounted(all.epochs, 'epoch')}, ` : '';
    const now = updates < all.updates ? ` (${formatCount(updates)} of them since it went on)` : '';
    const done = `${epochs}${formatCounted(all.updates, 'update')}${now}`;
    sentences.push(`Done in ${formatDuration(ms)}: ${done}. Run folder: ${shownLine(relative)}`);
    if (saving !== null) sentences.push(saving);
    return sentences;
  }
  if (saving !== null) sentences.push(saving);
  if (hasCheckpoint) sentences.push(goOnWith(file, runDir === null ? null : paths));
  sentences.push(`Run folder: ${shownLine(relative)}`);
  return sentences;
}

/**
 * The command that goes on with a run.
 * @param paths null where the run folder need not be named
 */
export function goOnWith(configFile: string, paths: RunPaths | null): string {
  const folder = paths === null ? '' : ` --run-dir ${quoted(path.relative('', paths.folder) || '.')}`;
  return `Go on with: batch-planner train ${quoted(path.relative('', configFile))} --resume${folder}`;
}
