// The error of a search in which not even one example fits.
import type { Trial } from './trial';

/** Not even a microbatch of one example fits. `describeNothingFits` makes a text of it for people. */
export class NothingFitsError extends Error {
  override readonly name = 'NothingFitsError';
  constructor(
    /** What was run, in order; the first is the one example that did not fit. */
    readonly trials: readonly Trial[],
    readonly budgetBytes: number | undefined,
  ) {
    super('Not even one example fits into the memory that may be used.');
  }
}
