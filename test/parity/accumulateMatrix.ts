// accumulate() and deferUpdates() against TensorFlow.js itself: the same training by optimizer.minimize with the full batch.
import type * as core from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { accumulate, deferUpdates, microbatchSizes, type GradientClip } from '../../src/accumulate';
import { largestDifference, relativeDifference } from '../support/trainingRecord';
import { missingBackend, openBackend, type TestBackendName } from '../support/testBackends';
import { classifier, tokenTagger, type Training } from './accumulateModels';

const gradientTolerance = 1e-6;
const weightTolerance = 1e-5;
const updates = 20;

const optimizers = {
  SGD: (tf: typeof core) => tf.train.sgd(0.1),
  Adam: (tf: typeof core) => tf.train.adam(0.01),
};

interface Case {
  readonly name: string;
  readonly training: (tf: typeof core) => Training;
  /** Examples of each batch of the 20 updates, in turn. */
  readonly batches: readonly number[];
  readonly largest: number;
  readonly clip?: GradientClip;
}

const cases: readonly Case[] = [
  { name: 'equal, 16 = 4 × 4', training: classifier, batches: [16], largest: 4 },
  { name: 'unequal, 10 = 4 + 3 + 3', training: classifier, batches: [10], largest: 4 },
  { name: 'a partial last batch, 16 and 16 and 5', training: classifier, batches: [16, 16, 5], largest: 6 },
  { name: 'one microbatch', training: classifier, batches: [8], largest: 8 },
  { name: 'weighted by tokens', training: tokenTagger, batches: [10, 7], largest: 4 },
  {
    name: 'clipped by global norm',
    training: classifier,
    batches: [10],
    largest: 4,
    clip: { globalNorm: 0.05 },
  },
  // A third of the largest element, 0.31: rounding is relative to what is clipped, the tolerance to what is left.
  { name: 'clipped by value', training: classifier, batches: [10], largest: 4, clip: { value: 0.1 } },
];

/** Declares the matrix of one backend; skipped by name where the backend's lane is missing. */
export function accumulateMatrix(name: TestBackendName): void {
  describe(`a loop of its own on ${name}`, () => {
    let tf: typeof core;
    const missing = missingBackend(name);

    beforeAll(async () => {
      if (missing === null) ({ core: tf } = await openBackend(name));
    });

    for (const [optimizerName, makeOptimizer] of Object.entries(optimizers)) {
      for (const one of cases) {
        test(`with accumulate() equals the full batch: ${optimizerName}, ${one.name}`, (context) => {
          if (missing !== null) context.skip(missing);
          const expected = run(tf, one, makeOptimizer(tf), plainUpdate);
          const actual = run(tf, one, makeOptimizer(tf), accumulatedUpdate);
          expectSame(actual, expected);
        });
      }
      test(`with deferred updates equals the full batch: ${optimizerName}`, (context) => {
        if (missing !== null) context.skip(missing);
        const one = { name: '', training: classifier, batches: [10, 10, 7], largest: 4 };
        const expected = run(tf, one, makeOptimizer(tf), plainUpdate);
        const actual = run(tf, one, makeOptimizer(tf), deferredUpdate);
        expectSame(actual, expected);
      });
    }
  });
}

interface Outcome {
  readonly firstGradients: Float32Array[];
  readonly weights: Float32Array[];
  readonly losses: number[];
  readonly steps: number;
  readonly tensorsLeft: number;
}

type Update = (tf: typeof core, step: Step) => core.Scalar;

interface Step {
  readonly one: Case;
  readonly training: Training;
  readonly optimizer: core.Optimizer;
  readonly rows: number;
  readonly start: number;
}

