// What a search knows so far: the trials, and the sizes between which the answer lies.
import { type Trial, fitsWithin } from './trial';

export interface SearchState {
  readonly cap: number;
  readonly budgetBytes: number | undefined;
  readonly trials: Trial[];
  /** Largest size that was run and fits; 0 before there is one. */
  largestFit: number;
  /** Smallest size that was run and does not fit; cap + 1 before there is one. */
  smallestMiss: number;
  /** Trials that did not halve what lies between the two: too many of them, and the search bisects. */
  slow: number;
}

/** @throws RangeError for limits that no search can be made within. */
export function startSearch(cap: number, budgetBytes: number | undefined): SearchState {
  if (!Number.isSafeInteger(cap) || cap < 1)
    throw new RangeError(`Not a number of examples to stop at: ${cap}`);
  if (budgetBytes !== undefined && !(budgetBytes >= 0)) throw new RangeError(`Not a budget: ${budgetBytes}`);
  return { cap, budgetBytes, trials: [], largestFit: 0, smallestMiss: cap + 1, slow: 0 };
}

/** Whether a size that does not fit has been met. */
export function missed(state: SearchState): boolean {
  return state.smallestMiss <= state.cap;
}

/** Whether this size has been run. */
export function wasRun(state: SearchState, size: number): boolean {
  return state.trials.some((trial) => trial.microbatch === size);
}

/** Enters one trial. */
export function record(state: SearchState, trial: Trial): void {
  const gap = state.smallestMiss - state.largestFit;
  const wasMissed = missed(state);
  state.trials.push(trial);
  if (fitsWithin(trial, state.budgetBytes)) {
    state.largestFit = Math.max(state.largestFit, trial.microbatch);
  } else {
    state.smallestMiss = Math.min(state.smallestMiss, trial.microbatch);
  }
  if (wasMissed && 2 * (state.smallestMiss - state.largestFit) > gap) state.slow += 1;
}
