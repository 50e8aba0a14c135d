// The self-check judges the loss and nothing else, and leaves no trace.
import type * as tfTypes from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import type { FitObserver, Tf } from '../../../src/engine/contracts';
import { dense, openTwice, rowsOf, type Twice } from './trainTwice';

let twice: Twice;
beforeAll(async () => {
  twice = await openTwice();
});

type Figure = Parameters<NonNullable<FitObserver['selfChecked']>>[1];

async function check(
  make: (tf: Tf) => tfTypes.LayersModel,
  y: (tf: Tf) => tfTypes.Tensor = (tf) => rowsOf(tf, 12, 2),
  x: (tf: Tf) => tfTypes.Tensor = (tf) => rowsOf(tf, 12, 4),
): Promise<{ figures: Figure[]; notes: string[]; passThrough: string | null; error: unknown }> {
  const figures: Figure[] = [];
  const notes: string[] = [];
  let passThrough: string | null = null;
  const { actual } = await twice.train(
    make,
    (model) => model.fit(x(twice.tf), y(twice.tf), { batchSize: 12, verbose: 0 }),
    { selfCheck: true, microbatchSize: () => 5 },
    {
      selfChecked: (_call, figure) => void figures.push(figure),
      warned: ({ code, message }) => void (code === 'note' && notes.push(message)),
      callEnded: (call) => void (passThrough = call.passThrough),
    },
  );
  return { figures, notes, passThrough, error: actual.error };
}

