// What an observer is told and may decide: updates run in its own way, calls skipped, places to wait.
import type * as tfTypes from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import type { TrainingCall, Update } from '../../../src/engine/contracts';
import { dense, figures, openTwice, rowsOf, type Twice } from './trainTwice';

let twice: Twice;
beforeAll(async () => {
  twice = await openTwice();
});

const fit =
  (args: tfTypes.ModelFitArgs = {}) =>
  (model: tfTypes.LayersModel) =>
    model.fit(rowsOf(twice.tf, 20, 4), rowsOf(twice.tf, 20, 2), {
      batchSize: 8,
      epochs: 2,
      verbose: 0,
      ...args,
    });
type Logs = Record<string, number>;

test('the order of events, with exact figures', async () => {
  const events: string[] = [];
  const epochs: Logs[] = [];
  const { expected, actual } = await twice.train(
    (tf) => dense(tf, { metrics: ['mae'] }),
    fit({
      validationSplit: 0.2,
      callbacks: {
        onBatchEnd: async (batch) => {
          events.push(`script batch ${batch}`);
          await Promise.resolve();
        },
        onEpochEnd: async (epoch) => {
          events.push(`script epoch ${epoch}`);
          await Promise.resolve();
        },
      },
    }),
    {},
    {
      callStarted: ({ index, method }) => void events.push(`call ${typeof index} ${method}`),
      microbatchEnded: (update, index, of) => void events.push(`microbatch ${update.index}:${index}/${of}`),
      updateEnded: (update, logs) => void events.push(`update ${update.index} ${Object.keys(logs).join()}`),
      updateSettled: async () => {
        await Promise.resolve();
        events.push('settled');
      },
      epochEnded: async (_call, epoch, logs) => {
        await Promise.resolve();
        epochs.push(logs);
        events.push(`epoch ${epoch}`);
      },
      callEnded: (_call, error) => void events.push(`ended ${String(error)}`),
    },
  );
  const update = (index: number, rows: number): string[] => [
    ...Array.from(
      { length: Math.ceil(rows / 3) },
      (_, one) => `microbatch ${index}:${one}/${Math.ceil(rows / 3)}`,
    ),
    `update ${index} loss,mae`,
    `script batch ${index % 2}`,
    'settled',
  ];
  expect(events).toContain('call number fit');
  // The first run is the unhooked one: the script's own callbacks only.
  expect(events.slice(6)).toEqual([
    'call number fit',
    ...update(0, 8),
    ...update(1, 8),
    'script epoch 0',
    'epoch 0',
    ...update(2, 8),
    ...update(3, 8),
    'script epoch 1',
    'epoch 1',
    'ended undefined',
  ]);
  const history = figures(actual.returned) as Record<string, number[]>;
  expect(epochs).toEqual(
    [0, 1].map((epoch) =>
      Object.fromEntries(Object.entries(history).map(([name, values]) => [name, values[epoch]])),
    ),
  );
  expect(actual.tensorsLeft).toBe(expected.tensorsLeft);
});

test('an error of an observer is thrown by fit, and the call ends', async () => {
  const failure = new Error('the observer fails');
  const fail = (): never => {
    throw failure;
  };
  const ended: unknown[] = [];
  const callEnded = (_call: TrainingCall, error: unknown): void => void ended.push(error);
  for (const member of [
    'callStarted',
    'runUpdate',
    'microbatchEnded',
    'updateEnded',
    'updateSettled',
    'epochEnded',
  ]) {
    const { actual } = await twice.train((tf) => dense(tf), fit(), {}, { [member]: fail, callEnded });
    expect(actual.error, member).toBe(failure);
    expect(ended.pop(), member).toBe(failure);
    expect(Reflect.get(actual.model, 'isTraining'), member).toBe(false);
  }
});

