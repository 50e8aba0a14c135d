// Metrics that are one number for a batch are evaluated on the whole batch, in training and in validation.
import type * as tfTypes from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import type { Tf } from '../../../src/engine/contracts';
import { dense, figures, openTwice, rowsOf, type Twice } from './trainTwice';

let twice: Twice;
beforeAll(async () => {
  twice = await openTwice();
});

type History = Record<string, number[]>;

async function sameHistory(
  make: (tf: Tf) => tfTypes.LayersModel,
  y: (tf: Tf) => tfTypes.Tensor | tfTypes.Tensor[],
): Promise<History> {
  const logged: Record<string, number>[] = [];
  const { expected, actual } = await twice.train(
    make,
    (model) =>
      model.fit(rowsOf(twice.tf, 25, 4), y(twice.tf), {
        batchSize: 10,
        epochs: 2,
        verbose: 0,
        validationSplit: 0.2,
      }),
    {},
    { updateEnded: (_update, logs) => void logged.push(logs as Record<string, number>) },
  );
  expect(expected.error).toBeUndefined();
  expect(actual.error).toBeUndefined();
  const [wanted, got] = [figures(expected.returned) as History, figures(actual.returned) as History];
  expect(Object.keys(got)).toEqual(Object.keys(wanted));
  for (const [name, values] of Object.entries(wanted)) {
    values.forEach((value, epoch) => expect(got[name]?.[epoch], name).toBeCloseTo(value, 5));
  }
  expect(actual.tensorsLeft).toBe(expected.tensorsLeft);
  // What observers are told adds up to the History: two updates of 10 rows an epoch.
  const first = ((logged[0]?.['loss'] ?? 0) + (logged[1]?.['loss'] ?? 0)) / 2;
  expect(first).toBeCloseTo(wanted['loss']?.[0] ?? Number.NaN, 5);
  return wanted;
}

const labels = (tf: Tf): tfTypes.Tensor2D =>
  tf.tensor2d(Array.from({ length: 25 }, (_, row) => [(row * row) % 3 === 0 ? 1 : 0]));

test('precision and recall', async () => {
  const make = (tf: Tf): tfTypes.LayersModel => {
    const model = tf.sequential({
      layers: [
        tf.layers.dense({ units: 4, inputShape: [4] }),
        // A step function, so that predictions are exactly 0 or 1, as tfjs' precision wants.
        tf.layers.dense({
          units: 1,
          activation: 'hardSigmoid',
          kernelInitializer: tf.initializers.constant({ value: 60 }),
        }),
      ],
    });
    model.compile({
      optimizer: tf.train.sgd(0.001),
      loss: 'meanSquaredError',
      metrics: [tf.metrics.precision, tf.metrics.recall],
    });
    return model;
  };
  const history = await sameHistory(make, labels);
  // Neither all nor nothing, or any weighting would do.
  expect(history['precision']?.[0]).toBeGreaterThan(0);
  expect(history['precision']?.[0]).toBeLessThan(1);
});

test('r2Score and a metric of the script that is nonlinear in the batch', async () => {
  const rootMeanSquare = (truth: tfTypes.Tensor, prediction: tfTypes.Tensor): tfTypes.Tensor => {
    const { tf } = twice;
    return tf.sqrt(tf.mean(tf.squaredDifference(truth, prediction)));
  };
  const make = (tf: Tf) => dense(tf, { metrics: [tf.metrics.r2Score, rootMeanSquare, 'mae'] });
  const history = await sameHistory(make, (tf) => rowsOf(tf, 25, 2));
  expect(Object.keys(history)).toContain('rootMeanSquare');
});

test('batch-level metrics of each of two outputs', async () => {
  const make = (tf: Tf): tfTypes.LayersModel => {
    const input = tf.input({ shape: [4] });
    const output = (name: string, units: number) =>
      tf.layers.dense({ units, name }).apply(input) as tfTypes.SymbolicTensor;
    const model = tf.model({ inputs: input, outputs: [output('one', 1), output('two', 2)] });
    model.compile({ optimizer: tf.train.sgd(0.05), loss: 'meanSquaredError', metrics: [tf.metrics.r2Score] });
    return model;
  };
  await sameHistory(make, (tf) => [labels(tf), rowsOf(tf, 25, 2)]);
});

test('a mean loss of the script that averages itself', async () => {
  const make = (tf: Tf) =>
    dense(tf, {
      loss: (truth, prediction) => tf.losses.meanSquaredError(truth, prediction),
      metrics: ['mse'],
    });
  await sameHistory(make, (tf) => rowsOf(tf, 25, 2));
});
