// accumulate(): what it refuses, what it leaves alone, and the layers whose state one update moves once.
import type { Tensor2D } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { accumulate, microbatchSizes, type TensorFlow } from '../../../src/accumulate';
import type { Tf } from '../../../src/engine/contracts';
import { openBackend } from '../../support/testBackends';

let tf: Tf;
let core: TensorFlow;
beforeAll(async () => {
  ({ tf, core } = await openBackend('cpu'));
});

/** y = w·x with squared error, over the rows 1 to 6. */
function line() {
  const w = tf.variable(tf.scalar(0.5));
  const xs = tf.tensor1d([1, 2, 3, 4, 5, 6]);
  const optimizer = tf.train.sgd(0.01);
  const loss = (part: typeof xs) => tf.mean(tf.square(tf.sub(tf.mul(w, part), 1))).asScalar();
  return { w, xs, optimizer, loss, options: { optimizer, batch: xs, loss, variables: [w] } };
}

describe('accumulate()', () => {
  test.each([
    [[], 'The microbatch sizes sum to 0, but the batch holds 6 examples.'],
    [[3, 2], 'The microbatch sizes sum to 5, but the batch holds 6 examples.'],
    [[3, 0, 3], 'microbatchSizes[1] must be a whole number of 1 or more, not 0.'],
    [[2.5, 3.5], 'microbatchSizes[0] must be a whole number of 1 or more, not 2.5.'],
  ])('refuses the sizes %j', (sizes, message) => {
    expect(() => accumulate(core, { ...line().options, microbatchSizes: sizes })).toThrow(message);
  });

  test('refuses a batch without examples, or with tensors of different lengths', () => {
    const { options } = line();
    const cut = { ...options, microbatchSizes: [1], loss: () => tf.scalar(0) };
    expect(() => accumulate(core, { ...cut, batch: tf.scalar(1) })).toThrow('it holds no examples');
    expect(() => accumulate(core, { ...cut, batch: {} })).toThrow('The batch holds no tensor.');
    const batch = { xs: tf.zeros([6]), ys: tf.zeros([5, 2]) };
    expect(() => accumulate(core, { ...cut, batch })).toThrow('hold 6 and 5 examples');
  });

  test.each([0, -1, NaN])('refuses to clip at %d', (limit) => {
    const { options } = line();
    expect(() => accumulate(core, { ...options, microbatchSizes: [6], clip: { globalNorm: limit } })).toThrow(
      `clip.globalNorm must be a number above 0, not ${limit}.`,
    );
  });

  test('changes and keeps nothing where the loss of a later microbatch throws', () => {
    const { w, options, loss } = line();
    const before = tf.memory().numTensors;
    const failing = { ...options, microbatchSizes: [3, 3] };
    expect(() =>
      accumulate(core, {
        ...failing,
        loss: (part, { start }) => {
          if (start > 0) throw new Error('out of patience');
          return loss(part);
        },
      }),
    ).toThrow('out of patience');
    expect(w.dataSync()[0]).toBe(0.5);
    expect(tf.memory().numTensors).toBe(before);
  });

  test('takes batches by position and by name, and hands on what is null', () => {
    const { w, xs, options, loss } = line();
    const sizes = microbatchSizes(6, 4);
    const outcomes = [
      accumulate(core, { ...options, microbatchSizes: sizes }),
      accumulate(core, {
        ...options,
        batch: [xs, null] as const,
        microbatchSizes: sizes,
        loss: ([part, none]) => {
          expect(none).toBeNull();
          w.assign(tf.scalar(0.5));
          return loss(part);
        },
      }),
    ].map((value) => value.dataSync()[0]);
    expect(outcomes[1]).toBeCloseTo(outcomes[0] ?? NaN, 6);
  });

  test('does not run a microbatch of padding alone, and refuses a batch of it', () => {
    const { options, loss } = line();
    const ran: number[] = [];
    const counted = (counts: readonly number[]) =>
      accumulate(core, {
        ...options,
        microbatchSizes: [2, 2, 2],
        count: (_part, { start }) => counts[start / 2] ?? NaN,
        loss: (part, { start }) => {
          ran.push(start);
          return loss(part);
        },
      });
    counted([3, 0, 1]).dispose();
    expect(ran).toEqual([0, 4]);
    expect(() => counted([0, 0, 0])).toThrow('Nothing in the batch counts');
    expect(() => counted([1, -1, 3])).toThrow('What count returns must be a number of 0 or more, not -1.');
  });

  test('leaves variables alone that are not trainable or were not named', () => {
    const { w, options, loss } = line();
    const other = tf.variable(tf.scalar(2));
    const fixed = tf.variable(tf.scalar(3), false);
    accumulate(core, {
      ...options,
      variables: [w, fixed],
      microbatchSizes: [3, 3],
      loss: (part) => tf.mul(tf.mul(loss(part), other), fixed),
    }).dispose();
    expect([other.dataSync()[0], fixed.dataSync()[0]]).toEqual([2, 3]);
    expect(w.dataSync()[0]).not.toBe(0.5);
    expect(() => accumulate(core, { ...options, variables: [fixed], microbatchSizes: [6] })).toThrow(
      'There is no trainable variable.',
    );
  });

  test('has a function clip the gradient of the whole batch, once', () => {
    const { w, options, xs, loss } = line();
    const expected = tf.variableGrads(() => loss(xs), [w]).grads[w.name]?.dataSync()[0] ?? NaN;
    const seen: number[] = [];
    accumulate(core, {
      ...options,
      microbatchSizes: [2, 2, 2],
      clip: (gradients) => {
        seen.push(gradients[0]?.dataSync()[0] ?? NaN);
        return gradients.map((gradient) => tf.zerosLike(gradient));
      },
    }).dispose();
    expect(seen).toHaveLength(1);
    expect(seen[0]).toBeCloseTo(expected, 5);
    expect(w.dataSync()[0]).toBe(0.5);
    const none = () => accumulate(core, { ...options, microbatchSizes: [6], clip: () => [] });
    expect(none).toThrow('clip was given 1 gradients and returned 0.');
  });

  test('moves the statistics of BatchNormalization once, as the full batch does', () => {
    const make = () => {
      const norm = tf.layers.batchNormalization({ inputShape: [3] });
      const model = tf.sequential({ layers: [norm, tf.layers.dense({ units: 1 })] });
      return { norm, model };
    };
    const [whole, cut] = [make(), make()];
    cut.model.setWeights(whole.model.getWeights());
    const xs = tf.randomNormal([10, 3], 2, 3, 'float32', 5);
    const step = ({ model }: ReturnType<typeof make>, sizes: number[], helped: boolean) => {
      accumulate(core, {
        optimizer: tf.train.sgd(0.1),
        batch: xs,
        microbatchSizes: sizes,
        loss: (part) => tf.mean(tf.square(model.apply(part, { training: true }) as typeof part)).asScalar(),
        variables: model.trainableWeights.map((weight) => weight.read() as ReturnType<Tf['variable']>),
        model: helped ? model : undefined,
      }).dispose();
    };
    step(whole, [10], false);
    step(cut, [4, 3, 3], true);
    const [expected, actual] = [whole, cut].map(({ norm }) =>
      norm
        .getWeights()
        .slice(2)
        .flatMap((weight) => [...weight.dataSync()]),
    );
    expect(expected).toHaveLength(6);
    expected?.forEach((value, index) => expect(actual?.[index]).toBeCloseTo(value, 5));
  });

  test('takes the rows of the whole batch’s mask in dropout with a seed', () => {
    const dropout = tf.layers.dropout({ rate: 0.5, seed: 3, inputShape: [4] });
    const model = tf.sequential({ layers: [dropout, tf.layers.dense({ units: 1 })] });
    const xs = tf.randomNormal([9, 4], 0, 1, 'float32', 6);
    const variables = model.trainableWeights.map((weight) => weight.read() as ReturnType<Tf['variable']>);
    const loss = (part: typeof xs) =>
      tf.mean(tf.square(tf.sub(model.apply(part, { training: true }) as typeof part, 1))).asScalar();
    const { grads } = tf.variableGrads(() => loss(xs), variables);
    const expected = variables.flatMap(({ name }) => [...(grads[name]?.dataSync() ?? [])]);
    const gradientOf = (helped: boolean) => {
      const seen: number[] = [];
      accumulate(core, {
        optimizer: tf.train.sgd(1e-12),
        batch: xs,
        microbatchSizes: [3, 3, 3],
        loss,
        variables,
        model: helped ? model : undefined,
        clip: (gradients) => {
          seen.push(...gradients.flatMap((gradient) => [...gradient.dataSync()]));
          return [...gradients];
        },
      }).dispose();
      return Math.max(...expected.map((value, index) => Math.abs((seen[index] ?? NaN) - value)));
    };
    expect(expected).toHaveLength(5);
    expect(gradientOf(true)).toBeLessThan(1e-6);
    // Without it, each microbatch has the same mask.
    expect(gradientOf(false)).toBeGreaterThan(1e-2);
  });

  test('holds no more than a microbatch’s activations at once', () => {
    const peakOf = (sizes: number[]) => {
      const w = tf.variable(tf.randomNormal([8, 8], 0, 1, 'float32', 1));
      const batch = tf.zeros([256, 8]) as Tensor2D;
      const before = tf.memory().numBytes;
      let peak = 0;
      accumulate(core, {
        optimizer: tf.train.sgd(0.1),
        batch,
        microbatchSizes: sizes,
        variables: [w],
        loss: (part) => {
          const value = tf.mean(tf.tanh(tf.matMul(part, w as unknown as Tensor2D))).asScalar();
          peak = Math.max(peak, tf.memory().numBytes - before);
          return value;
        },
      }).dispose();
      return peak;
    };
    expect(peakOf(microbatchSizes(256, 16))).toBeLessThan(peakOf([256]) / 4);
  });
});
