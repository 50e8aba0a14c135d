// What would follow from another target batch or budget, without measuring again.
import { type MemoryPhases, largestWithin, predictPeak } from './memoryModel';
import { splitBatch } from './microbatches';
import type { Plan } from './plan';

export interface WhatIf {
  readonly targetBatchSize: number;
  /** Undefined: no budget is known. */
  readonly budgetBytes: number | undefined;
}

export type Forecast =
  | {
      readonly fits: true;
      readonly largestMicrobatch: number;
      readonly microbatchSizes: readonly number[];
      readonly accumulationSteps: number;
      readonly peakBytes: number | null;
      /** True unless the largest size was run within this budget, and one more was run and is over it. */
      readonly estimate: boolean;
    }
  | { readonly fits: false; readonly needsBytes: number; readonly estimate: boolean };

/**
 * Recomputes sizes and peak for another target batch or budget; null where nothing is known to compute from: no
 * memory model, or no budget. Figures that are not proven by the plan's own trials are marked as an estimate.
 */
export function whatIf(
  plan: Pick<Plan, 'memory' | 'trials' | 'targetBatchSize' | 'examples'>,
  change: WhatIf,
): Forecast | null {
  if (plan.memory === null || change.budgetBytes === undefined) return null;
  const model: MemoryPhases = plan.memory;
  const budget = change.budgetBytes;
  const cap = change.targetBatchSize;
  // A whole batch at once was a plain step without accumulators: it says nothing of the same size as a part.
  const wholeBatch = Math.min(plan.targetBatchSize, plan.examples ?? Infinity);
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
  const sizes = splitBatch(cap, largest);
  return {
    fits: true,
    largestMicrobatch: largest,
    microbatchSizes: sizes,
    accumulationSteps: sizes.length,
    peakBytes: run?.peakBytes ?? Math.round(predictPeak(model, largest)),
    estimate: !proven,
  };
}
