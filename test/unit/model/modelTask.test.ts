// A model.json entry trains as a plain fit on the same data does, saves the result, and is planned on made examples that its losses accept.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { BatchDataset } from '../../../src/engine/model/data/batches';
import { loadModel } from '../../../src/engine/model/modelLoader';
import { runModelTask, type ModelTask } from '../../../src/engine/model/modelTask';
import { lossNames } from '../../../src/planning/modelOptimizer';
import { modelTraining, type ModelTrainingText } from '../../../src/planning/modelTraining';
import { saveAs, weightsOf } from './savedModels';

let root: string;
let folder: string;
let runs = 0;
beforeAll(async () => {
  root = mkdtempSync(path.join(tmpdir(), 'task-'));
  await tf.setBackend('cpu');
});
afterAll(() => rmSync(root, { recursive: true, force: true }));
beforeEach(() => {
  folder = path.join(root, String(++runs));
  mkdirSync(folder);
});
afterEach(() => void vi.restoreAllMocks());

const rows = Array.from({ length: 10 }, (_, i) => [i / 10, Math.sin(i), (i * 7) % 5, i % 3]);
const csv = () => {
  writeFileSync(path.join(folder, 'data.csv'), rows.map((row) => row.join()).join('\n'));
  return { format: 'csv' as const, files: ['data.csv'], targets: [{ columns: [-1] }] };
};

function classifier(): tf.Sequential {
  const model = tf.sequential({ name: 'classifier' });
  model.add(tf.layers.dense({ units: 5, inputShape: [3], activation: 'tanh', name: 'hidden' }));
  model.add(tf.layers.dense({ units: 3, activation: 'softmax', name: 'kind' }));
  return model;
}

async function run(
  model: tf.LayersModel | string,
  training: Omit<ModelTrainingText, 'kind'>,
  options: Partial<ModelTask> = {},
): Promise<string[]> {
  const entry = typeof model === 'string' ? model : await saveAs(path.join(folder, 'entry'), model);
  const notes: string[] = [];
  const task: ModelTask = {
    entry,
    training: modelTraining.parse({ kind: 'model', ...training }),
    folder,
    targetBatchSize: 4,
    microbatchSize: null,
    measureOnly: false,
    ...options,
  };
  await runModelTask(tf, task, (note) => notes.push(note));
  return notes;
}

const trained = async () => (await loadModel(tf, path.join(folder, 'trained/model.json'))).model;

function expectClose(actual: readonly number[][], expected: readonly number[][]): void {
  expect(actual.map((one) => one.length)).toEqual(expected.map((one) => one.length));
  actual.forEach((one, i) =>
    one.forEach((value, j) => expect(value).toBeCloseTo(expected[i]?.[j] ?? NaN, 6)),
  );
}

const x = () => tf.tensor2d(rows.map((row) => row.slice(0, 3)));
const y = () =>
  tf
    .oneHot(
      rows.map((row) => row[3] ?? 0),
      3,
    )
    .toFloat();

