// An update that runs out of memory on its way is undone whole, and done again in smaller parts.
import type * as tfTypes from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Update } from '../../../src/engine/contracts';
import { RandomSource } from '../../../src/engine/train/randomSource';
import type { NewRunEvent } from '../../../src/engine/train/runReport';
import { DoesNotFitError, UpdateLostError, UpdateRunner } from '../../../src/engine/train/updateRunner';
import { openTwice, rowsOf, type Twice } from '../hook/trainTwice';

let twice: Twice;
beforeAll(async () => {
  twice = await openTwice();
});

/** As TensorFlow words it. */
const outOfMemory = (): Error =>
  new Error('Invalid TF_Status: 8\nMessage: OOM when allocating tensor with shape[12,8]\nthe whole state');

/** Everything that an update could leave in between: moving statistics, slots, masks of dropout, metrics. */
function model(tf: Twice['tf'], loss: tfTypes.ModelCompileArgs['loss']): tfTypes.LayersModel {
  const made = tf.sequential({
    layers: [
      tf.layers.batchNormalization({ inputShape: [4] }),
      tf.layers.dense({ units: 6, activation: 'tanh' }),
      tf.layers.dropout({ rate: 0.4 }),
      tf.layers.dense({ units: 2 }),
    ],
  });
  made.compile({ optimizer: tf.train.adam(0.02), loss, metrics: ['mae'] });
  return made;
}

/** The mean squared error of each example; `before` runs at each microbatch. */
function lossThat(before: () => void): (truth: tfTypes.Tensor, prediction: tfTypes.Tensor) => tfTypes.Tensor {
  return (truth, prediction) => {
    const squares = twice.tf.square(twice.tf.sub(truth, prediction));
    before();
    return twice.tf.mean(squares, -1);
  };
}

const train = (trained: tfTypes.LayersModel): Promise<unknown> => {
  const { tf } = twice;
  trained.setWeights(
    trained.getWeights().map((weight, layer) => {
      const values = Float32Array.from({ length: weight.size }, (_, i) => 0.6 + 0.4 * Math.sin(i + layer));
      return tf.tensor(values, weight.shape);
    }),
  );
  return trained.fit(rowsOf(tf, 48, 4), rowsOf(tf, 48, 2), {
    batchSize: 24,
    epochs: 4,
    shuffle: false,
    verbose: 0,
  });
};

interface Trained {
  readonly weights: readonly Float32Array[];
  readonly events: readonly NewRunEvent[];
  readonly tensorsLeft: number;
  readonly error: unknown;
}

/**
 * Trains eight updates of 24 examples.
 * @param sizes the microbatch size of each update, the last one for all that follow
 * @param atMicrobatch runs in the forward pass of each microbatch; may throw
 */
async function run(sizes: readonly number[], atMicrobatch: (update: number) => void): Promise<Trained> {
  const events: NewRunEvent[] = [];
  const random = new RandomSource(5);
  let runner: UpdateRunner | null = null;
  let current = 0;
  const runUpdate = (update: Update): void => {
    current = update.index;
    const size = sizes[current];
    if (size !== undefined || runner === null) {
      runner = new UpdateRunner(
        { microbatchSize: size ?? 1, firstMicrobatchSize: size ?? 1, mayGrow: false },
        random,
        () => twice.backend.core,
        { progress: () => undefined, event: (event) => void events.push(event) },
      );
    }
    const outside = Math.random;
    random.install();
    try {
      runner.run(update, { call: 0, epoch: Math.floor(current / 2), update: current });
    } finally {
      Math.random = outside;
    }
  };
  const { actual } = await twice.train(
    (tf) =>
      model(
        tf,
        lossThat(() => atMicrobatch(current)),
      ),
    train,
    {},
    { runUpdate },
    async () => Promise.resolve(),
  );
  return { ...actual, events };
}

/** Throws once: at the n-th microbatch of an update. */
function failsOnce(at: { update: number; microbatch: number }): (update: number) => void {
  let microbatch = 0;
  let failed = false;
  return (update) => {
    if (failed || update !== at.update) return;
    if (microbatch++ < at.microbatch) return;
    failed = true;
    throw outOfMemory();
  };
}

describe.each([0, 1])('memory that runs out in microbatch %i of the fourth update', (microbatch) => {
  test('leaves nothing behind: the very bits of a training that had the smaller size from there', async () => {
    const expected = await run([12, 12, 12, 6], () => undefined);
    const actual = await run([12], failsOnce({ update: 3, microbatch }));
    expect(actual.error).toBeUndefined();
    expect(actual.weights).toEqual(expected.weights);
    expect(actual.tensorsLeft).toBe(expected.tensorsLeft);
    expect(actual.events).toEqual([
      {
        type: 'outOfMemory',
        call: 0,
        epoch: 1,
        update: 3,
        microbatch: 12,
        message: 'OOM when allocating tensor with shape[12,8]',
      },
      {
        type: 'microbatchReduced',
        call: 0,
        epoch: 1,
        update: 3,
        from: 12,
        to: 6,
        reason: 'memory ran out.',
      },
    ]);
  });

  test('would show, were the statistics or the masks not undone', async () => {
    // The control: the comparison above tells a training with another schedule from it.
    const [one, other] = [
      await run([12, 12, 12, 6], () => undefined),
      await run([12, 12, 12, 12, 6], () => undefined),
    ];
    expect(one.weights).not.toEqual(other.weights);
  });
});

test('one example that does not fit: the weights are those before the update, and the reason is plain', async () => {
  const before = await run([12, 12, 12], (update) => {
    if (update === 3) throw new Error('a power cut');
  });
  const actual = await run([12], (update) => {
    if (update >= 3) throw outOfMemory();
  });
  expect(actual.error).toBeInstanceOf(DoesNotFitError);
  expect(String(actual.error)).toContain('Memory ran out with one example at a time');
  expect(actual.weights).toEqual(before.weights);
  expect(actual.events.filter(({ type }) => type === 'outOfMemory')).toHaveLength(4);
});

test('what is no out-of-memory is thrown as it is, at once', async () => {
  const actual = await run([12], (update) => {
    if (update === 2) throw new Error('the loss is wrong');
  });
  expect(String(actual.error)).toBe('Error: the loss is wrong');
  expect(actual.events).toEqual([]);
});

test('memory that runs out while the weights are changed: the update is lost, and said to be', async () => {
  const { core } = twice.backend;
  const prototype = core.AdamOptimizer.prototype as { applyGradients: (gradients: unknown) => void };
  const stock = prototype.applyGradients;
  let applied = 0;
  prototype.applyGradients = function (gradients) {
    if (applied++ === 3) throw outOfMemory();
    stock.call(this, gradients);
  };
  try {
    const actual = await run([24], () => undefined);
    expect(actual.error).toBeInstanceOf(UpdateLostError);
  } finally {
    prototype.applyGradients = stock;
  }
});
