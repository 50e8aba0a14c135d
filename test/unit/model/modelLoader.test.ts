// A Layers model is loaded as it was saved; what cannot be trained is told with the file and what to do.
import { mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadModel } from '../../../src/engine/model/modelLoader';
import { saveAs, weightsOf } from './savedModels';

let folder: string;
let folders = 0;
const fresh = () => path.join(folder, String(++folders));
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'loader-'));
  await tf.setBackend('cpu');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function small(): tf.Sequential {
  const model = tf.sequential({ name: 'small' });
  model.add(tf.layers.dense({ units: 3, inputShape: [4], activation: 'relu', name: 'hidden' }));
  model.add(tf.layers.dense({ units: 2, activation: 'softmax', name: 'kinds' }));
  return model;
}

test('weights come back bit for bit, with nothing to tell', async () => {
  const model = small();
  const { model: loaded, notes } = await loadModel(tf, await saveAs(fresh(), model));
  expect(weightsOf(loaded)).toEqual(weightsOf(model));
  expect(notes).toEqual([]);
});

test("the model's own training config and its optimizer's state are kept", async () => {
  const model = small();
  model.compile({ optimizer: tf.train.adam(0.02), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  await model.trainOnBatch(
    tf.ones([2, 4]),
    tf.tensor2d([
      [1, 0],
      [0, 1],
    ]),
  );
  const { model: loaded } = await loadModel(tf, await saveAs(fresh(), model, { includeOptimizer: true }));
  expect(loaded.loss).toBe('categoricalCrossentropy');
  const [before, after] = await Promise.all([model, loaded].map(({ optimizer }) => optimizer.getWeights()));
  const values = (weights: typeof before) => weights?.map(({ tensor }) => Array.from(tensor.dataSync()));
  expect(values(after)).toEqual(values(before));
  expect(after?.length).toBeGreaterThan(1);
});

test('a model without weights starts from initial ones, and says so', async () => {
  const file = await saveAs(fresh(), small(), { change: (json) => delete json.weightsManifest });
  const { model, notes } = await loadModel(tf, file);
  expect(model.countParams()).toBe(23);
  expect(notes).toEqual([`${file} has no weights: the model starts from initial ones.`]);
});

test('a training config that tfjs does not know is left out, and told', async () => {
  const change = (json: Record<string, unknown>) => {
    json.trainingConfig = {
      loss: 'categorical_crossentropy',
      optimizer_config: { class_name: 'Custom>AdamW', config: { lr: 0.1 } },
    };
  };
  const { model, notes } = await loadModel(tf, await saveAs(fresh(), small(), { change }));
  expect(model.countParams()).toBe(23);
  expect(notes[0]).toMatch(/training config.*cannot be used.*AdamW/);
});

describe('refused', () => {
  test('a graph model', async () => {
    const file = path.join(folder, 'graph.json');
    writeFileSync(
      file,
      JSON.stringify({ format: 'graph-model', modelTopology: { node: [] }, weightsManifest: [] }),
    );
    await expect(loadModel(tf, file)).rejects.toThrow(/graph\.json is a graph model.*not trained/);
  });

  test('a missing file', async () => {
    await expect(loadModel(tf, path.join(folder, 'no.json'))).rejects.toThrow(/no\.json does not exist/);
  });

  test('weights that are missing', async () => {
    const file = await saveAs(fresh(), small());
    rmSync(path.join(path.dirname(file), 'weights.bin'));
    await expect(loadModel(tf, file)).rejects.toThrow(/weights\.bin is missing/);
  });

  test('weights that are truncated: expected and found bytes', async () => {
    const file = await saveAs(fresh(), small());
    const weights = path.join(path.dirname(file), 'weights.bin');
    expect(statSync(weights).size).toBe(92);
    truncateSync(weights, 80);
    await expect(loadModel(tf, file)).rejects.toThrow(/weights\.bin has 80 bytes.*needs 92/);
  });

  test('weights of another model', async () => {
    const file = await saveAs(fresh(), small(), {
      change: (json) => {
        const manifest = json.weightsManifest as { weights: { name: string }[] }[];
        for (const weight of manifest[0]?.weights ?? []) weight.name = weight.name.replace('hidden', 'other');
      },
    });
    await expect(loadModel(tf, file)).rejects.toThrow(/The weights of .*model\.json belong to another model/);
  });

  test('a custom layer, by its name', async () => {
    const change = (json: Record<string, unknown>) => {
      const text = JSON.stringify(json.modelTopology).replaceAll('"Dense"', '"AttentionPool"');
      json.modelTopology = JSON.parse(text) as unknown;
    };
    const file = await saveAs(fresh(), small(), { change });
    await expect(loadModel(tf, file)).rejects.toThrow(/layer class AttentionPool.*custom layer.*script/);
  });

  test('an unknown initializer, by its name', async () => {
    const change = (json: Record<string, unknown>) => {
      const text = JSON.stringify(json.modelTopology).replaceAll('"VarianceScaling"', '"Sobol"');
      json.modelTopology = JSON.parse(text) as unknown;
    };
    await expect(loadModel(tf, await saveAs(fresh(), small(), { change }))).rejects.toThrow(
      /initializer Sobol/,
    );
  });
});
