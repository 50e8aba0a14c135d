// accumulate(): one optimizer update of a whole batch, from microbatches that fit in memory, for loops of the user's own.
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Optimizer, Scalar, Tensor, Variable } from '@tensorflow/tfjs-core';
import { GradientAccumulator } from '../engine/fitHook/accumulator';
import { MovingStatistics } from '../engine/fitHook/batchNormalization';
import { withSeededDropout } from '../engine/fitHook/seededDropout';
import { applyOnce, trainable } from './applyOnce';
import { checkAccumulate } from './checks';
import { examplesOf, partOf, rowsOfParts, weightsOf } from './rows';
import type { Batch, GradientClip, Rows, TensorFlow } from './types';

/** What `accumulate` is asked to do. */
export interface AccumulateOptions<B extends Batch> {
  /** Makes the one step. Any optimizer of `tf.train`, or one of your own. */
  readonly optimizer: Optimizer;
  /** The whole batch: the first dimension of each tensor holds the examples. It stays yours and is not disposed. */
  readonly batch: B;
  /** Examples of each microbatch, in order; they sum to the batch's. `microbatchSizes(total, largest)` gives them. */
  readonly microbatchSizes: readonly number[];
  /**
   * The mean loss of a part of the batch, a scalar: what `optimizer.minimize` would be given for the whole batch. A penalty
   * on weights belongs in it, and counts once. `rows` says which examples the part holds.
   */
  readonly loss: (part: B, rows: Rows) => Scalar;
  /**
   * What the loss is a mean over, where that is not examples: the tokens of the part that are no padding, say. Default: its
   * examples. A part that counts 0 is not run.
   */
  readonly count?: ((part: B, rows: Rows) => number) | undefined;
  /** Clipping of the whole batch's gradient. */
  readonly clip?: GradientClip | undefined;
  /** Variables to change. Default: all trainable ones, as `optimizer.minimize` has it. */
  readonly variables?: readonly Variable[] | undefined;
  /**
   * The Layers model that the loss calls with `training: true`. Its BatchNormalization layers then write their moving
   * statistics once, from all microbatches, and dropout with a seed takes the whole batch's mask. (A BatchNormalization
   * normalises by the microbatch's own statistics all the same: its gradient is not the full batch's.)
   */
  readonly model?: Pick<LayersModel, 'layers'> | undefined;
}

/**
 * One update of the optimizer that equals the update of the whole batch, while no more than a microbatch goes through the
 * model at once. For a loss that is a mean over examples, the gradient of the batch is Σ (nᵢ / N)·gᵢ: each microbatch's
 * loss is scaled by its weight, the gradients are added, clipping sees the sum, and the optimizer makes one step.
 *
 * ```js
 * const loss = accumulate(tf, {
 *   optimizer,
 *   batch: { xs, ys },
 *   microbatchSizes: microbatchSizes(xs.shape[0], 22),
 *   loss: ({ xs, ys }) => tf.losses.softmaxCrossEntropy(ys, model.predict(xs)),
 *   clip: { globalNorm: 1 },
 * });
 * ```
 *
 * @returns the mean loss of the batch before the step: a scalar that is yours to dispose. No other tensor is left.
 * @throws TypeError or RangeError where an option is missing or makes no sense; what `loss` throws. The variables are then
 * as before.
 */
export function accumulate<B extends Batch>(tf: TensorFlow, options: AccumulateOptions<B>): Scalar {
  checkAccumulate(tf, options);
  const { optimizer, batch, loss, count, clip, model } = options;
  const total = examplesOf(tf, batch);
  const parts = rowsOfParts(total, options.microbatchSizes);
  const weights = weightsOf(
    count === undefined
      ? parts.map(({ size }) => size)
      : parts.map((rows) => tf.tidy(() => count(partOf(tf, batch, rows), rows))),
  );
  const variables = trainable(tf, options.variables);
  const gradients = new GradientAccumulator(tf);
  const statistics = model === undefined ? null : new MovingStatistics(tf, model);
  const losses: Scalar[] = [];
  try {
    parts.forEach((rows, index) => {
      const weight = weights[index] ?? 0;
      if (weight === 0) return;
      const run = () =>
        tf.tidy(() => {
          const part = rows.size === total ? batch : partOf(tf, batch, rows);
          return gradients.addGradientsOf(optimizer, () => loss(part, rows), variables, weight);
        });
      const withMask =
        model === undefined ? run : () => withSeededDropout(tf, model, { ...rows, rows: total }, run);
      losses.push(statistics === null ? withMask() : statistics.record(rows.size, withMask));
    });
    applyOnce(tf, optimizer, gradients.named(), { clip, listed: options.variables !== undefined });
    statistics?.apply();
    return tf.tidy(() => losses.reduce<Tensor>((sum, one) => tf.add(sum, one), tf.scalar(0)) as Scalar);
  } finally {
    statistics?.forget();
    gradients.dispose();
    tf.dispose(losses);
  }
}
