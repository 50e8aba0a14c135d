// Where microbatching would be wrong the script's own batches train, to the bit, and the reason is told.
import type * as tfTypes from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Tf, TrainingCall } from '../../../src/engine/contracts';
import type { PlanWarning } from '../../../src/protocol/warning';
import { dense, figures, openTwice, rowsOf, type Twice } from './trainTwice';

let twice: Twice;
beforeAll(async () => {
  twice = await openTwice();
});

async function passedThrough(
  make: (tf: Tf) => tfTypes.LayersModel,
  train: (model: tfTypes.LayersModel) => Promise<unknown>,
): Promise<string | null> {
  const calls: TrainingCall[] = [];
  const warnings: PlanWarning[] = [];
  let updates = 0;
  const { expected, actual } = await twice.train(
    make,
    train,
    { selfCheck: true, targetBatchSize: 12 },
    {
      callStarted: (call) => void calls.push(call),
      warned: (warning) => void warnings.push(warning),
      updateEnded: () => void (updates += 1),
      runUpdate: () => {
        throw new Error('an update of a pass-through call is not the observer’s to run');
      },
    },
  );
  expect(expected.error).toBeUndefined();
  expect(actual.error).toBeUndefined();
  expect(figures(actual.returned)).toEqual(figures(expected.returned));
  expect(actual.weights).toEqual(expected.weights);
  expect(actual.tensorsLeft).toBe(expected.tensorsLeft);
  expect(updates).toBeGreaterThan(0);
  const reason = calls[0]?.passThrough ?? null;
  expect(warnings.map(({ code }) => code)).toContain('passThrough');
  expect(warnings.find(({ code }) => code === 'passThrough')?.message).toContain(reason);
  return reason;
}

const fit =
  (x: (tf: Tf) => tfTypes.Tensor, y: (tf: Tf) => tfTypes.Tensor, args: tfTypes.ModelFitArgs = {}) =>
  async (model: tfTypes.LayersModel) =>
    model.fit(x(twice.tf), y(twice.tf), { batchSize: 6, epochs: 2, verbose: 0, ...args });

const fitDense = (args?: tfTypes.ModelFitArgs) =>
  fit(
    (tf) => rowsOf(tf, 12, 4),
    (tf) => rowsOf(tf, 12, 2),
    args,
  );

