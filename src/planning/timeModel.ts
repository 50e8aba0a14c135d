// The time model: what an update takes in microbatches of any size, from the sizes that were timed.
import type { MicrobatchCount } from './microbatches';
import type { PlanTrial } from './plan';

export interface TimeModel {
  /** Sizes that were timed, smallest first, and the ms of one microbatch of each, forward and backward. */
  readonly timed: readonly { readonly size: number; readonly ms: number }[];
  /** The optimizer's update in ms, which is the same at every size; 0 where no trial told it. */
  readonly applyMs: number;
}

/** Null where no trial that fits told its time. */
export function fitTimeModel(
  trials: readonly Pick<PlanTrial, 'microbatch' | 'outcome' | 'stepMs' | 'applyMs'>[],
): TimeModel | null {
  const fits = trials.filter(({ outcome }) => outcome === 'fits');
  const timed = fits
    .flatMap(({ microbatch, stepMs }) => (stepMs === null ? [] : [{ size: microbatch, ms: stepMs }]))
    .sort((a, b) => a.size - b.size);
  if (timed.length === 0) return null;
  const applied = fits.flatMap(({ applyMs }) => (typeof applyMs === 'number' ? [applyMs] : []));
  return { timed, applyMs: median(applied) };
}

/**
 * Predicted ms of one microbatch: on the straight line between the two timed sizes around it; beyond them, in
 * proportion to the nearest.
 */
export function microbatchMs({ timed }: TimeModel, size: number): number {
  const above = timed.findIndex((point) => point.size >= size);
  const upper = timed[above] ?? timed.at(-1);
  const lower = timed[above - 1];
  if (upper === undefined) return 0;
  if (above < 1 || lower === undefined) return (upper.ms * size) / upper.size;
  return lower.ms + ((upper.ms - lower.ms) * (size - lower.size)) / (upper.size - lower.size);
}

/** Predicted ms of one update: all of its microbatches, and the optimizer's part. */
export function predictUpdateMs(model: TimeModel, counts: readonly MicrobatchCount[]): number {
  return counts.reduce((sum, { size, count }) => sum + count * microbatchMs(model, size), model.applyMs);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle)] ?? 0)) / 2;
}
