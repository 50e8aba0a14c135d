// The ways of training whose accumulated update must equal the full batch's: small models, at least 20 updates each.
import type { Tf } from '../../src/engine/contracts';
import type * as tfTypes from '@tensorflow/tfjs';

/** A way of training: the model without optimizer, and the calls that the script makes. */
export interface Scenario {
  readonly name: string;
  readonly microbatch: number;
  /** `hidden`: with a hidden layer; without it where each kernel is slow (WebGPU on SwiftShader). */
  model(tf: Tf, hidden: boolean): tfTypes.LayersModel;
  readonly loss: string | string[];
  readonly metrics?: string[];
  train(tf: Tf, model: tfTypes.LayersModel, callbacks: tfTypes.CustomCallbackArgs): Promise<unknown>;
}

/** Odd, so that two microbatches are unequal. */
const batchSize = 9;
const features = 6;

/** Numbers that are the same in every run and never near zero gradients: sines of different pace. */
function numbers(count: number, pace: number): Float32Array {
  return Float32Array.from(
    { length: count },
    (_, index) => Math.sin(pace * (index + 1)) + 0.3 * Math.cos(index),
  );
}

function inputs(tf: Tf, rows: number, pace = 1.7): tfTypes.Tensor2D {
  return tf.tensor2d(numbers(rows * features, pace), [rows, features]);
}

function outputs(tf: Tf, rows: number, pace = 0.9): tfTypes.Tensor2D {
  return tf.tensor2d(numbers(rows * 2, pace), [rows, 2]);
}

function classes(tf: Tf, rows: number): tfTypes.Tensor2D {
  const values = Float32Array.from({ length: rows * 3 }, (_, index) =>
    index % 3 === (Math.floor(index / 3) * 7) % 3 ? 1 : 0,
  );
  return tf.tensor2d(values, [rows, 3]);
}

function perceptron(
  tf: Tf,
  hidden: boolean,
  units = 2,
  regularizer?: () => ReturnType<Tf['regularizers']['l1l2']>,
) {
  const penalty =
    regularizer === undefined ? {} : { kernelRegularizer: regularizer(), biasRegularizer: regularizer() };
  const activation = units === 3 ? ({ activation: 'softmax' } as const) : {};
  const input = { inputShape: [features] };
  return tf.sequential({
    layers: hidden
      ? [
          tf.layers.dense({ units: 5, activation: 'tanh', ...input, ...penalty }),
          tf.layers.dense({ units, ...activation, ...penalty }),
        ]
      : [tf.layers.dense({ units, ...activation, ...input, ...penalty })],
  });
}

async function fitAndDispose(
  model: tfTypes.LayersModel,
  x: tfTypes.Tensor | tfTypes.Tensor[],
  y: tfTypes.Tensor | tfTypes.Tensor[],
  args: tfTypes.ModelFitArgs,
): Promise<unknown> {
  try {
    return (await model.fit(x, y, { batchSize, verbose: 0, ...args })).history;
  } finally {
    for (const tensor of [x, y].flat()) tensor.dispose();
  }
}

