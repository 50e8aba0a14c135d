// Which size a search runs next. Every rule here only chooses: what is returned is proven by the trials alone.
import { type MemoryModel, fitMemoryModel, gradientPoints, largestWithin, predictPeak } from './memoryModel';
import { type SearchState, missed, wasRun } from './searchState';

/** A line is confirmed by three sizes that lie on it to within this part of one example's bytes. */
const onLine = 0.01;
/** Without a confirmed line, no step goes further than this beyond what fits. */
const unprovenStep = 16;
/** Without a budget there is nothing to predict from: sizes grow by this until one does not fit. */
const blindStep = 4;
/** From this many trials on, a confirmed line may stand in for the run of one size more. */
const proofByLine = 6;
/** A batch of up to so many is tried whole when one example of it beside the accumulators does not fit. */
const smallBatch = 16;
/** Predictions that brought little are given up after this many, and the search bisects. */
const patience = 3;

/** The next size to run, never one that was run; null when the answer is proven, or nothing fits. */
export function nextSize(state: SearchState): number | null {
  const { cap, largestFit, smallestMiss } = state;
  if (state.trials.length === 0) return 1;
  if (largestFit === cap) return null;
  const model = fitMemoryModel(state.trials, cap);
  if (largestFit === 0) return wholeBatchMayFit(state, model) ? cap : null;
  if (smallestMiss - largestFit === 1) return maySpare(state) && wholeBatchMayFit(state, model) ? cap : null;
  if (largestFit === 1 && !wasRun(state, 2)) return 2;
  const middle = largestFit + Math.floor((smallestMiss - largestFit) / 2);
  if (!maySpare(state)) return middle;
  if (wholeBatchMayFit(state, model)) return cap;
  const proposal = missed(state) ? between(state, model, middle) : upwards(state, model);
  if (proposal === null) return null;
  return Math.min(smallestMiss - 1, Math.max(largestFit + 1, proposal));
}

/** Whether a step that brings nothing still leaves enough trials to bisect within the promised number of them. */
function maySpare(state: SearchState): boolean {
  const promised = 2 * Math.ceil(Math.log2(state.cap)) + 2;
  const toBisect = Math.ceil(Math.log2(state.smallestMiss - state.largestFit));
  return state.trials.length + 1 + toBisect <= promised;
}

/** No size has failed yet. */
function upwards(state: SearchState, model: MemoryModel | null): number | null {
  const { largestFit, trials } = state;
  const predicted = predictLargest(state, model);
  if (predicted === null) return largestFit * blindStep;
  const confirmed = isConfirmed(model);
  // Should sizes go on fitting beyond what is predicted, the steps grow, so that no cap is far away.
  const least = largestFit + 4 ** Math.max(0, trials.length - 5);
  if (predicted <= largestFit) {
    return confirmed && trials.length >= proofByLine && isOverBudget(state, model) ? null : least;
  }
  if (confirmed) return predicted;
  // The line of 1 and 2 has no witness, and one example alone is often off it: a small third size comes first.
  if (trials.length === 2) {
    if (fitsWithRoom(state, model)) return predicted;
    return Math.min(predicted, Math.max(4, Math.min(32, Math.floor(predicted / 4))));
  }
  return Math.max(least, Math.min(predicted, largestFit * unprovenStep));
}

/** A size fits, a larger one does not, and the answer lies between. */
function between(state: SearchState, model: MemoryModel | null, middle: number): number | null {
  const { largestFit, smallestMiss, trials } = state;
  if (state.slow >= patience) return middle;
  const predicted = predictLargest(state, model);
  if (predicted === null) return middle;
  if (predicted <= largestFit) {
    if (isConfirmed(model) && trials.length >= proofByLine && isOverBudget(state, model)) return null;
    return largestFit + 1;
  }
  if (predicted < smallestMiss) return predicted;
  // Memory ended below the budget. Most often a little below, so the first step back is a short one.
  return state.slow === 0 ? smallestMiss - Math.ceil((smallestMiss - largestFit) / 8) : middle;
}

/** Whether all that is asked for should need so little of the budget that even a poor line will do. */
function fitsWithRoom(state: SearchState, model: MemoryModel | null): boolean {
  if (model === null || state.budgetBytes === undefined) return false;
  return predictPeak(model, state.cap) <= state.budgetBytes / 4;
}

function isConfirmed(model: MemoryModel | null): model is MemoryModel {
  return model !== null && model.fitted.length >= 3 && model.residualBytes <= onLine * model.bytesPerExample;
}

/** Whether the line shows that one example more than what fits is over the budget, its own error allowed for. */
function isOverBudget(state: SearchState, model: MemoryModel): boolean {
  if (state.budgetBytes === undefined) return false;
  const next = predictPeak(model, state.largestFit + 1);
  return next - 2 * onLine * model.bytesPerExample > state.budgetBytes;
}

/** Largest size that should fit by what was measured; null where there is no telling. */
function predictLargest(state: SearchState, model: MemoryModel | null): number | null {
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
    .map((trial) => ({ bytes: trial.peakBytes ?? 0, need: at(line, trial.microbatch) }))
    .filter(({ bytes, need }) => bytes < need && bytes > at(line, state.largestFit + 1))
    .map(({ bytes }) => bytes);
  return figures.length === 0 ? null : Math.max(...figures);
}

interface Line {
  readonly fixedBytes: number;
  readonly bytesPerExample: number;
}

function at(line: Line, size: number): number {
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

/**
 * Whether the whole batch at once, which needs no accumulators, may fit although smaller microbatches do not:
 * its need, by the line less the accumulators, is below everything that is known not to fit.
 */
function wholeBatchMayFit(state: SearchState, model: MemoryModel | null): boolean {
  const { cap, trials, smallestMiss } = state;
  if (wasRun(state, cap)) return false;
  const known = trials.findLast((trial) => trial.accumulatorBytes !== undefined)?.accumulatorBytes;
  if (state.largestFit === 0) {
    if (cap <= smallBatch && cap > 1) return true;
    const need = trials[0]?.outcome === 'fits' ? trials[0].gradientPeakBytes : undefined;
    return known !== undefined && need !== undefined && need - known <= (state.budgetBytes ?? -1);
  }
  const line = model ?? flattestLine(state);
  if (line === null || (trials.length < 3 && !missed(state))) return false;
  const need = at(line, cap) - (known ?? line.fixedBytes / 2);
  const miss = missed(state) ? at(line, smallestMiss) : Infinity;
  const ceiling = Math.min(state.budgetBytes ?? Infinity, miss);
  return ceiling < Infinity && need <= ceiling;
}

/** With one size measured and the next one missed: the flattest line that explains the miss. */
function flattestLine(state: SearchState): Line | null {
  const only = gradientPoints(state.trials)[0];
  if (only === undefined || state.budgetBytes === undefined || !missed(state)) return null;
  const bytesPerExample = (state.budgetBytes - only.bytes) / (state.smallestMiss - only.microbatch);
  return { bytesPerExample, fixedBytes: only.bytes - bytesPerExample * only.microbatch };
}
