// Whether to try the whole batch at once: a plain step without accumulators, which its parts need.
import { type MemoryModel, gradientPoints } from './memoryModel';
import { type Line, bytesAt } from './searchPrediction';
import { type SearchState, missed, wasRun } from './searchState';

/** A batch of up to so many is tried whole when one example of it beside the accumulators does not fit. */
const smallBatch = 16;

/**
 * Whether the whole batch at once, which needs no accumulators, may fit although smaller microbatches do not:
 * its need, by the line less the accumulators, is below everything that is known not to fit.
 */
export function wholeBatchMayFit(state: SearchState, model: MemoryModel | null): boolean {
  const { cap, trials, smallestMiss } = state;
  if (wasRun(state, cap)) return false;
  const known = trials.findLast((trial) => trial.accumulatorBytes !== undefined)?.accumulatorBytes;
  if (state.largestFit === 0) {
    if (cap <= smallBatch && cap > 1) return true;
    const need = trials[0]?.outcome === 'fits' ? trials[0].gradientPeakBytes : undefined;
    return known !== undefined && need !== undefined && need - known <= (state.budgetBytes ?? -1);
  }
  // With the accumulators only guessed at, it is not worth a third time out of memory.
  const outOfMemories = trials.filter(({ outcome }) => outcome === 'outOfMemory').length;
  if (known === undefined && outOfMemories >= 2) return false;
  const line = model ?? flattestLine(state);
  if (line === null || (trials.length < 3 && !missed(state))) return false;
  const need = bytesAt(line, cap) - (known ?? line.fixedBytes / 2);
  const miss = missed(state) ? bytesAt(line, smallestMiss) : Infinity;
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
