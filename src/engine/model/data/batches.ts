// Examples as the dataset that fitDataset trains on: one target batch at a time, so that the device never holds them all.
import type * as tfTypes from '@tensorflow/tfjs';
import type { Examples } from './examples';
import type { Feed } from './feeds';
import { sizeOf } from './rows';

type Tf = typeof tfTypes;
type Tensors = Record<string, tfTypes.Tensor>;

/** One batch, inputs and targets by the names that the model has for them. */
export interface Batch {
  readonly xs: Tensors;
  readonly ys: Tensors;
}

/** The two members of a tfjs Dataset that fitDataset and evaluateDataset use. */
export interface BatchDataset {
  /** Batches in one pass. */
  readonly size: number;
  /** Examples in one pass: no member of tfjs's, but the hook reads it, since a dataset does not tell it otherwise. */
  readonly examples: number;
  iterator(): Promise<{ next(): Promise<IteratorResult<Batch, null>> }>;
}

/** Options of a pass. */
export interface BatchOptions {
  readonly batchSize: number;
  /** The order of the rows, asked for at the start of each pass; the rows as they are where it is left out. */
  readonly order?: () => Int32Array;
  /** Leave out what is left after the last whole batch (a model bound to one batch size). */
  readonly dropLast?: boolean;
}

/** Batches of examples. Values are read from memory or disk when the batch is asked for; the caller disposes tensors. */
export function batchesOf(tf: Pick<Tf, 'tensor'>, examples: Examples, options: BatchOptions): BatchDataset {
  const { batchSize } = options;
  const count = examples.rows.length;
  const size = options.dropLast === true ? Math.floor(count / batchSize) : Math.ceil(count / batchSize);
  return {
    size,
    examples: options.dropLast === true ? size * batchSize : count,
    iterator: () => {
      let rows: Int32Array | null = null;
      let batch = 0;
      const next = (): IteratorResult<Batch, null> => {
        // The order is asked for with the first batch: only then has the epoch begun.
        rows ??= options.order?.() ?? examples.rows;
        if (batch === size) return { value: null, done: true };
        const part = rows.subarray(batch * batchSize, (batch + 1) * batchSize);
        batch++;
        return {
          value: { xs: tensorsOf(tf, examples.inputs, part), ys: tensorsOf(tf, examples.targets, part) },
          done: false,
        };
      };
      // An error of a feed becomes a rejection, as of any dataset.
      return Promise.resolve({ next: async () => next() });
    },
  };
}

function tensorsOf(tf: Pick<Tf, 'tensor'>, feeds: readonly Feed[], rows: Int32Array): Tensors {
  const tensors: Tensors = {};
  for (const feed of feeds) {
    const values = new Float32Array(rows.length * sizeOf(feed.shape));
    feed.fill(rows, values);
    tensors[feed.name] = tf.tensor(values, [rows.length, ...feed.shape], 'float32');
  }
  return tensors;
}
