// Moving statistics after an accumulated update are those that the full batch would have left.
import type * as tfTypes from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Tf, TrainingCall } from '../../../src/engine/contracts';
import { openTwice, rowsOf, type Outcome, type Twice } from './trainTwice';

let twice: Twice;
beforeAll(async () => {
  twice = await openTwice();
});

/** Learning rate 0, so that later updates see the same weights and only moving statistics change. */
const normalized =
  (image: boolean) =>
  (tf: Tf): tfTypes.LayersModel => {
    const model = image
      ? tf.sequential({
          layers: [
            tf.layers.conv2d({ filters: 3, kernelSize: 2, inputShape: [4, 4, 2] }),
            tf.layers.batchNormalization({ momentum: 0.9 }),
            tf.layers.flatten(),
            tf.layers.dense({ units: 2 }),
          ],
        })
      : tf.sequential({
          layers: [
            tf.layers.dense({ units: 5, inputShape: [4] }),
            tf.layers.batchNormalization({ momentum: 0.7 }),
            tf.layers.dense({ units: 2 }),
          ],
        });
    model.compile({ optimizer: tf.train.sgd(0), loss: 'meanSquaredError' });
    return model;
  };

const fit = (image: boolean, epochs: number) => (model: tfTypes.LayersModel) => {
  const { tf } = twice;
  const x = image ? rowsOf(tf, 17, 32).reshape([17, 4, 4, 2]) : tf.add(tf.mul(rowsOf(tf, 17, 4), 50), 100);
  return model.fit(x, rowsOf(tf, 17, 2), { batchSize: 10, epochs, verbose: 0, shuffle: false });
};

function expectSameStatistics(actual: Outcome, expected: Outcome, tolerance: number): void {
  actual.weights.forEach((array, index) =>
    array.forEach((value, at) => {
      const wanted = expected.weights[index]?.[at] ?? Number.NaN;
      expect(Math.abs(value - wanted) / Math.max(1, Math.abs(wanted))).toBeLessThan(tolerance);
    }),
  );
}

describe('moving mean and variance of the first batch normalization', () => {
  test('of a dense network equal the full batch’s, with means far above the deviations', async () => {
    const { expected, actual } = await twice.train(normalized(false), fit(false, 3), {
      microbatchSize: () => 4,
    });
    expectSameStatistics(actual, expected, 1e-5);
    expect(actual.tensorsLeft).toBe(expected.tensorsLeft);
  });

  test('of a convolution equal the full batch’s', async () => {
    const { expected, actual } = await twice.train(normalized(true), fit(true, 2), {
      microbatchSize: () => 3,
    });
    expectSameStatistics(actual, expected, 1e-6);
  });

  test('are the same bits with one microbatch', async () => {
    const { expected, actual } = await twice.train(normalized(false), fit(false, 2), {
      microbatchSize: () => 10,
    });
    expect(actual.weights).toEqual(expected.weights);
  });

  test('of a layer used twice equal those of two writes', async () => {
    const shared = (tf: Tf): tfTypes.LayersModel => {
      const normalization = tf.layers.batchNormalization({ momentum: 0.6 });
      const [first, second] = [tf.input({ shape: [4] }), tf.input({ shape: [4] })];
      const sum = tf.layers
        .add()
        .apply([
          normalization.apply(first) as tfTypes.SymbolicTensor,
          normalization.apply(second) as tfTypes.SymbolicTensor,
        ]) as tfTypes.SymbolicTensor;
      const model = tf.model({ inputs: [first, second], outputs: sum });
      model.compile({ optimizer: tf.train.sgd(0), loss: 'meanSquaredError' });
      return model;
    };
    const train = (model: tfTypes.LayersModel) => {
      const { tf } = twice;
      const x = [rowsOf(tf, 10, 4), rowsOf(tf, 10, 4, 2.9)];
      return model.fit(x, rowsOf(tf, 10, 4), { batchSize: 10, epochs: 2, verbose: 0 });
    };
    const { expected, actual } = await twice.train(shared, train);
    expectSameStatistics(actual, expected, 1e-6);
  });
});

test('an update that is begun again counts once, and one that fails leaves the statistics alone', async () => {
  const again = await twice.train(
    normalized(false),
    fit(false, 1),
    {},
    {
      runUpdate: (update) => {
        update.runMicrobatch(0, 2);
        update.runMicrobatch(2, 3);
        update.restart();
        for (let row = 0; row < update.rows; row += 1) update.runMicrobatch(row, 1);
        update.apply();
      },
    },
  );
  expectSameStatistics(again.actual, again.expected, 1e-5);

  const failure = new Error('the second microbatch fails');
  const { actual } = await twice.train(
    normalized(false),
    fit(false, 1),
    {},
    {
      microbatchEnded: (_update, index) => {
        if (index === 1) throw failure;
      },
    },
  );
  expect(actual.error).toBe(failure);
  // Zeros and ones, as the layer was built.
  expect(actual.weights.slice(-2).map((array) => [...new Set(array)])).toEqual([[0], [1]]);
});

test('the layers are named in a warning', async () => {
  const warnings: { code: string; layers: string[] }[] = [];
  const observer = { callStarted: (call: TrainingCall) => void warnings.push(...call.warnings) };
  await twice.train(normalized(false), fit(false, 1), {}, observer);
  expect(warnings.map(({ code }) => code)).toEqual(['batchStatistics']);
  expect(warnings[0]?.layers[0]).toMatch(/batch_normalization/);
});
