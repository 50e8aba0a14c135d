// The search for the largest microbatch that fits: measure little, predict, then prove.
import { nextSize } from './nextSize';
import { NothingFitsError } from './nothingFits';
import { type SearchState, record, startSearch } from './searchState';
import type { Trial } from './trial';

/** What ends the search upwards: all that is asked for fits; one more ran out of memory; one more is over the budget. */
export type Proof = 'cap' | 'outOfMemory' | 'budget';

export interface SearchLimits {
  /** Largest size worth trying: the smaller of the target batch and the number of examples. */
  readonly cap: number;
  /** Memory that may be used, in the units of the trials' bytes; undefined: found out by running out of it. */
  readonly budgetBytes?: number | undefined;
}

export interface SearchResult {
  /** The largest size that fits; it was run. */
  readonly largest: number;
  readonly proof: Proof;
  /** Every trial, in the order in which they were run; no size is there twice. */
  readonly trials: Trial[];
}

/**
 * Finds the largest microbatch that fits, exactly, for any memory that does not shrink as the microbatch grows.
 * With affine memory and a budget that holds: at most 6 trials, at most 2 of them out of memory. Otherwise: at most
 * 2 · ⌈log₂ cap⌉ + 2 trials. `run` is called for one size at a time, first 1, then 2, and never twice for one size.
 * What is returned was run, and so was the next larger size, unless there is none below the cap: a line through
 * measured sizes chooses what is run, but memory that grows in steps would make it a poor proof.
 *
 * @throws NothingFitsError if not even one example fits.
 * @throws RangeError if the cap is not a whole number ≥ 1, or the budget not a number ≥ 0.
 * @throws what `run` throws, unchanged: a failure that is not one of memory ends the search.
 */
export async function findLargestMicrobatch(
  run: (microbatch: number) => Promise<Trial>,
  limits: SearchLimits,
): Promise<SearchResult> {
  const state = startSearch(limits.cap, limits.budgetBytes);
  for (let size = nextSize(state); size !== null; size = nextSize(state)) {
    const trial = await run(size);
    if (trial.microbatch !== size) {
      throw new Error(`A trial of ${size} examples came back as one of ${trial.microbatch}.`);
    }
    record(state, trial);
  }
  if (state.largestFit === 0) throw new NothingFitsError(state.trials, limits.budgetBytes);
  return { largest: state.largestFit, proof: proofOf(state), trials: state.trials };
}

function proofOf(state: SearchState): Proof {
  if (state.largestFit === state.cap) return 'cap';
  const next = state.trials.find((trial) => trial.microbatch === state.largestFit + 1);
  return next?.outcome === 'outOfMemory' ? 'outOfMemory' : 'budget';
}
