// A target batch other than the script's: the update is that of the unhooked fit with that batch size.
import type * as tfTypes from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Tf, TrainingCall, Update } from '../../../src/engine/contracts';
import { dense, figures, openTwice, rowsOf, type Outcome, type Twice } from './trainTwice';

let twice: Twice;
beforeAll(async () => {
  twice = await openTwice();
});

function expectEqual(actual: Outcome, expected: Outcome): void {
  expect(actual.error).toBeUndefined();
  expect(expected.error).toBeUndefined();
  actual.weights.forEach((array, index) =>
    array.forEach((value, at) => expect(value).toBeCloseTo(expected.weights[index]?.[at] ?? Number.NaN, 6)),
  );
  const [wanted, got] = [figures(expected.returned), figures(actual.returned)] as Record<string, number[]>[];
  expect(Object.keys(got ?? {})).toEqual(Object.keys(wanted ?? {}));
  for (const [name, values] of Object.entries(wanted ?? {})) {
    expect(got?.[name]).toHaveLength(values.length);
    values.forEach((value, epoch) => expect(got?.[name]?.[epoch], name).toBeCloseTo(value, 5));
  }
  expect(actual.tensorsLeft).toBe(expected.tensorsLeft);
}

const rows = Array.from({ length: 22 }, (_, row) => ({
  xs: [Math.sin(row), Math.cos(row), Math.sin(3 * row), 1],
  ys: [Math.sin(2 * row), Math.cos(5 * row)],
}));
type Data = tfTypes.data.Dataset<tfTypes.TensorContainer>;
const dataset = (batch: number, repeat = 1): Data =>
  twice.tf.data.array(rows).repeat(repeat).batch(batch) as unknown as Data;

describe('fit', () => {
  const fit = (batchSize: number) => (model: tfTypes.LayersModel) =>
    model.fit(rowsOf(twice.tf, 50, 4), rowsOf(twice.tf, 50, 2), {
      batchSize,
      epochs: 2,
      verbose: 0,
      validationSplit: 0.1,
    });
  for (const [script, target] of [
    [4, 20],
    [32, 7],
    [8, 1000],
  ] as const) {
    test(`script ${script}, target ${target}`, async () => {
      const calls: TrainingCall[] = [];
      const { expected, actual } = await twice.train(
        (tf) => dense(tf),
        fit(script),
        { targetBatchSize: target },
        { callStarted: (call) => void calls.push(call) },
        fit(target),
      );
      expectEqual(actual, expected);
      expect(calls[0]).toMatchObject({
        method: 'fit',
        scriptBatchSize: script,
        targetBatchSize: Math.min(target, 45),
        examples: 45,
        epochs: 2,
        updatesPerEpoch: Math.ceil(45 / target),
        hasValidation: true,
        passThrough: null,
      });
    });
  }
});