describe('a model that cannot be trained in microbatches passes through', () => {
  test('when it keeps recurrent state from batch to batch', async () => {
    const make = (tf: Tf) => {
      const model = tf.sequential({
        layers: [tf.layers.simpleRNN({ units: 2, stateful: true, batchInputShape: [6, 2, 2] })],
      });
      model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
      return model;
    };
    const data = (tf: Tf) => rowsOf(tf, 12, 4).reshape([12, 2, 2]);
    expect(
      await passedThrough(
        make,
        fit(data, (tf) => rowsOf(tf, 12, 2)),
      ),
    ).toMatch(/recurrent state/);
  });

  test('when its input fixes the batch size', async () => {
    const make = (tf: Tf) => {
      const model = tf.sequential({ layers: [tf.layers.dense({ units: 2, batchInputShape: [6, 4] })] });
      model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
      return model;
    };
    expect(await passedThrough(make, fitDense())).toBe("The model's input fixes the batch size at 6.");
  });

  test('when its optimizer minimizes in a way of its own', async () => {
    const make = (tf: Tf) => {
      const optimizer = tf.train.sgd(0.1);
      const stock = optimizer.minimize.bind(optimizer);
      optimizer.minimize = (...args: Parameters<typeof stock>) => stock(...args);
      return dense(tf, { optimizer });
    };
    expect(await passedThrough(make, fitDense())).toMatch(/minimize/);
  });

  test('when its outputs have losses of different rank', async () => {
    const make = (tf: Tf) => {
      const input = tf.input({ shape: [4] });
      const flat = tf.layers.dense({ units: 2, name: 'flat' }).apply(input) as tfTypes.SymbolicTensor;
      const repeated = tf.layers
        .repeatVector({ n: 6, name: 'repeated' })
        .apply(flat) as tfTypes.SymbolicTensor;
      const model = tf.model({ inputs: input, outputs: [flat, repeated] });
      model.compile({ optimizer: 'sgd', loss: ['meanSquaredError', 'meanSquaredError'] });
      return model;
    };
    // A batch of 6 rows and 6 steps: tfjs broadcasts without an error.
    const train = async (model: tfTypes.LayersModel) => {
      const { tf } = twice;
      const y = [rowsOf(tf, 12, 2), rowsOf(tf, 12, 12).reshape([12, 6, 2])];
      return model.fit(rowsOf(tf, 12, 4), y, { batchSize: 6, verbose: 0 });
    };
    expect(await passedThrough(make, train)).toMatch(/different rank/);
  });

  test('when class weights meet a loss that is one number for the batch', async () => {
    const make = (tf: Tf) =>
      dense(tf, { loss: (truth, prediction) => tf.losses.meanSquaredError(truth, prediction) });
    const classes = (tf: Tf) =>
      tf.oneHot(tf.tensor1d([0, 1, 1, 0, 1, 0, 1, 1, 0, 0, 1, 1], 'int32'), 2).toFloat();
    const train = fit((tf) => rowsOf(tf, 12, 4), classes, { classWeight: { 0: 1, 1: 3 } });
    expect(await passedThrough(make, train)).toMatch(/weighted by class/);
  });

  test('when its loss is not a mean over examples: the self-check tells by how much', async () => {
    const make = (tf: Tf) =>
      dense(tf, { loss: (truth, prediction) => tf.sqrt(tf.losses.meanSquaredError(truth, prediction)) });
    expect(await passedThrough(make, fitDense())).toMatch(/not a mean over examples.* by [\d.]+ %/);
  });

  test('when its step is its own', async () => {
    const make = (tf: Tf) => {
      const model = dense(tf);
      const inner = Reflect.get(model, 'model') as { makeTrainFunction(): unknown };
      const stock = inner.makeTrainFunction;
      inner.makeTrainFunction = function () {
        return stock.call(this);
      };
      return model;
    };
    const calls: TrainingCall[] = [];
    const { expected, actual } = await twice.train(
      make,
      fitDense(),
      {},
      { callStarted: (c) => void calls.push(c) },
    );
    expect(actual.weights).toEqual(expected.weights);
    expect(calls[0]?.passThrough).toMatch(/step of its own/);
  });

  test('in fitDataset too, where the first batch shows it', async () => {
    const make = (tf: Tf) =>
      dense(tf, { loss: (truth, prediction) => tf.sqrt(tf.losses.meanSquaredError(truth, prediction)) });
    const calls: TrainingCall[] = [];
    const train = async (model: tfTypes.LayersModel) => {
      const rows = Array.from({ length: 14 }, (_, row) => ({
        xs: [Math.sin(row), Math.cos(row), Math.sin(3 * row), 1],
        ys: [Math.sin(2 * row), Math.cos(5 * row)],
      }));
      const data = twice.tf.data
        .array(rows)
        .batch(4) as unknown as tfTypes.data.Dataset<tfTypes.TensorContainer>;
      return model.fitDataset(data, { epochs: 2, verbose: 0 });
    };
    const { expected, actual } = await twice.train(
      make,
      train,
      { selfCheck: true, targetBatchSize: 8 },
      { callStarted: (call) => void calls.push(call) },
    );
    expect(actual.error).toBeUndefined();
    expect(actual.weights).toEqual(expected.weights);
    expect(actual.tensorsLeft).toBe(expected.tensorsLeft);
    expect(calls[0]?.passThrough).toMatch(/not a mean over examples/);
    expect(calls[0]?.targetBatchSize).toBe(4);
  });
});

test('an optimizer that only applies gradients in its own way is accumulated', async () => {
  const make = (tf: Tf) => {
    const optimizer = tf.train.sgd(0.1);
    const stock = optimizer.applyGradients.bind(optimizer);
    // Clipping by value, as scripts do: it must see the whole update's gradient.
    optimizer.applyGradients = (gradients) =>
      stock(
        (gradients as { name: string; tensor: tfTypes.Tensor }[]).map(({ name, tensor }) => ({
          name,
          tensor: tensor.clipByValue(-0.05, 0.05),
        })),
      );
    return dense(tf, { optimizer });
  };
  const { expected, actual } = await twice.train(make, fitDense());
  actual.weights.forEach((array, index) =>
    array.forEach((value, at) => expect(value).toBeCloseTo(expected.weights[index]?.[at] ?? Number.NaN, 6)),
  );
});