/** 20 updates, each of which returns the loss before it. */
function run(tf: typeof core, one: Case, optimizer: core.Optimizer, update: Update): Outcome {
  const training = one.training(tf);
  const applied: Float32Array[][] = [];
  const own = optimizer.applyGradients.bind(optimizer);
  optimizer.applyGradients = (gradients) => {
    const tensors = Array.isArray(gradients)
      ? gradients.map(({ tensor }) => tensor)
      : Object.values(gradients);
    applied.push(tensors.map((tensor) => tensor.dataSync().slice() as Float32Array));
    own(gradients);
  };
  const losses: number[] = [];
  let before = 0;
  for (let index = 0; index < updates; index += 1) {
    const rows = one.batches[index % one.batches.length] ?? 0;
    const loss = update(tf, { one, training, optimizer, rows, start: index });
    losses.push(loss.dataSync()[0] ?? NaN);
    loss.dispose();
    // The first update makes the optimizer's slots.
    if (index === 0) before = tf.memory().numTensors;
  }
  const tensorsLeft = tf.memory().numTensors - before;
  const weights = training.variables.map((variable) => variable.dataSync().slice() as Float32Array);
  optimizer.dispose();
  tf.dispose(training.variables);
  return { firstGradients: applied[0] ?? [], weights, losses, steps: applied.length, tensorsLeft };
}

/** TensorFlow.js alone: minimize, or, where gradients are clipped, its three parts with the clipping of the full batch. */
function plainUpdate(tf: typeof core, { one, training, optimizer, rows, start }: Step): core.Scalar {
  return tf.tidy(() => {
    const batch = training.batch(start, rows);
    const loss = () => training.loss(batch);
    const { clip } = one;
    if (clip === undefined || typeof clip === 'function')
      return optimizer.minimize(loss, true, training.variables) as core.Scalar;
    const { value, grads } = optimizer.computeGradients(loss, training.variables);
    const arrays = training.variables.map(({ name }) => grads[name]?.dataSync() ?? []);
    const norm = Math.hypot(...arrays.flatMap((values) => [...values]));
    const clipped = training.variables.map((variable, index) => {
      const values = [...(arrays[index] ?? [])].map((element) =>
        'value' in clip
          ? Math.max(-clip.value, Math.min(clip.value, element))
          : element * Math.min(1, clip.globalNorm / norm),
      );
      return { name: variable.name, tensor: tf.tensor(values, variable.shape) };
    });
    optimizer.applyGradients(clipped);
    return value;
  });
}

function accumulatedUpdate(tf: typeof core, { one, training, optimizer, rows, start }: Step): core.Scalar {
  const batch = training.batch(start, rows);
  const loss = accumulate(tf, {
    optimizer,
    batch,
    microbatchSizes: microbatchSizes(rows, one.largest),
    loss: training.loss,
    variables: training.variables,
    count: training.count,
    clip: one.clip,
  });
  tf.dispose(batch);
  return loss;
}

/** The loop sees microbatches as its batches; the loss of the update is their weighted mean. */
function deferredUpdate(tf: typeof core, { one, training, optimizer, rows, start }: Step): core.Scalar {
  let counted = 0;
  const deferred = deferUpdates(tf, optimizer, { examples: rows, count: () => counted });
  const loss = tf.tidy(() => {
    const batch = training.batch(start, rows);
    let done = 0;
    let sum = 0;
    for (counted of microbatchSizes(rows, one.largest)) {
      const [from, size] = [done, counted];
      const part = Object.fromEntries(
        Object.entries(batch).map(([name, tensor]) => {
          const rest = tensor.shape.slice(1);
          return [name, tf.slice(tensor, [from, ...rest.map(() => 0)], [size, ...rest])];
        }),
      );
      const value = optimizer.minimize(() => training.loss(part), true, training.variables);
      sum += (value?.dataSync()[0] ?? NaN) * (size / rows);
      done += size;
    }
    return tf.scalar(sum);
  });
  expect(deferred.waiting).toBe(0);
  deferred.end();
  return loss;
}

function expectSame(actual: Outcome, expected: Outcome): void {
  expect(expected.steps).toBe(updates);
  expect(actual.steps).toBe(updates);
  expect(relativeDifference(actual.firstGradients, expected.firstGradients)).toBeLessThan(gradientTolerance);
  expect(largestDifference(actual.weights, expected.weights)).toBeLessThan(weightTolerance);
  expect(
    largestDifference([Float32Array.from(actual.losses)], [Float32Array.from(expected.losses)]),
  ).toBeLessThan(weightTolerance);
  expect(actual.tensorsLeft).toBe(0);
  expect(expected.tensorsLeft).toBe(0);
}