describe('losses that are means over examples pass', () => {
  const losses = [
    'meanSquaredError',
    'meanAbsoluteError',
    'meanAbsolutePercentageError',
    'meanSquaredLogarithmicError',
    'squaredHinge',
    'hinge',
    'categoricalHinge',
    'logcosh',
    'poisson',
    'cosineProximity',
  ];
  for (const loss of losses) {
    test(loss, async () => {
      const { figures, passThrough } = await check((tf) => dense(tf, { loss }));
      expect(figures).toHaveLength(1);
      expect(figures[0]?.rows).toBe(8);
      expect(figures[0]?.passed).toBe(true);
      expect(figures[0]?.relativeDifference).toBeLessThan(1e-5);
      expect(passThrough).toBeNull();
    });
  }

  test('sparse classes', async () => {
    const make = (tf: Tf) => {
      const model = tf.sequential({
        layers: [tf.layers.dense({ units: 3, inputShape: [4], activation: 'softmax' })],
      });
      model.compile({ optimizer: 'sgd', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
      return model;
    };
    const { figures } = await check(make, (tf) =>
      tf.tensor2d(Array.from({ length: 12 }, (_, row) => [row % 3])),
    );
    expect(figures[0]?.passed).toBe(true);
  });
});

test('a loss that is nonlinear in the batch fails, with its figure', async () => {
  const { figures, passThrough } = await check((tf) =>
    dense(tf, { loss: (truth, prediction) => tf.sqrt(tf.losses.meanSquaredError(truth, prediction)) }),
  );
  expect(figures[0]?.passed).toBe(false);
  expect(figures[0]?.relativeDifference).toBeGreaterThan(1e-3);
  expect(passThrough).toContain('8 rows');
});

test('a layer of the script that mixes rows fails', async () => {
  const make = (tf: Tf) => {
    class CentreBatch extends tf.layers.Layer {
      static readonly className = 'CentreBatch';
      override call(inputs: tfTypes.Tensor | tfTypes.Tensor[]): tfTypes.Tensor {
        const input = Array.isArray(inputs) ? inputs[0] : inputs;
        if (input === undefined) throw new Error('no input');
        return tf.tidy(() => tf.sub(input, tf.mean(input, 0, true)));
      }
    }
    const model = tf.sequential({
      layers: [
        tf.layers.dense({ units: 3, inputShape: [4] }),
        new CentreBatch({}),
        tf.layers.dense({ units: 2 }),
      ],
    });
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    return model;
  };
  const { figures } = await check(make);
  expect(figures[0]?.passed).toBe(false);
});

test('a layer of the script that draws random numbers is not judged, and says so', async () => {
  const make = (tf: Tf) => {
    class Sample extends tf.layers.Layer {
      static readonly className = 'Sample';
      override call(inputs: tfTypes.Tensor | tfTypes.Tensor[]): tfTypes.Tensor {
        const input = Array.isArray(inputs) ? inputs[0] : inputs;
        if (input === undefined) throw new Error('no input');
        return tf.tidy(() => tf.mul(input, tf.randomNormal(input.shape)));
      }
    }
    const model = tf.sequential({
      layers: [tf.layers.dense({ units: 3, inputShape: [4] }), new Sample({}), tf.layers.dense({ units: 2 })],
    });
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    return model;
  };
  const { figures, notes, passThrough } = await check(make);
  expect(figures).toHaveLength(0);
  expect(passThrough).toBeNull();
  expect(notes.join()).toMatch(/random layer of its own/);
});

test('gradients that are all zero agree', async () => {
  const { figures } = await check((tf) =>
    dense(tf, { loss: (_truth, prediction) => tf.mean(tf.mul(prediction, 0), -1) }),
  );
  expect(figures[0]).toEqual({ rows: 8, relativeDifference: 0, passed: true });
});

test('gradients that are not finite are not judged, and training goes on', async () => {
  const { figures, notes, error } = await check(
    (tf) => dense(tf, {}, 9),
    (tf) => rowsOf(tf, 12, 9),
    (tf) => tf.mul(rowsOf(tf, 12, 4), Number.NaN),
  );
  expect(error).toBeUndefined();
  expect(figures).toHaveLength(0);
  expect(notes.join()).toMatch(/not finite/);
});

test('dropout, noise and batch normalization are not held against the loss, and nothing changes', async () => {
  const { tf, hook } = twice;
  const make = (): tfTypes.LayersModel => {
    const model = tf.sequential({
      layers: [
        tf.layers.dense({ units: 5, inputShape: [4] }),
        tf.layers.batchNormalization(),
        tf.layers.dropout({ rate: 0.5 }),
        tf.layers.gaussianNoise({ stddev: 1 }),
        tf.layers.repeatVector({ n: 3 }),
        tf.layers.lstm({ units: 2, dropout: 0.5, recurrentDropout: 0.3 }),
      ],
    });
    model.compile({ optimizer: tf.train.adam(0.01), loss: 'meanSquaredError' });
    return model;
  };
  const model = make();
  const [x, y] = [rowsOf(tf, 12, 4), rowsOf(tf, 12, 2)];
  const before = model.getWeights().map((weight) => Array.from(weight.dataSync()));
  const figures: Figure[] = [];
  let tensors = 0;
  let draws = 0;
  const own = Math.random;
  Math.random = () => {
    draws += 1;
    return own();
  };
  // The call is ended before it trains: what is left is what the check did.
  const stop = new Error('stopped before training');
  hook.settings = { microbatchSize: () => 4, targetBatchSize: null, selfCheck: true };
  hook.observer = {
    selfChecked: (_call, figure) => void figures.push(figure),
    callStarted: () => {
      throw stop;
    },
  };
  try {
    tensors = tf.memory().numTensors;
    await expect(hook.hooked(() => model.fit(x, y, { batchSize: 12, verbose: 0 }))).rejects.toBe(stop);
    tensors -= tf.memory().numTensors;
  } finally {
    Math.random = own;
  }
  expect(figures[0]?.passed).toBe(true);
  expect(model.getWeights().map((weight) => Array.from(weight.dataSync()))).toEqual(before);
  expect(tensors).toBe(0);
  expect(draws).toBe(0);
  expect(Reflect.get(model.optimizer, 'accumulatedFirstMoment')).toHaveLength(0);
});

test('each model is checked once, an equal one not again, another loss anew', async () => {
  const { tf, hook } = twice;
  let checks = 0;
  hook.settings = { microbatchSize: () => 4, targetBatchSize: null, selfCheck: true };
  hook.observer = { selfChecked: () => void (checks += 1) };
  const train = async (model: tfTypes.LayersModel) =>
    hook.hooked(() => model.fit(rowsOf(tf, 8, 4), rowsOf(tf, 8, 7), { verbose: 0 }));
  await train(dense(tf, {}, 7));
  await train(dense(tf, {}, 7));
  expect(checks).toBe(1);
  await train(dense(tf, { loss: 'meanAbsoluteError' }, 7));
  expect(checks).toBe(2);
});

test('no more rows are used than the settings allow, and fewer than two mean no check', async () => {
  const { tf, hook } = twice;
  const rows: number[] = [];
  hook.observer = { selfChecked: (_call, figure) => void rows.push(figure.rows) };
  for (const selfCheckRows of [1, 2, 5]) {
    hook.settings = { microbatchSize: () => 4, targetBatchSize: null, selfCheck: true, selfCheckRows };
    const model = dense(tf, {}, 10 + selfCheckRows);
    await hook.hooked(() => model.fit(rowsOf(tf, 8, 4), rowsOf(tf, 8, 10 + selfCheckRows), { verbose: 0 }));
  }
  expect(rows).toEqual([2, 5]);
});