describe('training', () => {
  test('without shuffling equals a plain fit on the same rows', async () => {
    const reference = classifier();
    const untrained = weightsOf(reference);
    const entry = await saveAs(path.join(folder, 'entry'), reference);
    await run(entry, {
      data: csv(),
      epochs: 3,
      shuffle: false,
      optimizer: { name: 'momentum', learningRate: 0.1, momentum: 0.5 },
    });
    reference.compile({ optimizer: tf.train.momentum(0.1, 0.5), loss: 'categoricalCrossentropy' });
    await reference.fit(x(), y(), { epochs: 3, batchSize: 4, shuffle: false, verbose: 0 });
    expectClose(weightsOf(await trained()), weightsOf(reference));
    // The comparison can fail: training moved the weights, and rows in another order move them elsewhere.
    expect(() => expectClose(untrained, weightsOf(reference))).toThrow();
    await run(entry, {
      data: csv(),
      epochs: 3,
      optimizer: { name: 'momentum', learningRate: 0.1, momentum: 0.5 },
    });
    const shuffledRows = weightsOf(await trained());
    expect(() => expectClose(shuffledRows, weightsOf(reference))).toThrow();
  });

  test('with class weights equals a plain fit with them', async () => {
    const reference = classifier();
    const entry = await saveAs(path.join(folder, 'entry'), reference);
    const classWeight = { 0: 1, 1: 3, 2: 0.5 };
    await run(entry, {
      data: csv(),
      epochs: 2,
      shuffle: false,
      optimizer: { name: 'sgd', learningRate: 0.1 },
      classWeight,
    });
    reference.compile({ optimizer: tf.train.sgd(0.1), loss: 'categoricalCrossentropy' });
    await reference.fit(x(), y(), { epochs: 2, batchSize: 4, shuffle: false, verbose: 0, classWeight });
    expectClose(weightsOf(await trained()), weightsOf(reference));
  });

  test('goes on with the state of its own optimizer', async () => {
    const reference = classifier();
    reference.compile({
      optimizer: tf.train.adam(0.05),
      loss: 'categoricalCrossentropy',
      metrics: ['accuracy'],
    });
    const plain = { epochs: 2, batchSize: 4, shuffle: false, verbose: 0 };
    await reference.fit(x(), y(), plain);
    const entry = await saveAs(path.join(folder, 'entry'), reference, { includeOptimizer: true });
    const notes = await run(entry, { data: csv(), epochs: 2, shuffle: false, saveOptimizer: true });
    await reference.fit(x(), y(), plain);
    expectClose(weightsOf(await trained()), weightsOf(reference));
    // Only where the model went is told: nothing had to be guessed.
    expect(notes).toEqual([`The trained model is in ${path.join(folder, 'trained')}.`]);
  });

  test('shuffles by the seed: the same twice, another with another seed, and leaves Math.random alone', async () => {
    const entry = await saveAs(path.join(folder, 'entry'), classifier());
    const { random } = Math;
    const weights: number[][][] = [];
    for (const seed of [1, 1, 2]) {
      await run(entry, { data: csv(), epochs: 2, seed });
      weights.push(weightsOf(await trained()));
    }
    expect(weights[1]).toEqual(weights[0]);
    expect(weights[2]).not.toEqual(weights[0]);
    expect(Math.random).toBe(random);
  });

  test('a model without weights starts from weights that the seed decides', async () => {
    const entry = await saveAs(path.join(folder, 'entry'), classifier(), {
      change: (json) => delete json.weightsManifest,
    });
    const weights: number[][][] = [];
    for (const seed of [1, 1, 2]) {
      await run(entry, { data: csv(), epochs: 1, seed });
      weights.push(weightsOf(await trained()));
    }
    expect(weights[1]).toEqual(weights[0]);
    expect(weights[2]).not.toEqual(weights[0]);
  });

  test('validates on the split, never trains on it, and stops when nothing improves', async () => {
    let history: tf.History | undefined;
    const { fitDataset } = tf.LayersModel.prototype;
    vi.spyOn(tf.LayersModel.prototype, 'fitDataset').mockImplementation(async function (
      this: tf.LayersModel,
      data,
      args,
    ) {
      history = await fitDataset.call(this, data, args);
      return history;
    });
    await run(classifier(), {
      data: csv(),
      epochs: 50,
      validationSplit: 0.2,
      optimizer: { name: 'sgd', learningRate: 1e-9 },
      earlyStopping: { patience: 2, minDelta: 0.1 },
    });
    expect(history?.epoch.length).toBe(3);
    expect(Object.keys(history?.history ?? {}).sort()).toEqual(['acc', 'loss', 'val_acc', 'val_loss']);
  });

  test('saves how values were prepared', async () => {
    await run(classifier(), {
      data: { ...csv(), inputs: [{ divideBy: 2 }], targets: [{ columns: [-1], classes: 3 }] },
      epochs: 1,
    });
    const saved: unknown = JSON.parse(readFileSync(path.join(folder, 'trained/preprocessing.json'), 'utf8'));
    expect(saved).toEqual({
      inputs: [{ name: 'hidden_input', subtract: 0, divideBy: 2 }],
      targets: [{ name: 'kind', encode: 'oneHot', classes: 3 }],
    });
  });

  test('a model bound to a batch size trains with it and tells what is left out', async () => {
    const model = tf.sequential();
    model.add(tf.layers.dense({ units: 3, batchInputShape: [4, 3], activation: 'softmax' }));
    const notes = await run(model, { data: csv(), epochs: 1 }, { targetBatchSize: 7 });
    expect(notes.join()).toMatch(/bound to batches of 4: 2 of the examples are left out/);
  });

  const refusals: readonly [what: string, training: () => Omit<ModelTrainingText, 'kind'>, says: RegExp][] = [
    ['no data', () => ({}), /names no data to train on/],
    ['the output folder is that of the model', () => ({ data: csv(), output: 'entry' }), /would overwrite/],
    ['the output folder cannot be made', () => ({ data: csv(), output: 'data.csv/x' }), /cannot be saved in/],
    [
      'two losses for one output',
      () => ({ data: csv(), loss: ['meanSquaredError', 'meanSquaredError'] }),
      /names 2 losses/,
    ],
    [
      'a shape for an input that is not there',
      () => ({ data: csv(), shapes: { nobody: [3] } }),
      /"nobody".*"hidden_input"/,
    ],
    [
      'a shape that does not fit',
      () => ({ data: csv(), shapes: { hidden_input: [4] } }),
      /The shape 4 does not fit/,
    ],
  ];
  for (const [what, training, says] of refusals) {
    test(`refused before anything is trained: ${what}`, async () => {
      const fit = vi.spyOn(tf.LayersModel.prototype, 'fitDataset');
      await expect(run(classifier(), training())).rejects.toThrow(says);
      expect(fit).not.toHaveBeenCalled();
    });
  }
});

