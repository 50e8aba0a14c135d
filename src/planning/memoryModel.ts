// The memory model: a gradient phase that is affine in the microbatch, and an optimizer phase that is constant in it.
import type { Trial } from './trial';

/** peak(b) = max(fixedBytes + bytesPerExample · b, optimizerPeakBytes). */
export interface MemoryModel {
  /** Bytes of the gradient phase that do not depend on the microbatch. */
  readonly fixedBytes: number;
  /** Bytes of the gradient phase for each example of the microbatch; never below 0. */
  readonly bytesPerExample: number;
  /** Peak of the optimizer's update, constant in the microbatch; 0 where it never showed above the gradient phase. */
  readonly optimizerPeakBytes: number;
  /** Largest distance of a measured gradient phase from the line. */
  readonly residualBytes: number;
  /** Sizes that the line goes through; a size that fell off it (one example, the whole batch) is not among them. */
  readonly fitted: readonly number[];
}

/** One measured point of the gradient phase. */
export interface MemoryPoint {
  readonly microbatch: number;
  readonly bytes: number;
}

/** A size whose distance from the others' line is more than this many examples' bytes does not belong to the line. */
const offLine = 0.05;

/**
 * The gradient phases that were measured, by size. `wholeBatch` is left out: a microbatch as large as the batch needs
 * no accumulators and lies below the line. A trial without a gradient phase of its own gives its whole peak.
 */
export function gradientPoints(trials: readonly Trial[], wholeBatch?: number): MemoryPoint[] {
  return trials
    .filter((trial) => trial.outcome === 'fits' && trial.microbatch !== wholeBatch)
    .flatMap((trial) => {
      const bytes = trial.gradientPeakBytes ?? trial.peakBytes;
      return bytes === undefined ? [] : [{ microbatch: trial.microbatch, bytes }];
    })
    .sort((a, b) => a.microbatch - b.microbatch);
}

/**
 * Fits the model to what was measured; null with fewer than two sizes. Least squares, each point weighted by
 * 1 / bytes², since measured peaks vary in proportion to themselves. One example alone often takes other kernels
 * (measured: exact from two up), so size 1 is dropped where two or more others agree on a line that it is not on.
 */
export function fitMemoryModel(trials: readonly Trial[], wholeBatch?: number): MemoryModel | null {
  let points = gradientPoints(trials, wholeBatch);
  if (points.length < 2) points = gradientPoints(trials);
  if (points.length < 2) return null;
  const withoutFirst = points[0]?.microbatch === 1 ? points.slice(1) : points;
  let line = fitLine(points);
  if (withoutFirst.length >= 2 && line.residual > offLine * line.perExample) {
    const others = fitLine(withoutFirst);
    const agree = others.residual <= offLine * others.perExample;
    if (agree || others.residual < line.residual / 2) {
      line = others;
      points = withoutFirst;
    }
  }
  const ownPhases = trials.some((trial) => trial.gradientPeakBytes !== undefined);
  const optimizerPeaks = trials
    .filter(
      (trial) => trial.outcome === 'fits' && (trial.peakBytes ?? 0) > (trial.gradientPeakBytes ?? Infinity),
    )
    .map((trial) => trial.peakBytes ?? 0);
  return {
    fixedBytes: line.fixed,
    bytesPerExample: line.perExample,
    optimizerPeakBytes: ownPhases ? Math.max(0, ...optimizerPeaks) : 0,
    residualBytes: line.residual,
    fitted: points.map((point) => point.microbatch),
  };
}

/** Predicted peak in bytes of an update in microbatches of this size. */
export function predictPeak(model: MemoryPhases, microbatch: number): number {
  return Math.max(model.fixedBytes + model.bytesPerExample * microbatch, model.optimizerPeakBytes);
}

/** What a prediction needs of a model. */
export type MemoryPhases = Pick<MemoryModel, 'fixedBytes' | 'bytesPerExample' | 'optimizerPeakBytes'>;

/** Largest size from 0 (not even one fits) to `cap` whose predicted peak is within the budget. */
export function largestWithin(model: MemoryPhases, budgetBytes: number, cap: number): number {
  if (predictPeak(model, 1) > budgetBytes) return 0;
  if (predictPeak(model, cap) <= budgetBytes) return cap;
  let largest = Math.min(
    cap,
    Math.max(1, Math.floor((budgetBytes - model.fixedBytes) / model.bytesPerExample)),
  );
  // The division may be off by one in its last digit; the prediction itself decides.
  while (largest < cap && predictPeak(model, largest + 1) <= budgetBytes) largest += 1;
  while (largest > 1 && predictPeak(model, largest) > budgetBytes) largest -= 1;
  return largest;
}

/** Weighted least squares through two or more points, with a slope that is never negative. */
function fitLine(points: readonly MemoryPoint[]): { fixed: number; perExample: number; residual: number } {
  const weights = points.map((point) => 1 / Math.max(1, point.bytes) ** 2);
  const total = sum(weights);
  const centre = sum(points.map((point, i) => point.microbatch * (weights[i] ?? 0))) / total;
  const mean = sum(points.map((point, i) => point.bytes * (weights[i] ?? 0))) / total;
  let covariance = 0;
  let variance = 0;
  for (const [i, point] of points.entries()) {
    const distance = point.microbatch - centre;
    covariance += (weights[i] ?? 0) * distance * (point.bytes - mean);
    variance += (weights[i] ?? 0) * distance * distance;
  }
  const perExample = Math.max(0, covariance / variance);
  const fixed = mean - perExample * centre;
  const residual = Math.max(
    ...points.map((point) => Math.abs(point.bytes - fixed - perExample * point.microbatch)),
  );
  return { fixed, perExample, residual };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
