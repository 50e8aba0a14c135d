// The deferred mode: when steps are made, what calls weigh, and what it refuses.
import { beforeAll, describe, expect, test } from 'vitest';
import { deferUpdates, type TensorFlow } from '../../../src/accumulate';
import type { Tf } from '../../../src/engine/contracts';
import { openBackend } from '../../support/testBackends';

let tf: Tf;
let core: TensorFlow;
beforeAll(async () => {
  ({ tf, core } = await openBackend('cpu'));
});

/** A loss whose gradient is the number given, and an optimizer of step size 1: each step subtracts a mean of numbers. */
function counter() {
  const w = tf.variable(tf.scalar(0));
  const optimizer = tf.train.sgd(1);
  const minimize = (gradient: number) => optimizer.minimize(() => tf.mul(w, gradient), true, [w]);
  return { w, optimizer, minimize, value: () => w.dataSync()[0] ?? NaN };
}

describe('deferUpdates()', () => {
  test('makes a step in every third call, with the mean of three gradients', () => {
    const { optimizer, minimize, value } = counter();
    const deferred = deferUpdates(core, optimizer, { steps: 3 });
    minimize(1);
    minimize(2);
    expect([value(), deferred.waiting, deferred.steps]).toEqual([0, 2, 0]);
    minimize(6);
    expect([value(), deferred.waiting, deferred.steps]).toEqual([-3, 0, 1]);
  });

  test('makes the step of a last, smaller group when it is flushed, with the mean of what waits', () => {
    const { optimizer, minimize, value } = counter();
    const deferred = deferUpdates(core, optimizer, { steps: 3 });
    minimize(1);
    minimize(2);
    expect(deferred.flush()).toBe(true);
    expect(value()).toBe(-1.5);
    expect(deferred.flush()).toBe(false);
    expect(deferred.steps).toBe(1);
  });

  test('weighs calls by examples: the mean of means would be another', () => {
    const { optimizer, minimize, value } = counter();
    let rows = 0;
    deferUpdates(core, optimizer, { examples: 4, count: () => rows });
    rows = 3;
    minimize(4 / 3);
    rows = 1;
    minimize(2);
    // The mean of 1, 1, 2 and 2.
    expect(value()).toBeCloseTo(-1.5, 6);
  });

  test('returns the loss of its own call, and keeps no tensor when all steps are made', () => {
    const { w, optimizer, minimize } = counter();
    deferUpdates(core, optimizer, { steps: 2, count: () => 5 });
    w.assign(tf.scalar(2));
    const before = tf.memory().numTensors;
    const first = minimize(3);
    expect(first?.dataSync()[0]).toBe(6);
    minimize(3)?.dispose();
    first?.dispose();
    expect(optimizer.minimize(() => tf.mul(w, 1), false, [w])).toBeNull();
    optimizer.minimize(() => tf.mul(w, 1), false, [w]);
    expect(tf.memory().numTensors).toBe(before);
  });

  test('clips the mean of the calls, not each call', () => {
    const { optimizer, minimize, value } = counter();
    deferUpdates(core, optimizer, { steps: 2, clip: { value: 1 } });
    minimize(4);
    minimize(-3.5);
    expect(value()).toBe(-0.25);
  });

  test('follows a learning rate that the loop changes, and ends without a trace', () => {
    const { optimizer, minimize, value } = counter();
    const own = optimizer.minimize;
    const deferred = deferUpdates(core, optimizer, { steps: 2 });
    expect(() => deferUpdates(core, optimizer, { steps: 2 })).toThrow('deferred already');
    minimize(1);
    optimizer.setLearningRate(10);
    minimize(1);
    expect(value()).toBe(-10);
    minimize(1);
    deferred.end();
    expect(optimizer.minimize).toBe(own);
    expect(deferred.waiting).toBe(0);
    minimize(1);
    expect(value()).toBe(-20);
  });

  test('refuses calls of one step that change different variables', () => {
    const { optimizer, minimize } = counter();
    const other = tf.variable(tf.scalar(0));
    deferUpdates(core, optimizer, { steps: 2 });
    minimize(1);
    expect(() => optimizer.minimize(() => tf.mul(other, 1), false, [other])).toThrow('the same variables');
  });

  test.each([0, 1.5, NaN])('refuses %d calls a step', (steps) => {
    expect(() => deferUpdates(core, counter().optimizer, { steps })).toThrow(
      `steps must be a whole number of 1 or more, not ${steps}.`,
    );
  });

  test('refuses a count that is none, and goes on as if the call had not been', () => {
    const { optimizer, minimize, value } = counter();
    let rows = 1;
    deferUpdates(core, optimizer, { examples: 2, count: () => rows });
    minimize(1);
    rows = -1;
    expect(() => minimize(5)).toThrow('What count returns must be a number of 0 or more, not -1.');
    rows = 1;
    minimize(2);
    expect(value()).toBe(-1.5);
  });

  test.each([
    ['of examples', (count: () => number) => ({ examples: 5, count })],
    ['of calls', (count: () => number) => ({ steps: 4, count })],
  ])('passes over a call of padding alone: the step %s equals the full batch’s', (_, optionsFor) => {
    // Squared error as a mean over what the mask leaves; the mean of the second part is 0 / 0.
    const xs = tf.tensor1d([1, 2, 3, 4, 5, 6, 7, 8]);
    const mask = tf.tensor1d([1, 1, 0, 0, 1, 0, 1, 1]);
    const errors = (w: Parameters<typeof tf.mul>[0], part: typeof xs) =>
      tf.square(tf.sub(tf.mul(w, part), 1));
    const meanOver = (w: Parameters<typeof errors>[0], start: number, size: number) => {
      const [part, kept] = [xs.slice(start, size), mask.slice(start, size)];
      return tf.div(tf.sum(tf.mul(errors(w, part), kept)), tf.sum(kept)).asScalar();
    };
    const [whole, cut] = [tf.variable(tf.scalar(0.5)), tf.variable(tf.scalar(0.5))];
    const plain = tf.train.adam(0.1);
    const optimizer = tf.train.adam(0.1);
    let start = 0;
    const deferred = deferUpdates(
      core,
      optimizer,
      optionsFor(() => mask.slice(start, 2).sum().dataSync()[0] ?? NaN),
    );
    for (let update = 0; update < 3; update += 1) {
      plain.minimize(() => meanOver(whole, 0, 8), false, [whole]);
      for (start = 0; start < 8; start += 2) optimizer.minimize(() => meanOver(cut, start, 2), false, [cut]);
    }
    expect([deferred.steps, deferred.waiting]).toEqual([3, 0]);
    expect(whole.dataSync()[0]).not.toBeCloseTo(0.5, 2);
    expect(cut.dataSync()[0]).toBeCloseTo(whole.dataSync()[0] ?? NaN, 5);
  });

  test('runs a call of padding alone for its cost only, and makes no step of such calls', () => {
    const { w, optimizer, value } = counter();
    const deferred = deferUpdates(core, optimizer, { steps: 2, count: () => 0 });
    let runs = 0;
    const loss = () => {
      runs += 1;
      return tf.add(w, 7).asScalar();
    };
    const before = tf.memory().numTensors;
    expect(optimizer.minimize(loss, false, [w])).toBeNull();
    expect(runs).toBe(0);
    const cost = optimizer.minimize(loss, true, [w]);
    expect(cost?.dataSync()[0]).toBe(7);
    cost?.dispose();
    expect([value(), deferred.steps, deferred.waiting, deferred.flush()]).toEqual([0, 0, 0, false]);
    expect(tf.memory().numTensors).toBe(before);
  });

  test('starts anew after a flush that finds padding alone', () => {
    const { optimizer, minimize, value } = counter();
    let rows = 0;
    const deferred = deferUpdates(core, optimizer, { steps: 2, count: () => rows });
    minimize(9);
    expect(deferred.flush()).toBe(false);
    rows = 1;
    minimize(1);
    expect([value(), deferred.waiting]).toEqual([0, 1]);
    minimize(3);
    expect(value()).toBe(-2);
  });
});
