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
        runUpdate: (update) => update.skip?.({ loss: 0.25, mae: update.index }),
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

  test('must be applied or passed over', async () => {
    const { actual } = await train((update) => update.runMicrobatch(0, 2));
    expect(String(actual.error)).toMatch(/neither applied nor skipped/);
  });

  test('has no rows beyond its batch', async () => {
    const { actual } = await train((update) => update.runMicrobatch(6, 3));
    expect(actual.error).toBeInstanceOf(RangeError);
  });
});

describe('a call may be directed', () => {
  const epochs = [
    { loss: 0.5, mae: 0.3 },
    { loss: 0.4, mae: 0.2 },
  ];

  test('fit is passed over with its History', async () => {
    const untrained = async (): Promise<void> => Promise.resolve();
    const { expected, actual } = await twice.train(
      (tf) => dense(tf, { metrics: ['mae'] }),
      fit(),
      {},
      { directCall: () => ({ skip: { epochs } }) },
      untrained,
    );
    expect(actual.weights).toEqual(expected.weights);
    const history = actual.returned as tfTypes.History;
    expect(history.history).toEqual({ loss: [0.5, 0.4], mae: [0.3, 0.2] });
    expect(history.epoch).toEqual([0, 1]);
    expect(history).toBeInstanceOf(twice.backend.layers.History);
  });

  test('trainOnBatch is passed over with its last values', async () => {
    const { actual } = await twice.train(
      (tf) => dense(tf, { metrics: ['mae'] }),
      (model) => model.trainOnBatch(rowsOf(twice.tf, 8, 4), rowsOf(twice.tf, 8, 2)),
      {},
      { directCall: () => ({ skip: { epochs } }) },
      async () => Promise.resolve(),
    );
    expect(actual.returned).toEqual([0.4, 0.2]);
  });

  test('a later first epoch', async () => {
    const seen: number[] = [];
    const epochEnded = (_call: TrainingCall, epoch: number): void => void seen.push(epoch);
    await twice.train(
      (tf) => dense(tf),
      fit({ epochs: 4 }),
      {},
      { directCall: () => ({ initialEpoch: 2 }), epochEnded },
    );
    expect(seen).toEqual([2, 3]);
  });
});
