// A script that loads a native package which does not work here is planned as it is, and the user is told.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openWorkshop, type Workshop } from '../support/engineWorkshop';

let workshop: Workshop;
beforeAll(async () => {
  workshop = await openWorkshop();
});
afterAll(() => workshop.remove());

const training = `
const model = tf.sequential();
model.add(tf.layers.conv2d({ inputShape: [6, 6, 1], filters: 2, kernelSize: 3 }));
model.add(tf.layers.flatten());
model.add(tf.layers.dense({ units: 1 }));
model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
model.fit(tf.ones([32, 6, 6, 1]), tf.ones([32, 1]), { batchSize: 16, epochs: 1, verbose: 0 });
`;

for (const [name, file, load] of [
  ['require', 'required.cjs', "const tf = require('@tensorflow/tfjs-node-gpu');"],
  ['import', 'imported.mjs', "import * as tf from '@tensorflow/tfjs-node-gpu';"],
] as const) {
  // The repository's own tfjs-node-gpu is installed without its native part.
  it(`by ${name}: TensorFlow.js on WASM stands in`, async () => {
    const entry = workshop.write(file, load + training);
    const { backend, search, warnings } = await workshop.profile({ entry });
    expect(backend.name).toBe('wasm');
    expect(search?.trials.length).toBeGreaterThan(0);
    const told = warnings.find(({ code }) => code === 'backendFellBack');
    expect(told?.message).toContain('The script loads @tensorflow/tfjs-node-gpu, which does not work here');
  });
}

describe('a project without TensorFlow.js of its own', () => {
  // Outside the repository, whose own copy Node would find from below it.
  const folder = mkdtempSync(path.join(os.tmpdir(), 'batch-planner-lent-'));
  const script = (name: string, text: string): string => {
    const file = path.join(folder, name);
    writeFileSync(file, text);
    return file;
  };
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is lent ours, and told', async () => {
    const entry = script('lent.cjs', `const tf = require('@tensorflow/tfjs');${training}`);
    const { search, warnings } = await workshop.profile({ entry, folder });
    expect(search?.trials.length).toBeGreaterThan(0);
    expect(warnings.map(({ message }) => message)).toContainEqual(
      expect.stringContaining('The script loads @tensorflow/tfjs, which is not installed beside it'),
    );
  });

  it('is lent nothing in the place of a package that is there and broken', async () => {
    const place = path.join(folder, 'node_modules/@tensorflow/tfjs');
    mkdirSync(place, { recursive: true });
    writeFileSync(
      path.join(place, 'package.json'),
      '{ "name": "@tensorflow/tfjs", "version": "4.22.0", "main": "x.js" }',
    );
    writeFileSync(path.join(place, 'x.js'), "require('not-there');");
    const entry = script('broken.cjs', `const tf = require('@tensorflow/tfjs');${training}`);
    await expect(workshop.profile({ entry, folder })).rejects.toThrow('not-there');
  });
});
