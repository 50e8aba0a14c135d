// The pieces of a TensorFlow.js program that depend on what a microbatch's weight is counted in: model, data, loss, count.

/** What differs between a loss per example and a loss per token. Each text is formatted already. */
export interface TfjsPieces {
  /** Model and loss. */
  readonly model: string;
  /** A function that makes data of `rows` examples. */
  readonly madeData: string;
  /** Names in a batch. */
  readonly names: string;
  /** What a microbatch weighs: the option of accumulate(); empty where examples are counted. */
  readonly countOption: string;
  /** The same in a plain loop, after the part was cut. */
  readonly weight: string;
}

export const perExample: TfjsPieces = {
  names: '{ xs, ys }',
  model: `const model = tf.sequential({
  layers: [
    tf.layers.dense({ inputShape: [20], units: 32, activation: "tanh" }),
    tf.layers.dense({ units: 4 }),
  ],
});

/** The mean loss over the examples of a batch, or of a part of one. */
function meanLoss({ xs, ys }) {
  return tf.losses.softmaxCrossEntropy(ys, model.apply(xs, { training: true }));
}
`,
  madeData: `function madeData(rows) {
  return tf.tidy(() => {
    const xs = tf.randomNormal([rows, 20]);
    const labels = xs.slice([0, 0], [rows, 4]).argMax(1);
    return { xs, ys: tf.oneHot(labels, 4).toFloat() };
  });
}
`,
  countOption: '',
  weight: `      // A mean over \`size\` examples is \`size / rows\` of the mean over all \`rows\`:
      // weights sum to 1, whatever the sizes, in the last partial batch too.
      const weight = size / rows;
`,
};

export const perToken: TfjsPieces = {
  names: '{ xs, ys, mask }',
  model: `const model = tf.sequential({
  layers: [
    tf.layers.dense({ inputShape: [12, 16], units: 32, activation: "relu" }),
    tf.layers.dense({ units: 4 }),
  ],
});

/** The mean loss over the tokens of a batch, or of a part; padding is masked. */
function meanLoss({ xs, ys, mask }) {
  const logits = model.apply(xs, { training: true });
  const { SUM } = tf.Reduction;
  return tf.losses
    .softmaxCrossEntropy(ys, logits, mask, 0, SUM)
    .div(mask.sum());
}

/** What the loss is a mean over: tokens that are no padding. */
function countOf({ mask }) {
  return mask.sum().dataSync()[0];
}
`,
  madeData: `function madeData(rows) {
  return tf.tidy(() => {
    const lengths = tf.randomUniformInt([rows, 1], 1, 13);
    return {
      xs: tf.randomNormal([rows, 12, 16]),
      ys: tf.oneHot(tf.randomUniformInt([rows, 12], 0, 4), 4).toFloat(),
      mask: tf.range(0, 12, 1, "int32").less(lengths).toFloat(),
    };
  });
}
`,
  countOption: `    // Microbatches hold different numbers of tokens: each weighs what it holds.
    count: countOf,
`,
  weight: `      // A mean over the part's tokens is \`countOf(part) / count\` of the mean over
      // all: weights by tokens, not by steps, and they sum to 1.
      const weight = countOf(part) / count;
      if (weight === 0) return; // nothing but padding
`,
};