describe('an update in an observer’s hands', () => {
  const train = async (runUpdate: (update: Update) => void, check?: () => void) => {
    const { expected, actual } = await twice.train(
      (tf) => dense(tf, { metrics: ['mae'] }),
      fit(),
      {},
      { runUpdate },
    );
    check?.();
    return { expected, actual };
  };

  test('may be cut as it likes', async () => {
    const { expected, actual } = await train((update) => {
      update.runMicrobatch(0, 1);
      update.runMicrobatch(1, update.rows - 1);
      update.apply();
    });
    expect(actual.error).toBeUndefined();
    actual.weights.forEach((array, index) =>
      array.forEach((value, at) => expect(value).toBeCloseTo(expected.weights[index]?.[at] ?? Number.NaN, 6)),
    );
    expect(actual.tensorsLeft).toBe(expected.tensorsLeft);
  });

  test('may be validated, restarted and run again for timing without a trace in the tensors', async () => {
    const { expected, actual } = await train((update) => {
      update.runMicrobatch(0, 3);
      update.restart();
      update.validate(3);
      update.runMicrobatch(0, update.rows);
      update.apply();
      update.runMicrobatch(0, 2);
      update.runMicrobatch(2, 2);
      update.apply();
    });
    expect(actual.error).toBeUndefined();
    expect(actual.tensorsLeft).toBe(expected.tensorsLeft);
  });

  test('may be passed over with the figures that it had', async () => {
    const told: number[] = [];
    const logs: Logs[] = [];
    const skipping = await twice.train(
      (tf) => dense(tf, { metrics: ['mae'] }),
      fit({
        callbacks: {
          onBatchEnd: async (_batch, batchLogs) => {
            logs.push({ ...(batchLogs as Logs) });
            await Promise.resolve();
          },
        },
      }),
      {},
      {
        passOver: (update) => ({ loss: 0.25, mae: update.index }),
        updateEnded: (update) => void told.push(update.index),
      },
      async () => Promise.resolve(),
    );
    expect(skipping.actual.weights).toEqual(skipping.expected.weights);
    expect(logs.map(({ loss, mae }) => [loss, mae])).toEqual(
      [0, 1, 2, 3, 4, 5].map((index) => [0.25, index]),
    );
    expect(told).toEqual([]);
  });

  test('must be applied', async () => {
    const { actual } = await train((update) => update.runMicrobatch(0, 2));
    expect(String(actual.error)).toMatch(/not applied/);
  });

  test('has no rows beyond its batch', async () => {
    const { actual } = await train((update) => update.runMicrobatch(6, 3));
    expect(actual.error).toBeInstanceOf(RangeError);
  });
});

describe('a call that was done before', () => {
  const epochs = [
    { loss: 0.5, mae: 0.3, val_loss: 0.7, val_mae: 0.4 },
    { loss: 0.4, mae: 0.2, val_loss: 0.6, val_mae: 0.3 },
  ];
  const passOver = (): { loss: number; mae: number } => ({ loss: 0.5, mae: 0.25 });

  test('of fit computes nothing, its validation included, and gives the History that it had', async () => {
    const told: (number | undefined)[] = [];
    let evaluated = NaN;
    const { expected, actual } = await twice.train(
      (tf) => dense(tf, { metrics: ['mae'] }),
      fit({
        epochs: 2,
        validationSplit: 0.25,
        callbacks: {
          onEpochEnd: async (_epoch, logs) => {
            told.push(logs?.['val_loss']);
            await Promise.resolve();
          },
        },
      }),
      {},
      { passOver, earlierEpoch: (_call, epoch) => epochs[epoch] ?? null },
      async (model) => {
        const result = model.evaluate(rowsOf(twice.tf, 8, 4), rowsOf(twice.tf, 8, 2));
        evaluated = (Array.isArray(result) ? result[0] : result)?.dataSync()[0] ?? NaN;
        await Promise.resolve();
      },
    );
    expect(actual.weights).toEqual(expected.weights);
    // The script's own evaluation is real.
    expect(evaluated).toBeGreaterThan(0);
    const { history } = actual.returned as tfTypes.History;
    expect(history['loss']).toEqual([0.5, 0.5]);
    expect(history['val_loss']?.map((value) => Number(value).toFixed(4))).toEqual(['0.7000', '0.6000']);
    expect(history['val_mae']?.map((value) => Number(value).toFixed(4))).toEqual(['0.4000', '0.3000']);
    expect(told.map((value) => value?.toFixed(4))).toContain('0.7000');
  });

  test('of trainOnBatch gives the values that it had', async () => {
    const { actual } = await twice.train(
      (tf) => dense(tf, { metrics: ['mae'] }),
      (model) => model.trainOnBatch(rowsOf(twice.tf, 8, 4), rowsOf(twice.tf, 8, 2)),
      {},
      { passOver },
      async () => Promise.resolve(),
    );
    expect(actual.returned).toEqual([0.5, 0.25]);
  });
});

describe('the digest of a batch', () => {
  const digests = async (change: (values: number[]) => void): Promise<number[]> => {
    const seen: number[] = [];
    await twice.train(
      (tf) => dense(tf),
      (model) => {
        const values = Array.from({ length: 600 * 4 }, (_, i) => Math.sin(i));
        change(values);
        const x = twice.tf.tensor2d(values, [600, 4]);
        return model.fit(x, rowsOf(twice.tf, 600, 2), { batchSize: 600, epochs: 1, shuffle: false });
      },
      {},
      { updateEnded: (update) => void seen.push(update.digest() as number) },
      async () => Promise.resolve(),
    );
    return seen;
  };

  test('is the same for the same data, and another where a row is another or two are exchanged', async () => {
    const same = await digests(() => undefined);
    expect(same).toHaveLength(1);
    expect(await digests(() => undefined)).toEqual(same);
    const zeroed = await digests((values) => values.fill(0, 4 * 321, 4 * 322));
    expect(zeroed).not.toEqual(same);
    const exchanged = await digests((values) => {
      for (let i = 0; i < 4; i++) {
        const before = values[4 * 7 + i] ?? 0;
        values[4 * 7 + i] = values[4 * 500 + i] ?? 0;
        values[4 * 500 + i] = before;
      }
    });
    expect(exchanged).not.toEqual(same);
  });
});
