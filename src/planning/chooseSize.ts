// Which of the sizes that were run and fit is used: the largest, or the one that trains fastest.
import type { Objective } from './plan';
import { type Trial, fitsWithin } from './trial';

/** Time for each example of a microbatch, in ms, as measured; null where the trial has no time. */
export function msPerExample(trial: { microbatch: number; stepMs?: number | null }): number | null {
  return typeof trial.stepMs === 'number' ? trial.stepMs / trial.microbatch : null;
}

/**
 * A size that was run and fits: the largest, or the one with the least time for each example (of equals, the
 * larger). The optimizer's update takes the same time at every size, so it decides nothing. Without any measured
 * time, fastest is the largest too.
 */
export function chooseSize(
  trials: readonly Trial[],
  largest: number,
  budgetBytes: number | undefined,
  objective: Objective,
): number {
  if (objective === 'largest') return largest;
  const timed = trials
    .filter((trial) => trial.microbatch <= largest && fitsWithin(trial, budgetBytes))
    .flatMap((trial) => {
      const ms = msPerExample(trial);
      return ms === null ? [] : [{ size: trial.microbatch, ms }];
    })
    .sort((a, b) => a.ms - b.ms || b.size - a.size);
  return timed[0]?.size ?? largest;
}
