// Examples: the split and the order of epochs follow from the seed alone, scaling is that of the training rows, .npy pairs agree.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { batchesOf, type BatchDataset } from '../../../src/engine/model/data/batches';
import { openExamples, type Examples } from '../../../src/engine/model/data/examples';
import { fitShape, type ModelPorts } from '../../../src/engine/model/data/ports';
import { allRows, shuffled, splitRows } from '../../../src/engine/model/data/split';
import { npyData } from '../../../src/planning/modelData';
import { writeNpy, type Put } from './npyBytes';

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'examples-'));
  await tf.setBackend('cpu');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const putFloat: Put = (view, place, value, little) => view.setFloat32(place, value, little);
const putByte: Put = (view, place, value) => view.setUint8(place, value);

const ports: ModelPorts = {
  inputs: [{ name: 'x', shape: [2], below: null }],
  outputs: [{ name: 'y', shape: [3], loss: 'categoricalCrossentropy' }],
};

const open = (data: Omit<z.input<typeof npyData>, 'format'>, share = 0, model = ports) =>
  openExamples(npyData.parse({ format: 'npy', ...data }), folder, model, { share, seed: 5 });

async function passOver(dataset: BatchDataset): Promise<{ xs: number[][]; ys: number[][] }> {
  const iterator = await dataset.iterator();
  const passed: { xs: number[][]; ys: number[][] } = { xs: [], ys: [] };
  for (let item = await iterator.next(); !item.done; item = await iterator.next()) {
    for (const part of ['xs', 'ys'] as const) {
      for (const tensor of Object.values(item.value[part])) {
        passed[part].push(Array.from(tensor.dataSync()));
        tensor.dispose();
      }
    }
  }
  return passed;
}

describe('the split', () => {
  test('each example is on exactly one side, and the same seed gives the same split', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 500 }),
        fc.double({ min: 0.01, max: 0.9, noNaN: true }),
        fc.nat(),
        (count, share, seed) => {
          fc.pre(Math.max(1, Math.round(count * share)) < count);
          const { training, validation } = splitRows(count, share, seed);
          const both = [...training, ...(validation ?? [])].sort((a, b) => a - b);
          expect(both).toEqual(Array.from({ length: count }, (_, row) => row));
          expect(validation?.length).toBe(Math.max(1, Math.round(count * share)));
          expect(splitRows(count, share, seed)).toEqual({ training, validation });
        },
      ),
    );
  });

  test('is drawn, not cut off the end', () => {
    const { validation } = splitRows(1000, 0.2, 1);
    const mean = (validation ?? new Int32Array()).reduce((sum, row) => sum + row, 0) / 200;
    expect(mean).toBeGreaterThan(400);
    expect(mean).toBeLessThan(600);
  });

  test('that leaves nothing to train on is refused', () => {
    expect(() => splitRows(1, 0.5, 1)).toThrow(/leaves none of the 1 example to train on/);
  });
});

test('an epoch has each example once, in an order of its own that seed and epoch decide', () => {
  const rows = allRows(100);
  const orders = [0, 1, 2].map((epoch) => Array.from(shuffled(rows, 9, epoch)));
  for (const order of orders) expect([...order].sort((a, b) => a - b)).toEqual(Array.from(rows));
  expect(orders[0]).not.toEqual(orders[1]);
  expect(orders[1]).not.toEqual(orders[2]);
  expect(Array.from(shuffled(rows, 9, 1))).toEqual(orders[1]);
  expect(Array.from(shuffled(rows, 10, 1))).not.toEqual(orders[1]);
});

