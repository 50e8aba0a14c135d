// A batch by its examples: how many there are, which of them each microbatch holds, and how much each counts.
import { sliceRows } from '../engine/fitHook/sliceBatch';
import { checkCounted, checkSizes } from './checks';
import type { Batch, BatchEntry, Rows, TensorFlow } from './types';

/**
 * Number of examples in a batch.
 * @throws RangeError where there is no tensor, a tensor without a first dimension, or tensors of different lengths.
 */
export function examplesOf(tf: TensorFlow, batch: Batch): number {
  const lengths = new Set(
    entriesOf(tf, batch).flatMap(([name, entry]) => {
      if (entry === null || entry === undefined) return [];
      const length = entry.shape[0];
      if (length === undefined) throw new RangeError(`${name} is one number: it holds no examples.`);
      return [length];
    }),
  );
  const [length, other] = lengths;
  if (length === undefined) throw new RangeError('The batch holds no tensor.');
  if (other !== undefined)
    throw new RangeError(`The tensors of the batch hold ${[...lengths].join(' and ')} examples.`);
  return length;
}

/** The part of a batch that a microbatch holds, in the batch's own shape; new tensors, owned by the caller's tidy. */
export function partOf<B extends Batch>(tf: TensorFlow, batch: B, { start, size }: Rows): B {
  const slice = (entry: BatchEntry): BatchEntry =>
    entry === null || entry === undefined ? entry : sliceRows(tf, entry, start, size);
  if (batch instanceof tf.Tensor) return slice(batch) as typeof batch;
  const entries = entriesOf(tf, batch).map(([name, entry]) => [name, slice(entry)] as const);
  return (Array.isArray(batch)
    ? entries.map(([, entry]) => entry)
    : Object.fromEntries(entries)) as unknown as B;
}

/**
 * The rows of each microbatch, one after the other.
 * @throws TypeError unless the sizes are a list; RangeError unless they are whole numbers ≥ 1 whose sum is `total`.
 */
export function rowsOfParts(total: number, sizes: readonly number[]): Rows[] {
  checkSizes(sizes);
  let start = 0;
  const rows = sizes.map((size) => {
    const part = { start, size };
    start += size;
    return part;
  });
  if (start !== total || rows.length === 0)
    throw new RangeError(`The microbatch sizes sum to ${start}, but the batch holds ${total} examples.`);
  return rows;
}

/**
 * The weight of each microbatch: its count divided by the batch's. The weights sum to 1.
 * @throws TypeError where a count is no number; RangeError where one is negative or not finite, or all of them are 0.
 */
export function weightsOf(counts: readonly number[]): number[] {
  counts.forEach(checkCounted);
  const sum = counts.reduce((total, count) => total + count, 0);
  if (sum === 0) throw new RangeError('Nothing in the batch counts: the sum of the counts is 0.');
  return counts.map((count) => count / sum);
}

function entriesOf(tf: TensorFlow, batch: Batch): [string, BatchEntry][] {
  if (batch instanceof tf.Tensor) return [['The batch', batch]];
  return Object.entries(batch as { readonly [name: string]: BatchEntry });
}
