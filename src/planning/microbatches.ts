// How one target batch is cut into microbatches.

/**
 * Cuts `total` examples into the fewest parts of at most `largest`, with sizes that differ by at most one, largest
 * first: `splitBatch(64, 30)` is `[22, 21, 21]`. The parts always sum to `total`; no examples give no parts.
 * @throws RangeError unless `total` is a whole number ≥ 0 and `largest` a whole number ≥ 1.
 */
export function splitBatch(total: number, largest: number): number[] {
  return microbatchCounts(total, largest).flatMap(({ size, count }) => Array<number>(count).fill(size));
}

/** How many microbatches of an update have one size. */
export interface MicrobatchCount {
  readonly size: number;
  readonly count: number;
}

/**
 * The same cut in at most two numbers, however many parts it has: `microbatchCounts(64, 30)` is one of 22 and two of 21.
 * @throws RangeError as `splitBatch`
 */
export function microbatchCounts(total: number, largest: number): MicrobatchCount[] {
  if (!Number.isSafeInteger(total) || total < 0) throw new RangeError(`Not a number of examples: ${total}`);
  if (!Number.isSafeInteger(largest) || largest < 1)
    throw new RangeError(`Not a microbatch size: ${largest}`);
  const parts = Math.ceil(total / largest);
  if (parts === 0) return [];
  const smaller = Math.floor(total / parts);
  const withOneMore = total - smaller * parts;
  return [
    { size: smaller + 1, count: withOneMore },
    { size: smaller, count: parts - withOneMore },
  ].filter(({ count }) => count > 0);
}

/** Number of microbatches per update: the length of `splitBatch(total, largest)`. */
export function accumulationSteps(total: number, largest: number): number {
  return Math.ceil(total / largest);
}
