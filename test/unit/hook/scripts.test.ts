// What scripts do around fit: several models, loops, recompiling, stopping, failing; all as without the hook.
import type * as tfTypes from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Tf, TrainingCall } from '../../../src/engine/contracts';
import { dense, figures, openTwice, rowsOf, type Outcome, type Twice } from './trainTwice';

let twice: Twice;
beforeAll(async () => {
  twice = await openTwice();
});

function expectClose(actual: Outcome, expected: Outcome): void {
  expect(String(actual.error)).toBe(String(expected.error));
  actual.weights.forEach((array, index) =>
    array.forEach((value, at) => expect(value).toBeCloseTo(expected.weights[index]?.[at] ?? Number.NaN, 5)),
  );
  expect(actual.tensorsLeft).toBe(expected.tensorsLeft);
}

const fit = (model: tfTypes.LayersModel, args: tfTypes.ModelFitArgs = {}) =>
  model.fit(rowsOf(twice.tf, 20, 4), rowsOf(twice.tf, 20, 2), { batchSize: 8, verbose: 0, ...args });

test('two models that train each other in turn keep a constant number of tensors', async () => {
  const { tf, hook } = twice;
  hook.settings = { microbatchSize: () => 3, targetBatchSize: null, selfCheck: true };
  hook.observer = {};
  const generator = tf.sequential({
    layers: [
      tf.layers.dense({ units: 6, inputShape: [3], activation: 'relu' }),
      tf.layers.batchNormalization(),
      tf.layers.dense({ units: 4 }),
    ],
  });
  const discriminator = tf.sequential({
    layers: [
      tf.layers.dense({ units: 5, inputShape: [4], activation: 'tanh' }),
      tf.layers.dropout({ rate: 0.3 }),
      tf.layers.dense({ units: 1, activation: 'sigmoid' }),
    ],
  });
  discriminator.compile({
    optimizer: tf.train.adam(0.01),
    loss: 'binaryCrossentropy',
    metrics: ['accuracy'],
  });
  discriminator.trainable = false;
  const input = tf.input({ shape: [3] });
  const combined = tf.model({
    inputs: input,
    outputs: discriminator.apply(generator.apply(input)) as tfTypes.SymbolicTensor,
  });
  combined.compile({ optimizer: tf.train.adam(0.01), loss: 'binaryCrossentropy' });
  const counts: number[] = [];
  await hook.hooked(async () => {
    for (let round = 0; round < 5; round += 1) {
      const [noise, real, truth] = [rowsOf(tf, 8, 3, round + 1), rowsOf(tf, 8, 4), tf.ones([8, 1])];
      const made = generator.predict(noise) as tfTypes.Tensor;
      const both = tf.concat([real, made]);
      const labels = tf.tidy(() => tf.concat([tf.ones([8, 1]), tf.zeros([8, 1])]));
      discriminator.trainable = true;
      await discriminator.trainOnBatch(both, labels);
      discriminator.trainable = false;
      await combined.trainOnBatch(noise, truth);
      tf.dispose([noise, real, truth, made, both, labels]);
      counts.push(tf.memory().numTensors);
    }
  });
  // The first round makes the slots of Adam; from then on, as scripts assert, nothing is added.
  expect(new Set(counts.slice(1)).size).toBe(1);
});

test('recompiling with other layers trainable between two fits', async () => {
  const make = (tf: Tf) => dense(tf, { optimizer: tf.train.adam(0.01) });
  const train = async (model: tfTypes.LayersModel) => {
    const first = model.layers[0];
    if (first === undefined) throw new Error('no layer');
    first.trainable = false;
    model.compile({ optimizer: twice.tf.train.adam(0.01), loss: 'meanSquaredError' });
    await fit(model, { epochs: 2 });
    first.trainable = true;
    model.compile({ optimizer: twice.tf.train.rmsprop(0.01), loss: 'meanAbsoluteError' });
    return fit(model, { epochs: 2 });
  };
  const { expected, actual } = await twice.train(make, train, { selfCheck: true });
  expectClose(actual, expected);
});

test('one fit for each epoch in the script’s own loop', async () => {
  const train = async (model: tfTypes.LayersModel) => {
    const losses: unknown[] = [];
    for (let epoch = 0; epoch < 4; epoch += 1) losses.push((await fit(model, { epochs: 1 })).history['loss']);
    return losses;
  };
  const { expected, actual } = await twice.train((tf) => dense(tf), train);
  expectClose(actual, expected);
});

test('a Sequential within a Sequential', async () => {
  const make = (tf: Tf): tfTypes.LayersModel => {
    const inner = tf.sequential({
      layers: [tf.layers.dense({ units: 5, inputShape: [4], activation: 'tanh' })],
    });
    const model = tf.sequential({ layers: [inner, tf.layers.dense({ units: 2 })] });
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    return model;
  };
  const names: string[] = [];
  const { expected, actual } = await twice.train(
    make,
    fit,
    {},
    { callStarted: (call) => void names.push(call.modelName) },
  );
  expectClose(actual, expected);
  expect(names).toEqual([actual.model.name]);
});

test('a second fit while one is going on is refused as tfjs refuses it', async () => {
  const train = async (model: tfTypes.LayersModel) => {
    const results = await Promise.allSettled([fit(model), fit(model)]);
    return results.map((result) => (result.status === 'rejected' ? String(result.reason) : 'trained'));
  };
  const { expected, actual } = await twice.train(
    (tf) => dense(tf),
    train,
    { selfCheck: true },
    { callStarted: () => Promise.resolve() },
  );
  expect(actual.returned).toEqual(expected.returned);
  expectClose(actual, expected);
});

