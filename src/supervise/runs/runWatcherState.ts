// What state a run is in, and what its view says, from all that is known of it.
import { accumulationConfig, type AccumulationConfig } from '../../planning/configSchema';
import type { ControlRequest } from '../../protocol/job';
import { checkOutside } from '../../protocol/outsideValue';
import type { RunState, RunView } from '../../protocol/page';
import type { RunRecord } from '../../protocol/runEvents';
import type { RunPaths } from './runFolder';
import type { RunTotals } from './runHistoryTotals';
import { microbatchSizeNow, type RecordedState } from './runSummary';
import type { TrainingProgress } from './trainingProgress';

/** States of a run whose processes are there. */
const activeStates: ReadonlySet<RunState> = new Set([
  'starting',
  'replaying',
  'training',
  'pausing',
  'paused',
  'resuming',
  'stopping',
]);

export function isActive(state: RunState): boolean {
  return activeStates.has(state);
}

/** States in which updates are made, as far as is known. */
const trainingStates: ReadonlySet<RunState> = new Set(['training', 'pausing', 'stopping']);

export interface StateFacts {
  readonly record: RunRecord;
  readonly recorded: RecordedState;
  /** What stands in the control file; null where there is none. */
  readonly asked: ControlRequest['request'] | null;
  /** Of the last event that tells. */
  readonly isPaused: boolean;
  /** The training process goes over what was done before it, and has not come to its end. */
  readonly isReplaying: boolean;
  /** Number of the last training process that began to train. */
  readonly attempt: number;
}

/** What is asked holds until the events or the record show that it is done. */
export function stateNow({ record, recorded, asked, isPaused, isReplaying, attempt }: StateFacts): RunState {
  if (record.endedAt !== null || recorded === 'interrupted') return recorded;
  if (asked === 'stop' || asked === 'end') return 'stopping';
  const hasBegun = attempt >= record.attempts;
  if (hasBegun && isPaused) return asked === 'run' ? 'resuming' : 'paused';
  if (asked === 'pause') return 'pausing';
  if (!hasBegun) return 'starting';
  return isReplaying ? 'replaying' : 'training';
}

export interface ViewFacts {
  readonly paths: RunPaths;
  readonly record: RunRecord;
  readonly state: RunState;
  readonly totals: RunTotals;
  readonly progress: TrainingProgress;
  readonly output: string;
  readonly failure: RunView['failure'];
}

export function viewOf({ paths, record, state, totals, progress, output, failure }: ViewFacts): RunView {
  const { name, folder } = paths;
  const { startedAt, endedAt, targetBatchSize, attempts, device } = record;
  const { call, saved, updates, last, best, lastUpdate } = totals;
  // The events tell it first.
  const backend = totals.started?.backend ?? record.backend;
  const isNow = isActive(state);
  const { trained } = totals;
  const replay = isNow ? progress.replay : null;
  const since = replay === null && trainingStates.has(state) ? trained.since : null;
  return {
    name,
    folder,
    state,
    startedAt,
    endedAt,
    backend: backend?.name ?? null,
    deviceName: backend?.deviceName ?? device?.name ?? null,
    targetBatchSize,
    microbatchSize: microbatchSizeNow(record, totals),
    call: call && {
      method: call.method,
      modelName: call.modelName,
      call: call.call,
      epochs: call.epochs,
      updatesPerEpoch: progress.updatesPerEpoch,
      passThrough: call.passThrough,
    },
    epoch: progress.epoch,
    updateOfEpoch: progress.updateOfEpoch,
    updates,
    microbatch: isNow ? progress.microbatch : null,
    replay,
    trainedMs: since === null ? trained.toLastEventMs : trained.doneMs,
    trainingSince: since === null ? null : new Date(since).toISOString(),
    examplesPerSecond: progress.examplesPerSecond,
    leftMs: isNow ? progress.leftMs : null,
    memoryBytes: lastUpdate?.memoryBytes ?? null,
    budgetBytes: budgetOf(record),
    savedAt: saved?.time ?? null,
    savingMs: totals.savingMs,
    savedUpdate: saved?.update ?? null,
    last,
    best,
    failure,
    output,
    attempts,
  };
}

function budgetOf(record: RunRecord): number | null {
  return measuredOf(record)?.budgetBytes ?? null;
}

/**
 * Bytes to add to what a training tells of its tensors, so that they are in the budget's unit: what the process or the
 * device used beyond tensors when the plan was measured. WebGPU tells of the device itself.
 */
export function overheadOf(record: RunRecord): number {
  const measured = measuredOf(record);
  if (measured === undefined || measured.backend.name === 'webgpu') return 0;
  return measured.planned?.parts?.overheadBytes ?? 0;
}

/** A record keeps the config of its time, which an older or newer version may have written. */
function measuredOf({ config }: RunRecord): AccumulationConfig['measured'] {
  const checked = checkOutside(accumulationConfig, config);
  return checked.success ? checked.data.measured : undefined;
}