export const scenarios: readonly Scenario[] = [
  {
    name: 'equal microbatches',
    microbatch: 3,
    model: (tf, hidden) => perceptron(tf, hidden),
    loss: 'meanSquaredError',
    metrics: ['mae'],
    train: (tf, model, callbacks) =>
      fitAndDispose(model, inputs(tf, 45), outputs(tf, 45), { epochs: 4, callbacks }),
  },
  {
    name: 'unequal microbatches',
    microbatch: 5,
    model: (tf, hidden) => perceptron(tf, hidden),
    loss: 'meanSquaredError',
    metrics: ['mae'],
    train: (tf, model, callbacks) =>
      fitAndDispose(model, inputs(tf, 45), outputs(tf, 45), { epochs: 4, callbacks }),
  },
  {
    name: 'last smaller batch',
    microbatch: 5,
    model: (tf, hidden) => perceptron(tf, hidden),
    loss: 'meanSquaredError',
    train: (tf, model, callbacks) =>
      fitAndDispose(model, inputs(tf, 42), outputs(tf, 42), { epochs: 4, callbacks }),
  },
  {
    name: 'class weights',
    microbatch: 5,
    model: (tf, hidden) => perceptron(tf, hidden, 3),
    loss: 'categoricalCrossentropy',
    metrics: ['accuracy'],
    train: (tf, model, callbacks) =>
      fitAndDispose(model, inputs(tf, 45), classes(tf, 45), {
        epochs: 4,
        callbacks,
        classWeight: { 0: 0.3, 1: 2, 2: 1.1 },
      }),
  },
  {
    name: 'L1 and L2 penalties',
    microbatch: 5,
    model: (tf, hidden) => perceptron(tf, hidden, 2, () => tf.regularizers.l1l2({ l1: 0.01, l2: 0.02 })),
    loss: 'meanSquaredError',
    train: (tf, model, callbacks) =>
      fitAndDispose(model, inputs(tf, 45), outputs(tf, 45), { epochs: 4, callbacks }),
  },
  {
    name: 'two inputs',
    microbatch: 5,
    model: (tf, hidden) => {
      const first = tf.input({ shape: [features] });
      const second = tf.input({ shape: [features] });
      const dense = (input: tfTypes.SymbolicTensor) =>
        tf.layers.dense({ units: 3, activation: 'tanh' }).apply(input) as tfTypes.SymbolicTensor;
      const parts = hidden ? [dense(first), dense(second)] : [first, second];
      const both = tf.layers.concatenate().apply(parts);
      const output = tf.layers.dense({ units: 2 }).apply(both) as tfTypes.SymbolicTensor;
      return tf.model({ inputs: [first, second], outputs: output });
    },
    loss: 'meanSquaredError',
    train: (tf, model, callbacks) =>
      fitAndDispose(model, [inputs(tf, 45), inputs(tf, 45, 2.3)], outputs(tf, 45), { epochs: 4, callbacks }),
  },
  {
    name: 'two outputs',
    microbatch: 5,
    model: (tf, isDeep) => {
      const input = tf.input({ shape: [features] });
      const hidden = isDeep ? tf.layers.dense({ units: 5, activation: 'tanh' }).apply(input) : input;
      const values = tf.layers.dense({ units: 2, name: 'values' }).apply(hidden) as tfTypes.SymbolicTensor;
      const labels = tf.layers
        .dense({ units: 3, activation: 'softmax', name: 'labels' })
        .apply(hidden) as tfTypes.SymbolicTensor;
      return tf.model({ inputs: input, outputs: [values, labels] });
    },
    loss: ['meanSquaredError', 'categoricalCrossentropy'],
    metrics: ['mae'],
    train: (tf, model, callbacks) =>
      fitAndDispose(model, inputs(tf, 45), [outputs(tf, 45), classes(tf, 45)], {
        epochs: 4,
        callbacks,
        validationSplit: 0.1,
      }),
  },
  {
    name: 'validation split',
    microbatch: 5,
    model: (tf, hidden) => perceptron(tf, hidden),
    loss: 'meanSquaredError',
    metrics: ['mae'],
    train: (tf, model, callbacks) =>
      fitAndDispose(model, inputs(tf, 50), outputs(tf, 50), { epochs: 4, callbacks, validationSplit: 0.1 }),
  },
  {
    name: 'fitDataset',
    microbatch: 5,
    model: (tf, hidden) => perceptron(tf, hidden),
    loss: 'meanSquaredError',
    metrics: ['mae'],
    train: async (tf, model, callbacks) => {
      const [x, y] = [inputs(tf, 42), outputs(tf, 42)];
      const rows = tf.data.zip({
        xs: tf.data.array(x.arraySync()),
        ys: tf.data.array(y.arraySync()),
      }) as tfTypes.data.Dataset<{ xs: tfTypes.Tensor; ys: tfTypes.Tensor }>;
      tf.dispose([x, y]);
      const args = { epochs: 4, verbose: 0, callbacks, validationData: rows.take(7).batch(7) } as const;
      return (await model.fitDataset(rows.shuffle(16, 'seed').batch(batchSize), args)).history;
    },
  },
  {
    name: 'trainOnBatch',
    microbatch: 5,
    model: (tf, hidden) => perceptron(tf, hidden),
    loss: 'meanSquaredError',
    metrics: ['mae'],
    train: async (tf, model) => {
      const values: unknown[] = [];
      for (let update = 0; update < 20; update += 1) {
        const [x, y] = [inputs(tf, batchSize, 1 + update / 10), outputs(tf, batchSize, 0.5 + update / 10)];
        values.push(await model.trainOnBatch(x, y));
        tf.dispose([x, y]);
      }
      return values;
    },
  },
  {
    name: 'early stopping',
    microbatch: 5,
    model: (tf, hidden) => perceptron(tf, hidden),
    loss: 'meanSquaredError',
    train: async (tf, model, callbacks) => {
      // Stops by itself: no epoch improves the loss by as much as is asked for.
      const stop = tf.callbacks.earlyStopping({ monitor: 'val_loss', patience: 4, minDelta: 100 });
      const [x, y] = [inputs(tf, 50), outputs(tf, 50)];
      const recorder = new tf.CustomCallback(callbacks);
      const args = { epochs: 30, batchSize, verbose: 0, validationSplit: 0.1, callbacks: [stop, recorder] };
      const { history } = await model.fit(x, y, args);
      tf.dispose([x, y]);
      return history;
    },
  },
];

/**
 * The seven stock optimizers, with rates at which 20 updates change these models plainly and none diverges: with
 * Adadelta at 1, weights that begin one rounding apart end 100 apart in some of these trainings, hook or no hook.
 */
export const optimizers: Readonly<Record<string, (tf: Tf) => tfTypes.Optimizer>> = {
  sgd: (tf) => tf.train.sgd(0.1),
  momentum: (tf) => tf.train.momentum(0.05, 0.9),
  adagrad: (tf) => tf.train.adagrad(0.1),
  adadelta: (tf) => tf.train.adadelta(0.2),
  adam: (tf) => tf.train.adam(0.01),
  adamax: (tf) => tf.train.adamax(0.01),
  rmsprop: (tf) => tf.train.rmsprop(0.01),
};