test('two models may train at the same time', async () => {
  const { tf } = twice;
  const train = async (model: tfTypes.LayersModel) => {
    const other = dense(tf, { optimizer: tf.train.momentum(0.01, 0.5) });
    other.setWeights(model.getWeights());
    await Promise.all([fit(model, { epochs: 2, shuffle: false }), fit(other, { epochs: 2, shuffle: false })]);
    return other
      .getWeights()
      .map((weight) => Array.from(weight.dataSync(), (value) => Math.fround(Math.round(value * 1e4))));
  };
  const { expected, actual } = await twice.train((tf_) => dense(tf_), train);
  expectClose(actual, expected);
  expect(actual.returned).toEqual(expected.returned);
});

test('trainOnBatch and evaluate from within a callback of fit', async () => {
  const train = async (model: tfTypes.LayersModel) =>
    fit(model, {
      epochs: 2,
      callbacks: {
        onEpochEnd: async () => {
          const { tf } = twice;
          await model.trainOnBatch(rowsOf(tf, 7, 4), rowsOf(tf, 7, 2));
          tf.dispose(model.evaluate(rowsOf(tf, 11, 4), rowsOf(tf, 11, 2)));
        },
      },
    });
  const { expected, actual } = await twice.train((tf) => dense(tf), train);
  expectClose(actual, expected);
});

describe('what the script gets wrong is told by tfjs', () => {
  const wrong: Record<string, (model: tfTypes.LayersModel) => Promise<unknown>> = {
    'batch size 0': (model) => fit(model, { batchSize: 0 }),
    'too few targets': (model) => model.fit(rowsOf(twice.tf, 20, 4), rowsOf(twice.tf, 19, 2), { verbose: 0 }),
    'a wrong shape': (model) => model.fit(rowsOf(twice.tf, 20, 3), rowsOf(twice.tf, 20, 2), { verbose: 0 }),
    'no data': (model) => Reflect.apply(Reflect.get(model, 'fit') as () => Promise<unknown>, model, []),
    'no epochs in fitDataset': (model) => model.fitDataset(twice.tf.data.array([1]) as never, { epochs: 0 }),
    'a callback that throws': (model) =>
      fit(model, { callbacks: { onBatchEnd: () => Promise.reject(new Error('the callback throws')) } }),
  };
  for (const [name, train] of Object.entries(wrong)) {
    test(name, async () => {
      const settings = { selfCheck: true, targetBatchSize: 10 };
      const { expected, actual } = await twice.train((tf) => dense(tf, {}, 2), train, settings, {}, train);
      expect(expected.error).toBeInstanceOf(Error);
      expect(String(actual.error)).toBe(String(expected.error));
      expect(Reflect.get(actual.model, 'isTraining')).toBe(false);
    });
  }

  test('a model that was not compiled', async () => {
    const { tf, hook } = twice;
    const refusal = async (): Promise<string> => {
      const model = tf.sequential({ layers: [tf.layers.dense({ units: 2, inputShape: [4] })] });
      model.build();
      return fit(model).then(() => 'trained', String);
    };
    const expected = await hook.unhooked(refusal);
    expect(expected).toMatch(/compile/);
    expect(await hook.hooked(refusal)).toBe(expected);
  });
});

test('a step that throws leaves no accumulator behind, and the next fit trains', async () => {
  let fails = true;
  const make = (tf: Tf) =>
    dense(tf, {
      loss: (truth, prediction) => {
        // The unhooked batch of 8 fails at once, the second microbatch of 3 after the first is accumulated.
        if (fails && (prediction.shape[0] === 8 || microbatches > 0)) throw new Error('the loss throws');
        microbatches += 1;
        return tf.mean(tf.squaredDifference(truth, prediction), -1);
      },
    });
  let microbatches = 0;
  const train = async (model: tfTypes.LayersModel) => {
    fails = true;
    microbatches = 0;
    await expect(fit(model)).rejects.toThrow('the loss throws');
    fails = false;
    return fit(model);
  };
  const { expected, actual } = await twice.train(make, train);
  expectClose(actual, expected);
});

test('dropout with a seed drops what the full batch drops', async () => {
  const make = (tf: Tf): tfTypes.LayersModel => {
    const model = tf.sequential({
      layers: [
        tf.layers.dense({ units: 8, inputShape: [4], activation: 'tanh' }),
        tf.layers.dropout({ rate: 0.4, seed: 7 }),
        tf.layers.repeatVector({ n: 3 }),
        tf.layers.spatialDropout1d({ rate: 0.3, seed: 3 }),
        tf.layers.dropout({ rate: 0.2, seed: 5, noiseShape: [null, 1, 8] as unknown as number[] }),
        tf.layers.flatten(),
        tf.layers.dense({ units: 2 }),
      ],
    });
    model.compile({ optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError' });
    return model;
  };
  const warnings: string[] = [];
  const { expected, actual } = await twice.train(
    make,
    (model) => fit(model, { epochs: 3 }),
    { selfCheck: true },
    { callStarted: (call: TrainingCall) => void warnings.push(...call.warnings.map(({ code }) => code)) },
  );
  expectClose(actual, expected);
  expect(warnings).toEqual([]);
});

test('an equal History object comes back, with what scripts read from it', async () => {
  const { expected, actual } = await twice.train(
    (tf) => dense(tf),
    (model) => fit(model, { epochs: 3 }),
  );
  const [wanted, got] = [expected.returned, actual.returned] as tfTypes.History[];
  expect(got?.constructor).toBe(wanted?.constructor);
  expect(got?.epoch).toEqual(wanted?.epoch);
  expect(Object.keys(figures(got) as object)).toEqual(Object.keys(figures(wanted) as object));
});
