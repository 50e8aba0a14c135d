// Makes this folder's model: a small CNN for 8×8 digits, untrained, saved as a Layers model (model.json, weights.bin).
// Run it with `node make-model.mjs`; the initializers are seeded, so that it writes the same files each time.
import { writeFile } from 'node:fs/promises';
import tf from '@tensorflow/tfjs';

await tf.setBackend('cpu');
const start = (seed) => tf.initializers.heNormal({ seed });
const model = tf.sequential({ name: 'digits_cnn' });
model.add(
  tf.layers.conv2d({
    name: 'strokes',
    inputShape: [8, 8, 1],
    filters: 16,
    kernelSize: 3,
    padding: 'same',
    activation: 'relu',
    kernelInitializer: start(1),
  }),
);
model.add(
  tf.layers.conv2d({
    name: 'shapes',
    filters: 32,
    kernelSize: 3,
    padding: 'same',
    activation: 'relu',
    kernelInitializer: start(2),
  }),
);
model.add(tf.layers.maxPooling2d({ name: 'pool', poolSize: 2 }));
model.add(tf.layers.flatten({ name: 'flatten' }));
model.add(tf.layers.dense({ name: 'hidden', units: 64, activation: 'relu', kernelInitializer: start(3) }));
model.add(tf.layers.dense({ name: 'digit', units: 10, activation: 'softmax', kernelInitializer: start(4) }));

await model.save(
  tf.io.withSaveHandler(async ({ modelTopology, weightSpecs, weightData, format, generatedBy }) => {
    const weightsManifest = [{ paths: ['weights.bin'], weights: weightSpecs }];
    const text = JSON.stringify({ format, generatedBy, modelTopology, weightsManifest });
    await writeFile(new URL('model.json', import.meta.url), `${text}\n`);
    await writeFile(new URL('weights.bin', import.meta.url), Buffer.from(weightData));
    return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
  }),
);
