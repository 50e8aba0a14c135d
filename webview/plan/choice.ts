// What-if: another target batch, budget or preference, and what would follow from it without measuring again.
import { largestTargetBatch } from '../../src/planning/userInput';
import { accumulationSteps, type MicrobatchCount, microbatchCounts } from '../../src/planning/microbatches';
import { predictPeak } from '../../src/planning/memoryModel';
import type { Objective, Plan } from '../../src/planning/plan';
import { fitTimeModel, predictUpdateMs } from '../../src/planning/timeModel';
import { largestBudget, largestTarget, whatIf } from '../../src/planning/whatIf';
import type { PlanView } from '../../src/protocol/page';
import { isRecord } from '../pageState';

export type PlannedView = Extract<PlanView, { state: 'planned' }>;

/** What a person may change. */
export interface Choice {
  readonly targetBatchSize: number;
  /** Null where no budget is known. */
  readonly budgetBytes: number | null;
  readonly objective: Objective;
}

/** What follows from a choice. */
export type Answer =
  | {
      readonly fits: true;
      readonly targetBatchSize: number;
      /** The largest part of the target batch. */
      readonly microbatchSize: number;
      /** How many microbatches there are of each size, the larger first. */
      readonly counts: readonly MicrobatchCount[];
      readonly accumulationSteps: number;
      readonly peakBytes: number | null;
      readonly updateMs: number | null;
      /** Predicted from the sizes that were timed: no whole update of several microbatches was. */
      readonly isTimeEstimate: boolean;
      readonly isPeakEstimate: boolean;
      /** The sizes themselves were not proven by the plan's own trials. */
      readonly isEstimate: boolean;
    }
  | { readonly fits: false; readonly needsBytes: number; readonly isEstimate: boolean };

/** The choice that the plan was made for, with the numbers that the config holds now. */
export function choiceOf({ plan, targetBatchSize }: PlannedView): Choice {
  return { targetBatchSize, budgetBytes: plan.budgetBytes, objective: plan.objective };
}

export function isSameChoice(one: Choice, other: Choice): boolean {
  return (
    one.targetBatchSize === other.targetBatchSize &&
    one.budgetBytes === other.budgetBytes &&
    one.objective === other.objective
  );
}

/** What the config says now, with what was measured of it. */
export function answerOfConfig({ plan, targetBatchSize, microbatchSize }: PlannedView): Answer {
  const isPlanned = targetBatchSize === plan.targetBatchSize && microbatchSize === plan.microbatchSize;
  return answerAt(plan, targetBatchSize, microbatchSize, !isPlanned);
}

/** What would follow from a choice. */
export function answerOfChoice(plan: Plan, choice: Choice): Answer {
  const { targetBatchSize, budgetBytes, objective } = choice;
  const forecast = whatIf(plan, { targetBatchSize, budgetBytes: budgetBytes ?? undefined, objective });
  // Nothing to predict from: what was found to fit still fits, and more may.
  if (forecast === null) {
    const target = Math.min(targetBatchSize, largestTarget(plan));
    return answerAt(plan, target, plan.largestMicrobatch, true);
  }
  if (!forecast.fits) return { fits: false, needsBytes: forecast.needsBytes, isEstimate: forecast.estimate };
  return answerAt(plan, forecast.targetBatchSize, forecast.microbatchSize, forecast.estimate);
}

/** The figures of microbatches of at most this size: measured where it was run, else predicted. */
function answerAt(plan: Plan, targetBatchSize: number, largest: number, isEstimate: boolean): Answer {
  const counts = microbatchCounts(targetBatchSize, largest);
  const microbatchSize = counts[0]?.size ?? largest;
  const run = plan.trials.find(
    ({ microbatch, outcome }) => microbatch === microbatchSize && outcome === 'fits',
  );
  const predicted = plan.memory === null ? null : Math.round(predictPeak(plan.memory, microbatchSize));
  const time = fitTimeModel(plan.trials);
  return {
    fits: true,
    targetBatchSize,
    microbatchSize,
    counts,
    accumulationSteps: accumulationSteps(targetBatchSize, largest),
    peakBytes: run?.peakBytes ?? predicted,
    updateMs: time === null ? null : predictUpdateMs(time, counts),
    isTimeEstimate: counts.length > 1 || (counts[0]?.count ?? 0) > 1 || typeof run?.stepMs !== 'number',
    isPeakEstimate: typeof run?.peakBytes !== 'number',
    isEstimate,
  };
}

/** Whether there are so many examples, and the device and the backend can hold so much. */
export function isPossible(plan: Plan, { targetBatchSize, budgetBytes }: Choice): boolean {
  const isTarget = targetBatchSize <= largestTarget(plan) || targetBatchSize === plan.targetBatchSize;
  return isTarget && (budgetBytes ?? 0) <= (largestBudget(plan)?.bytes ?? Infinity);
}

/** A choice as it was kept; null where it is none (any more). */
export function readChoice(value: unknown): Choice | null {
  if (!isRecord(value)) return null;
  const { targetBatchSize, budgetBytes, objective } = value;
  if (!isWithin(targetBatchSize, largestTargetBatch) || !Number.isInteger(targetBatchSize)) return null;
  if (budgetBytes !== null && !isWithin(budgetBytes, Infinity)) return null;
  if (objective !== 'largest' && objective !== 'fastest') return null;
  return { targetBatchSize, budgetBytes, objective };
}

function isWithin(value: unknown, largest: number): value is number {
  return typeof value === 'number' && value >= 1 && value <= largest;
}