describe('fitDataset', () => {
  const fit =
    (batch: number, args: Partial<tfTypes.ModelFitDatasetArgs<tfTypes.TensorContainer>> = {}, repeat = 1) =>
    (model: tfTypes.LayersModel) =>
      model.fitDataset(dataset(batch, repeat), { epochs: 2, verbose: 0, ...args });

  for (const [script, target] of [
    [2, 8],
    [3, 8],
    [5, 5],
    [22, 6],
    [4, 100],
  ] as const) {
    test(`batches of ${script} become updates of ${target}, the last one smaller`, async () => {
      const updates: number[] = [];
      const validationData = dataset(7);
      const { expected, actual } = await twice.train(
        (tf) => dense(tf, { metrics: ['mae'] }),
        fit(script, { validationData }),
        { targetBatchSize: target, selfCheck: true },
        { updateEnded: (update: Update) => void updates.push(update.rows) },
        fit(target, { validationData }),
      );
      expectEqual(actual, expected);
      const last = 22 % target;
      const epoch = [
        ...Array.from({ length: Math.floor(22 / target) }, () => target),
        ...(last ? [last] : []),
      ];
      expect(updates).toEqual([...epoch, ...epoch]);
    });
  }

  test('batchesPerEpoch counts the script’s own batches: an epoch sees the same examples', async () => {
    // 5 batches of 4 are 20 rows, in updates of 8, 8 and 4; the second epoch goes on in the data.
    const updates: number[] = [];
    const reference = (model: tfTypes.LayersModel) => {
      const { tf } = twice;
      const stream = [...rows, ...rows];
      const batches = [0, 20].flatMap((from) =>
        [
          [0, 8],
          [8, 16],
          [16, 20],
        ].map(([start = 0, end = 0]) => stream.slice(from + start, from + end)),
      );
      const grouped = tf.data.generator(function* () {
        for (const batch of batches) {
          yield {
            xs: tf.tensor2d(batch.map(({ xs }) => xs)),
            ys: tf.tensor2d(batch.map(({ ys }) => ys)),
          };
        }
      }) as unknown as Data;
      return model.fitDataset(grouped, { epochs: 2, batchesPerEpoch: 3, verbose: 0 });
    };
    const { expected, actual } = await twice.train(
      (tf) => dense(tf),
      fit(4, { batchesPerEpoch: 5 }, 2),
      { targetBatchSize: 8 },
      { updateEnded: (update: Update) => void updates.push(update.rows) },
      reference,
    );
    expectEqual(actual, expected);
    expect(updates).toEqual([8, 8, 4, 8, 8, 4]);
  });

  test('dictionaries and arrays of tensors are grouped in the model’s order', async () => {
    const make = (tf: Tf): tfTypes.LayersModel => {
      const [left, right] = [tf.input({ shape: [2], name: 'left' }), tf.input({ shape: [2], name: 'right' })];
      const both = tf.layers.concatenate().apply([left, right]);
      const output = (name: string) =>
        tf.layers.dense({ units: 1, name }).apply(both) as tfTypes.SymbolicTensor;
      const model = tf.model({ inputs: [left, right], outputs: [output('up'), output('down')] });
      model.compile({ optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError' });
      return model;
    };
    const nested = (batch: number): Data =>
      twice.tf.data
        .array(
          rows.map(({ xs, ys }) => ({
            xs: { right: xs.slice(2), left: xs.slice(0, 2) },
            ys: { down: ys.slice(1), up: ys.slice(0, 1) },
          })),
        )
        .batch(batch) as unknown as Data;
    const train = (batch: number) => (model: tfTypes.LayersModel) =>
      model.fitDataset(nested(batch), { epochs: 1, verbose: 0 });
    const { expected, actual } = await twice.train(make, train(3), { targetBatchSize: 8 }, {}, train(8));
    expectEqual(actual, expected);
  });

  test('stopping in mid-epoch leaves no tensor of rows that were read ahead', async () => {
    const stopping = (batch: number) => (model: tfTypes.LayersModel) =>
      model.fitDataset(dataset(batch), {
        epochs: 3,
        verbose: 0,
        callbacks: {
          onBatchEnd: async () => {
            model.stopTraining = true;
            await Promise.resolve();
          },
        },
      });
    const { expected, actual } = await twice.train(
      (tf) => dense(tf),
      stopping(5),
      { targetBatchSize: 8 },
      {},
      stopping(8),
    );
    expectEqual(actual, expected);
  });

  test('class weights reach the grouped batch', async () => {
    const make = (tf: Tf): tfTypes.LayersModel => {
      const model = tf.sequential({
        layers: [tf.layers.dense({ units: 2, inputShape: [4], activation: 'softmax' })],
      });
      model.compile({ optimizer: tf.train.sgd(0.1), loss: 'categoricalCrossentropy' });
      return model;
    };
    const labelled = (batch: number): Data =>
      twice.tf.data
        .array(rows.map(({ xs }, row) => ({ xs, ys: row % 3 === 0 ? [1, 0] : [0, 1] })))
        .batch(batch) as unknown as Data;
    const train = (batch: number) => (model: tfTypes.LayersModel) =>
      model.fitDataset(labelled(batch), { epochs: 1, verbose: 0, classWeight: { 0: 4, 1: 0.5 } });
    const { expected, actual } = await twice.train(make, train(3), { targetBatchSize: 8 }, {}, train(8));
    expectEqual(actual, expected);
  });

  test('data that is no batch is refused by tfjs, in its own words', async () => {
    const broken = (model: tfTypes.LayersModel) =>
      model.fitDataset(twice.tf.data.array([{ xs: 1 }]) as unknown as Data, { epochs: 1, verbose: 0 });
    const { expected, actual } = await twice.train((tf) => dense(tf), broken, {
      targetBatchSize: 8,
      selfCheck: true,
    });
    expect(expected.error).toBeInstanceOf(Error);
    expect(String(actual.error)).toBe(String(expected.error));
  });
});

test('trainOnBatch keeps the batch that the script gives, and says so', async () => {
  const warnings: string[] = [];
  const train = (model: tfTypes.LayersModel) =>
    model.trainOnBatch(rowsOf(twice.tf, 9, 4), rowsOf(twice.tf, 9, 2));
  const { expected, actual } = await twice.train(
    (tf) => dense(tf),
    train,
    { targetBatchSize: 64 },
    { callStarted: (call) => void warnings.push(...call.warnings.map(({ message }) => message)) },
  );
  expectEqual(actual, expected);
  expect(warnings.join()).toMatch(/target batch size of 64 does not apply/);
});
