// What a search expects of sizes that it has not run, from those that it has.
import { type MemoryModel, gradientPoints, largestWithin } from './memoryModel';
import { type SearchState, missed } from './searchState';

/** A line is confirmed by three sizes that lie on it to within this part of one example's bytes. */
const onLine = 0.01;

/** Whether three sizes or more lie on one line. */
export function isConfirmed(model: MemoryModel | null): model is MemoryModel {
  return model !== null && model.fitted.length >= 3 && model.residualBytes <= onLine * model.bytesPerExample;
}

/** Largest size that should fit by what was measured; null where there is no telling. */
export function predictLargest(state: SearchState, model: MemoryModel | null): number | null {
  if (model === null) return null;
  const line = isConfirmed(model) ? model : nearestLine(state, model);
  const reached = memoryReached(state, line);
  const ceiling = Math.min(state.budgetBytes ?? Infinity, reached ?? Infinity);
  if (ceiling === Infinity) return null;
  // A flat line says nothing of where memory ends.
  if (line.bytesPerExample <= 0) return missed(state) ? null : state.cap;
  return largestWithin({ ...line, optimizerPeakBytes: 0 }, ceiling, state.cap);
}

/**
 * How much memory was in use when a trial ran out of it: at least so much there is. Counts only where it is below
 * what the line says that the size needs (else it is the need itself) and above what a size that fits needs.
 */
function memoryReached(state: SearchState, line: Line): number | null {
  const figures = state.trials
    .filter((trial) => trial.outcome === 'outOfMemory' && trial.peakBytes !== undefined)
    .map((trial) => ({ bytes: trial.peakBytes ?? 0, need: bytesAt(line, trial.microbatch) }))
    .filter(({ bytes, need }) => bytes < need && bytes > bytesAt(line, state.largestFit + 1))
    .map(({ bytes }) => bytes);
  return figures.length === 0 ? null : Math.max(...figures);
}

/** Bytes of the gradient phase by size. */
export interface Line {
  readonly fixedBytes: number;
  readonly bytesPerExample: number;
}

/** Bytes that a line gives for a size. */
export function bytesAt(line: Line, size: number): number {
  return line.fixedBytes + line.bytesPerExample * size;
}

/** The line through the measured sizes next to the answer: it follows memory that bends, or varies. */
function nearestLine(state: SearchState, model: MemoryModel): Line {
  const points = gradientPoints(state.trials, state.cap);
  const below = points.filter((point) => point.microbatch <= state.largestFit);
  const anchor = below.at(-1);
  if (anchor === undefined) return model;
  const above = points.find((point) => point.microbatch > state.largestFit);
  const other = above ?? below.findLast((point) => point.microbatch * 1.5 <= anchor.microbatch);
  if (other === undefined) return model;
  const slope = Math.max(0, (other.bytes - anchor.bytes) / (other.microbatch - anchor.microbatch));
  return { bytesPerExample: slope, fixedBytes: anchor.bytes - slope * anchor.microbatch };
}
