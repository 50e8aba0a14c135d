// A plain TensorFlow.js training script: a small CNN that reads handwritten digits (8×8 pixels).
// It knows nothing of Batch Planner. Run it as it is (`node train.js`), or plan it and train it with accumulation.
const fs = require('node:fs');
const path = require('node:path');
const { parseArgs } = require('node:util');
const tf = require('@tensorflow/tfjs');

const PIXELS = 64;
const CLASSES = 10;

const { values: options } = parseArgs({
  options: {
    epochs: { type: 'string', default: '20' },
    batch: { type: 'string', default: '128' },
    out: { type: 'string', default: path.join(__dirname, 'trained') },
  },
});

/** A small seeded generator (mulberry32), so that the split is the same in every run. */
function seeded(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Reads the CSV (64 pixels of 0..16, then the label), shuffles it, and keeps a fifth of it aside. */
function readDigits() {
  const rows = fs
    .readFileSync(path.join(__dirname, 'digits.csv'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(',').map(Number));
  const random = seeded(7);
  for (let i = rows.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [rows[i], rows[j]] = [rows[j], rows[i]];
  }
  const split = Math.floor(rows.length * 0.8);
  return [rows.slice(0, split), rows.slice(split)].map((part) => ({
    images: tf.tensor4d(
      part.flatMap((row) => row.slice(0, PIXELS).map((pixel) => pixel / 16)),
      [part.length, 8, 8, 1],
    ),
    labels: tf.tidy(() =>
      tf
        .oneHot(
          part.map((row) => row[PIXELS]),
          CLASSES,
        )
        .toFloat(),
    ),
  }));
}

function createModel() {
  const model = tf.sequential({ name: 'digits' });
  model.add(
    tf.layers.conv2d({
      inputShape: [8, 8, 1],
      filters: 16,
      kernelSize: 3,
      padding: 'same',
      activation: 'relu',
    }),
  );
  model.add(tf.layers.conv2d({ filters: 32, kernelSize: 3, padding: 'same', activation: 'relu' }));
  model.add(tf.layers.maxPooling2d({ poolSize: 2 }));
  model.add(tf.layers.flatten());
  model.add(tf.layers.dense({ units: 64, activation: 'relu' }));
  model.add(tf.layers.dense({ units: CLASSES, activation: 'softmax' }));
  model.compile({ optimizer: tf.train.adam(0.003), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

async function main() {
  await tf.ready();
  const [training, heldOut] = readDigits();
  const model = createModel();
  await model.fit(training.images, training.labels, {
    epochs: Number(options.epochs),
    batchSize: Number(options.batch),
    validationData: [heldOut.images, heldOut.labels],
    verbose: 0,
  });

  const [, accuracy] = model.evaluate(heldOut.images, heldOut.labels);
  console.log(
    `Accuracy on ${heldOut.images.shape[0]} held-out images: ${((await accuracy.data())[0] * 100).toFixed(1)} %`,
  );

  fs.mkdirSync(options.out, { recursive: true });
  await model.save(
    tf.io.withSaveHandler(async ({ modelTopology, weightSpecs, weightData }) => {
      const manifest = [{ paths: ['weights.bin'], weights: weightSpecs }];
      fs.writeFileSync(path.join(options.out, 'weights.bin'), Buffer.from(weightData));
      fs.writeFileSync(
        path.join(options.out, 'model.json'),
        JSON.stringify({ format: 'layers-model', modelTopology, weightsManifest: manifest }),
      );
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
    }),
  );
  console.log(`Saved the model in ${path.relative('', options.out)}`);
}

main();
