// What would follow from another target batch, budget or objective, without measuring again.
import { backendLimitBytes } from './backendName';
import { chooseSize } from './chooseSize';
import { type MemoryPhases, largestWithin, predictPeak } from './memoryModel';
import { accumulationSteps, type MicrobatchCount, microbatchCounts, splitBatch } from './microbatches';
import type { Objective, Plan, PlanTrial } from './plan';
import { fitTimeModel, microbatchMs, predictUpdateMs, type TimeModel } from './timeModel';
import { largestTargetBatch } from './userInput';

export interface WhatIf {
  readonly targetBatchSize: number;
  /** Undefined: no budget is known. */
  readonly budgetBytes: number | undefined;
  /** Which of the sizes that fit is used; the largest where it is left out. */
  readonly objective?: Objective;
}

export type Forecast =
  | {
      readonly fits: true;
      /** Examples of one update: the target batch, or every example there is where it asks for more. */
      readonly targetBatchSize: number;
      /** The largest size that fits. */
      readonly largestMicrobatch: number;
      /** The most examples that go through the model at once: the largest part of the target batch. */
      readonly microbatchSize: number;
      /** How many microbatches there are of each size, the larger size first. */
      readonly counts: readonly MicrobatchCount[];
      /** All of them. Made when it is read, as there may be a million. */
      readonly microbatchSizes: readonly number[];
      readonly accumulationSteps: number;
      readonly peakBytes: number | null;
      /** Predicted time of one update; null where no trial told a time. */
      readonly updateMs: number | null;
      /** True unless the largest size was run within this budget, and one more was run and is over it. */
      readonly estimate: boolean;
    }
  | { readonly fits: false; readonly needsBytes: number; readonly estimate: boolean };

/** The most examples that an update can have: every example there is, where their number is known. */
export function largestTarget({ examples }: Pick<Plan, 'examples'>): number {
  return examples === null || examples < 1 ? largestTargetBatch : Math.min(examples, largestTargetBatch);
}

/** The most memory that a budget can be, in bytes, and whose limit that is; null where nothing tells one. */
export function largestBudget({
  backend,
  device,
}: Pick<Plan, 'backend' | 'device'>): { readonly bytes: number; readonly of: 'device' | 'backend' } | null {
  const limits = [
    { of: 'backend', bytes: backend.name === 'wasm' ? backendLimitBytes.wasm : null },
    { of: 'device', bytes: device?.memoryTotalBytes ?? null },
  ] as const;
  return limits.reduce<{ bytes: number; of: 'device' | 'backend' } | null>(
    (least, { of, bytes }) => (bytes !== null && bytes < (least?.bytes ?? Infinity) ? { of, bytes } : least),
    null,
  );
}

/**
 * Recomputes sizes, peak and time for another target batch or budget; null where nothing is known to compute from: no
 * memory model, or no budget. An update has no more examples than there are. Figures that are not proven by the plan's own trials are marked as an estimate.
 */
export function whatIf(
  plan: Pick<Plan, 'memory' | 'trials' | 'targetBatchSize' | 'examples'>,
  change: WhatIf,
): Forecast | null {
  if (plan.memory === null || change.budgetBytes === undefined) return null;
  const model: MemoryPhases = plan.memory;
  const budget = change.budgetBytes;
  const most = largestTarget(plan);
  const cap = Math.min(change.targetBatchSize, most);
  // A whole batch at once was a plain step without accumulators: it says nothing of the same size as a part.
  const wholeBatch = Math.min(plan.targetBatchSize, most);
  const trials = plan.trials.filter(({ microbatch }) => microbatch !== wholeBatch || cap === wholeBatch);
  const fits = trials.filter((trial) => trial.outcome === 'fits' && (trial.peakBytes ?? Infinity) <= budget);
  const misses = trials.filter((trial) => trial.outcome === 'outOfMemory' || (trial.peakBytes ?? 0) > budget);
  // What was measured goes before what is predicted, in both directions.
  const shown = Math.max(0, ...fits.map((trial) => Math.min(cap, trial.microbatch)));
  const ceiling = Math.min(
    cap,
    ...misses.filter(({ microbatch }) => microbatch > shown).map((trial) => trial.microbatch - 1),
  );
  const largest = Math.max(shown, Math.min(ceiling, largestWithin(model, budget, cap)));
  if (largest === 0) {
    const one = misses.find((trial) => trial.microbatch === 1 && trial.outcome === 'fits');
    return { fits: false, needsBytes: one?.peakBytes ?? predictPeak(model, 1), estimate: one === undefined };
  }
  const run = fits.find((trial) => trial.microbatch === largest);
  const proven = largest === cap ? shown === cap : run !== undefined && largest === ceiling;
  const time = fitTimeModel(trials);
  const chosen = change.objective === 'fastest' && time !== null ? fastestOf(fits, largest, time) : largest;
  const counts = microbatchCounts(cap, chosen);
  const microbatchSize = counts[0]?.size ?? chosen;
  const known = fits.find((trial) => trial.microbatch === microbatchSize);
  return {
    fits: true,
    targetBatchSize: cap,
    largestMicrobatch: largest,
    microbatchSize,
    counts,
    get microbatchSizes() {
      return splitBatch(cap, chosen);
    },
    accumulationSteps: accumulationSteps(cap, chosen),
    peakBytes: known?.peakBytes ?? Math.round(predictPeak(model, microbatchSize)),
    updateMs: time === null ? null : predictUpdateMs(time, counts),
    estimate: !proven,
  };
}

/**
 * As the plan chooses, with the largest size beside those that were run. Between two timed sizes the time for each
 * example only rises or only falls, so that no other size can be faster than all of these.
 */
function fastestOf(fits: readonly PlanTrial[], largest: number, time: TimeModel): number {
  const timed = fits
    .filter(({ microbatch }) => microbatch < largest)
    .flatMap(({ microbatch, stepMs }) => (stepMs === null ? [] : [{ microbatch, stepMs }]));
  const trials = [...timed, { microbatch: largest, stepMs: microbatchMs(time, largest) }];
  const run = trials.map((trial) => ({ ...trial, outcome: 'fits' as const }));
  return chooseSize(run, largest, undefined, 'fastest');
}