test('every order of three is about as likely as any other', () => {
  const counts = new Map<string, number>();
  for (let draw = 0; draw < 6000; draw++) {
    const order = shuffled(allRows(3), 4, draw).join();
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  expect(counts.size).toBe(6);
  // Six standard deviations of a binomial count (n 6000, p 1/6) around 1000.
  for (const count of counts.values())
    expect(Math.abs(count - 1000)).toBeLessThan(6 * Math.sqrt(6000 * (1 / 6) * (5 / 6)));
});

describe('.npy pairs', () => {
  const pixels = [0, 255, 51, 102, 153, 204, 255, 0];
  beforeEach(() => {
    writeNpy(path.join(folder, 'x.npy'), { descr: '|u1', shape: [4, 2] }, 1, putByte, pixels);
    writeNpy(path.join(folder, 'y.npy'), { descr: '|u1', shape: [4] }, 1, putByte, [2, 0, 1, 2]);
  });
  const data = { inputs: [{ file: 'x.npy', divideBy: 255 }], targets: [{ file: 'y.npy' }] };

  test('are scaled and encoded', async () => {
    const { training, preprocessing } = await open(data);
    const { xs, ys } = await passOver(batchesOf(tf, training, { batchSize: 4 }));
    expect(xs[0]?.map((value) => Math.round(value * 255))).toEqual(pixels);
    expect(ys[0]).toEqual([0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 1]);
    expect(preprocessing.inputs).toEqual([{ name: 'x', subtract: 0, divideBy: 255 }]);
  });

  test('with another number of targets than inputs: both counts are told', async () => {
    writeNpy(path.join(folder, 'y.npy'), { descr: '|u1', shape: [3] }, 1, putByte, [2, 0, 1]);
    await expect(open(data)).rejects.toThrow(/x\.npy has 4, .*y\.npy has 3/);
  });

  test('a class out of range is told with file and example before training', async () => {
    writeNpy(path.join(folder, 'y.npy'), { descr: '|u1', shape: [4] }, 1, putByte, [2, 0, 3, 1]);
    await expect(open(data)).rejects.toThrow(/y\.npy, example 2: a target is class 3; with 3 classes/);
  });

  test('another number of files than inputs', async () => {
    const two = { ...data, inputs: [{ file: 'x.npy' }, { file: 'x.npy' }] };
    await expect(open(two)).rejects.toThrow(/one input \("x"\), but "data\.inputs" names 2/);
  });

  test('an input of another shape', async () => {
    writeNpy(path.join(folder, 'x.npy'), { descr: '|u1', shape: [4, 3] }, 1, putByte, [
      ...pixels,
      0,
      0,
      0,
      0,
    ]);
    await expect(open(data)).rejects.toThrow(/x\.npy does not fit the model's input "x".*\[3\].*\[2\]/);
  });

  test('validation files', async () => {
    writeNpy(path.join(folder, 'vx.npy'), { descr: '|u1', shape: [1, 2] }, 1, putByte, [255, 0]);
    writeNpy(path.join(folder, 'vy.npy'), { descr: '|u1', shape: [1] }, 1, putByte, [1]);
    const { validation } = await open({ ...data, validation: { inputs: ['vx.npy'], targets: ['vy.npy'] } });
    const passed = await passOver(batchesOf(tf, validation as Examples, { batchSize: 8 }));
    expect(passed).toEqual({ xs: [[1, 0]], ys: [[0, 1, 0]] });
  });

  test('an id that an Embedding does not have is told when its batch is made', async () => {
    const model: ModelPorts = { ...ports, inputs: [{ name: 'ids', shape: [2], below: 200 }] };
    const { training } = await open({ ...data, inputs: [{ file: 'x.npy' }] }, 0, model);
    await expect(passOver(batchesOf(tf, training, { batchSize: 1 }))).rejects.toThrow(
      /x\.npy, example 0: the value 255 .*input "ids".*0 to 199/,
    );
  });

  test('standardized by the training examples alone', async () => {
    const values = Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? i * i : 7));
    writeNpy(path.join(folder, 'x.npy'), { descr: '<f4', shape: [20, 2] }, 4, putFloat, values);
    writeNpy(
      path.join(folder, 'y.npy'),
      { descr: '|u1', shape: [20] },
      1,
      putByte,
      new Array<number>(20).fill(0),
    );
    const opened = await open(
      { inputs: [{ file: 'x.npy', standardize: true }], targets: [{ file: 'y.npy' }] },
      0.25,
    );
    const { training } = opened;
    const seen = Array.from(training.rows, (row) => values[2 * row] ?? NaN);
    const mean = seen.reduce((sum, value) => sum + value) / seen.length;
    const deviation = Math.sqrt(seen.reduce((sum, value) => sum + (value - mean) ** 2, 0) / seen.length);
    const [figures] = opened.preprocessing.inputs;
    const subtract = figures?.subtract as number[];
    expect(subtract[0]).toBeCloseTo(mean, 8);
    expect((figures?.divideBy as number[])[0]).toBeCloseTo(deviation, 8);
    // A value that never changes is brought to 0, not divided by 0.
    expect(subtract[1]).toBe(7);
    const { xs } = await passOver(batchesOf(tf, training, { batchSize: 20 }));
    xs[0]?.forEach((value, i) => {
      const expected = i % 2 === 0 ? ((seen[i / 2] ?? NaN) - mean) / deviation : 0;
      expect(value).toBeCloseTo(expected, 5);
    });
  });
});

describe('batches', () => {
  test('hold each example once, in the order asked for, the last one smaller; nothing leaks', async () => {
    writeNpy(
      path.join(folder, 'bx.npy'),
      { descr: '<f4', shape: [5, 2] },
      4,
      putFloat,
      [0, 0, 1, 1, 2, 2, 3, 3, 4, 4],
    );
    writeNpy(path.join(folder, 'by.npy'), { descr: '|u1', shape: [5] }, 1, putByte, [0, 1, 2, 0, 1]);
    const { training } = await open({ inputs: [{ file: 'bx.npy' }], targets: [{ file: 'by.npy' }] });
    const before = tf.memory().numTensors;
    const dataset = batchesOf(tf, training, { batchSize: 2, order: () => Int32Array.of(4, 0, 3, 1, 2) });
    expect([dataset.size, dataset.examples]).toEqual([3, 5]);
    const { xs } = await passOver(dataset);
    expect(xs).toEqual([
      [4, 4, 0, 0],
      [3, 3, 1, 1],
      [2, 2],
    ]);
    expect(tf.memory().numTensors).toBe(before);
    const whole = batchesOf(tf, training, { batchSize: 2, dropLast: true });
    expect([whole.size, whole.examples]).toEqual([2, 4]);
    expect((await passOver(whole)).xs).toEqual([
      [0, 0, 1, 1],
      [2, 2, 3, 3],
    ]);
  });
});

test('the shape of an example is brought to that of an input, or does not fit', () => {
  expect(fitShape([28, 28], [28, 28, 1])).toEqual([28, 28, 1]);
  expect(fitShape([784], [28, 28, 1])).toEqual([28, 28, 1]);
  expect(fitShape([40, 3], [null, 3])).toEqual([40, 3]);
  expect(fitShape([120], [null, 3])).toEqual([40, 3]);
  expect(fitShape([], [1])).toEqual([1]);
  expect(fitShape([7, 9], [null, null])).toEqual([7, 9]);
  expect(fitShape([63], [null, null])).toBeNull();
  expect(fitShape([121], [null, 3])).toBeNull();
  expect(fitShape([27, 28], [28, 28, 1])).toBeNull();
});
