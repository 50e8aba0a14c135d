// Two small models in plain tensor operations, with data made from seeds: a classifier of rows, a tagger of padded tokens.
import type * as core from '@tensorflow/tfjs-core';

type NamedBatch = Record<string, core.Tensor>;

/** A model, its data and its loss, as a loop of one's own has them. */
export interface Training {
  readonly variables: core.Variable[];
  /** `rows` examples; others for each index. */
  readonly batch: (index: number, rows: number) => NamedBatch;
  /** Mean over what counts. */
  readonly loss: (part: NamedBatch) => core.Scalar;
  readonly count?: (part: NamedBatch) => number;
}

/** Two dense layers, cross-entropy as a mean over examples, and a penalty on the first weights. */
export function classifier(tf: typeof core): Training {
  const w1 = weight(tf, [6, 8]);
  const b1 = weight(tf, [8]);
  const w2 = weight(tf, [8, 3]);
  const b2 = weight(tf, [3]);
  return {
    variables: [w1, b1, w2, b2],
    batch: (index, rows) =>
      tf.tidy(() => ({
        xs: tf.randomNormal([rows, 6], 0, 1, 'float32', 100 + index),
        ys: tf.oneHot(tf.tensor1d(classes(rows, index), 'int32'), 3).toFloat(),
      })),
    loss: ({ xs, ys }) => {
      const hidden = tf.tanh(tf.add(tf.matMul(xs as core.Tensor2D, w1 as core.Tensor2D), b1));
      const logits = tf.add(tf.matMul(hidden as core.Tensor2D, w2 as core.Tensor2D), b2);
      const penalty = tf.mul(0.01, tf.sum(tf.square(w1)));
      return tf.add(tf.losses.softmaxCrossEntropy(ys as core.Tensor, logits), penalty);
    },
  };
}

/** One number for each token, squared error as a mean over the tokens that are no padding: 1 to 5 in each example. */
export function tokenTagger(tf: typeof core): Training {
  const w = weight(tf, [4, 6]);
  const v = weight(tf, [6, 1]);
  return {
    variables: [w, v],
    batch: (index, rows) =>
      tf.tidy(() => ({
        xs: tf.randomNormal([rows, 5, 4], 0, 1, 'float32', 200 + index),
        ys: tf.randomNormal([rows, 5], 0, 1, 'float32', 300 + index),
        mask: tf.tensor2d(
          classes(rows, index).map((_, row) => [0, 1, 2, 3, 4].map((at) => (at <= (row * row) % 5 ? 1 : 0))),
        ),
      })),
    loss: ({ xs, ys, mask }) => {
      const flat = tf.reshape(xs as core.Tensor, [-1, 4]) as core.Tensor2D;
      const hidden = tf.sigmoid(tf.matMul(flat, w as core.Tensor2D)) as core.Tensor2D;
      const tags = tf.reshape(tf.matMul(hidden, v as core.Tensor2D), (ys as core.Tensor).shape);
      const errors = tf.mul(tf.square(tf.sub(tags, ys as core.Tensor)), mask as core.Tensor);
      return tf.div(tf.sum(errors), tf.sum(mask as core.Tensor));
    },
    count: ({ mask }) => mask?.sum().dataSync()[0] ?? NaN,
  };
}

function weight(tf: typeof core, shape: number[]): core.Variable {
  return tf.tidy(() => tf.variable(tf.randomNormal(shape, 0, 0.5, 'float32', 7 + shape.length)));
}

function classes(rows: number, index: number): number[] {
  return Array.from({ length: rows }, (_, row) => (row * 7 + index) % 3);
}