describe('planning without data', () => {
  /** Runs up to the training call, then one step of it, as measuring does. */
  async function step(
    model: tf.LayersModel | string,
    training: Omit<ModelTrainingText, 'kind'> = {},
    targetBatchSize = 6,
  ) {
    let batch: { xs: Record<string, tf.Tensor>; ys: Record<string, tf.Tensor> } | undefined;
    let loss = NaN;
    vi.spyOn(tf.LayersModel.prototype, 'fitDataset').mockImplementation(async function (
      this: tf.LayersModel,
      data,
    ) {
      const iterator = await (data as unknown as BatchDataset).iterator();
      const { value } = await iterator.next();
      if (value === null) throw new Error('no batch');
      batch = value;
      const results = await this.trainOnBatch(value.xs, value.ys);
      loss = Array.isArray(results) ? (results[0] ?? NaN) : results;
      return new tf.History();
    });
    await run(model, training, { measureOnly: true, targetBatchSize });
    if (batch === undefined) throw new Error('it never trained');
    return { ...batch, loss };
  }

  for (const loss of lossNames) {
    test(`${loss} accepts the made targets`, async () => {
      const result = await step(classifier(), { loss });
      expect(Number.isFinite(result.loss)).toBe(true);
      expect(result.xs.hidden_input?.shape).toEqual([6, 3]);
    });
  }

  test('nothing is saved, and no data is needed', async () => {
    await step(classifier());
    expect(() => readFileSync(path.join(folder, 'trained/model.json'))).toThrow(/ENOENT/);
  });

  test('ids stay below the number that an Embedding has, also behind a Reshape and within a model', async () => {
    const inner = tf.sequential({ name: 'inner' });
    inner.add(tf.layers.embedding({ inputDim: 11, outputDim: 2, inputLength: 4 }));
    inner.add(tf.layers.flatten());
    const first = tf.input({ shape: [4], name: 'first' });
    const second = tf.input({ shape: [2, 2], name: 'second' });
    const numbers = tf.input({ shape: [4], name: 'numbers' });
    const looked = tf.layers
      .flatten()
      .apply(
        tf.layers
          .embedding({ inputDim: 7, outputDim: 3 })
          .apply(tf.layers.reshape({ targetShape: [4] }).apply(second)),
      ) as tf.SymbolicTensor;
    const joined = tf.layers
      .concatenate()
      .apply([inner.apply(first) as tf.SymbolicTensor, looked, numbers]) as tf.SymbolicTensor;
    const model = tf.model({
      inputs: [first, second, numbers],
      outputs: tf.layers.dense({ units: 1 }).apply(joined) as tf.SymbolicTensor,
    });
    const { xs } = await step(model, {}, 500);
    const ids = (name: string) => Array.from(xs[name]?.dataSync() ?? []);
    for (const [name, below] of [
      ['first', 11],
      ['second', 7],
    ] as const) {
      expect(ids(name).every((id) => Number.isInteger(id) && id >= 0 && id < below)).toBe(true);
      expect(new Set(ids(name)).size).toBe(below);
    }
    expect(ids('numbers').some((value) => !Number.isInteger(value))).toBe(true);
  });

  function open(): tf.LayersModel {
    const image = tf.input({ shape: [null, null, 3], name: 'image' });
    const mask = tf.layers.conv2d({
      filters: 2,
      kernelSize: 3,
      padding: 'same',
      activation: 'softmax',
      name: 'mask',
    });
    return tf.model({ inputs: image, outputs: mask.apply(image) as tf.SymbolicTensor });
  }

  test('unknown dimensions are asked for by name, with the flag to give', async () => {
    await expect(step(open())).rejects.toThrow(
      /input "image" \[\?, \?, 3\] has unknown dimensions.*--shape 128,128,3/,
    );
  });

  for (const name of ['*', 'image']) {
    test(`unknown dimensions are told for ${name}; an open output follows`, async () => {
      const { xs, ys, loss } = await step(open(), { shapes: { [name]: [8, 6, 3] } });
      expect(xs.image?.shape).toEqual([6, 8, 6, 3]);
      expect(ys.mask?.shape).toEqual([6, 8, 6, 2]);
      expect(Number.isFinite(loss)).toBe(true);
    });
  }

  test('examples of a batch differ from each other although their values repeat', async () => {
    const model = tf.sequential();
    model.add(tf.layers.flatten({ inputShape: [700, 500] }));
    model.add(tf.layers.dense({ units: 1 }));
    const { xs } = await step(model, {}, 6);
    const [values] = Object.values(xs);
    const data = values?.dataSync() ?? new Float32Array();
    const firsts = Array.from({ length: 6 }, (_, row) => data[row * 350_000]);
    expect(new Set(firsts).size).toBe(6);
    expect(Math.max(...firsts.map(Number))).toBeLessThan(1);
  });
});
