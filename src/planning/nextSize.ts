// Which size a search runs next. Every rule here only chooses: what is returned is proven by the trials alone.
import { type MemoryModel, fitMemoryModel, predictPeak } from './memoryModel';
import { isConfirmed, predictLargest } from './searchPrediction';
import { type SearchState, missed, wasRun } from './searchState';
import { wholeBatchMayFit } from './wholeBatch';

/** Without a confirmed line, no step goes further than this beyond what fits. */
const unprovenStep = 16;
/** Without a budget there is nothing to predict from: sizes grow by this until one does not fit. */
const blindStep = 4;
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
  if (!missed(state) && wholeBatchMayFit(state, model)) return cap;
  const proposal = missed(state) ? between(state, model, middle) : upwards(state, model);
  return Math.min(smallestMiss - 1, Math.max(largestFit + 1, proposal));
}

/** Whether a step that brings nothing still leaves enough trials to bisect within the promised number of them. */
function maySpare(state: SearchState): boolean {
  const promised = 2 * Math.ceil(Math.log2(state.cap)) + 2;
  const toBisect = Math.ceil(Math.log2(state.smallestMiss - state.largestFit));
  return state.trials.length + 1 + toBisect <= promised;
}

/** No size has failed yet. */
function upwards(state: SearchState, model: MemoryModel | null): number {
  const { largestFit, trials } = state;
  const predicted = predictLargest(state, model);
  if (predicted === null) return largestFit * blindStep;
  const confirmed = isConfirmed(model);
  // Should sizes go on fitting beyond what is predicted, the steps grow, so that no cap is far away.
  const least = largestFit + 4 ** Math.max(0, trials.length - 5);
  if (predicted <= largestFit) return least;
  if (confirmed) return predicted;
  // The line of 1 and 2 has no witness, and one example alone is often off it: a small third size comes first.
  if (trials.length === 2) {
    if (fitsWithRoom(state, model)) return predicted;
    return Math.min(predicted, Math.max(4, Math.min(32, Math.floor(predicted / 4))));
  }
  return Math.max(least, Math.min(predicted, largestFit * unprovenStep));
}

/** A size fits, a larger one does not, and the answer lies between. */
function between(state: SearchState, model: MemoryModel | null, middle: number): number {
  const { largestFit, smallestMiss } = state;
  if (state.slow >= patience) return middle;
  const predicted = predictLargest(state, model);
  if (predicted === null) return middle;
  if (predicted <= largestFit) return largestFit + 1;
  if (predicted < smallestMiss) return predicted;
  // Memory ended below the budget. Most often a little below, so the first step back is a short one.
  return state.slow === 0 ? smallestMiss - Math.ceil((smallestMiss - largestFit) / 8) : middle;
}

/** Whether all that is asked for should need so little of the budget that even a poor line will do. */
function fitsWithRoom(state: SearchState, model: MemoryModel | null): boolean {
  if (model === null || state.budgetBytes === undefined) return false;
  return predictPeak(model, state.cap) <= state.budgetBytes / 10;
}
