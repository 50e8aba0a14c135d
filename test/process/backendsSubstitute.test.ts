// A script that loads a native package which does not work here is planned as it is, and the user is told.
import { afterAll, beforeAll, expect, it } from 'vitest';
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
