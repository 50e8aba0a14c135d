// How a batch is cut, for loops of the user's own: the same cut that plans are made with.
import { splitBatch } from '../planning/microbatches';
import { checkWhole } from './checks';

/**
 * Cuts `total` examples into the fewest microbatches of at most `largest`, with sizes that differ by at most one, largest
 * first: `microbatchSizes(64, 30)` is `[22, 21, 21]`. For the last, smaller batch of an epoch, give what is left as `total`.
 * @throws TypeError or RangeError unless `total` is a whole number ≥ 0 and `largest` a whole number ≥ 1.
 */
export function microbatchSizes(total: number, largest: number): number[] {
  checkWhole('total', total, 0);
  checkWhole('largest', largest);
  return splitBatch(total, largest);
}
