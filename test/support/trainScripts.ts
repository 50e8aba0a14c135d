// Scripts that the training tests run: plain TensorFlow.js, with weights and data that are the same in every process.

/** A small classifier with validation and shuffling off, which writes its History and its weights after training. */
export function mlp({
  epochs,
  shuffle = false,
  optimizer = 'tf.train.adam(0.01)',
  extra = '',
  callbacks = '{}',
  tensorflow = '@tensorflow/tfjs',
  batchSize = 32,
  layers = '',
}: {
  epochs: number;
  shuffle?: boolean;
  optimizer?: string;
  /** Code after the training. */
  extra?: string;
  callbacks?: string;
  /** Package that the script loads. */
  tensorflow?: string;
  batchSize?: number;
  /** More layers after the first. */
  layers?: string;
}): string {
  return `
const fs = require('node:fs');
const tf = require('${tensorflow}');
function seeded(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
const random = seeded(1);
const array = (length) => Float32Array.from({ length }, () => random() * 2 - 1);
async function main() {
  const x = tf.tensor2d(array(100 * 6), [100, 6]);
  const y = tf.tidy(() => x.sum(1, true).greater(0).toFloat());
  const model = tf.sequential({ name: 'small' });
  model.add(tf.layers.dense({ units: 12, activation: 'relu', inputShape: [6] }));
  ${layers}
  model.add(tf.layers.dense({ units: 1, activation: 'sigmoid' }));
  model.setWeights(model.getWeights().map((w) => tf.tensor(array(w.size), w.shape).mul(0.5)));
  model.compile({ optimizer: ${optimizer}, loss: 'binaryCrossentropy', metrics: ['accuracy'] });
  const history = await model.fit(x, y, {
    epochs: ${epochs}, batchSize: ${batchSize}, shuffle: ${shuffle}, validationSplit: 0.2, verbose: 0, callbacks: ${callbacks},
  });
  fs.writeFileSync('history.json', JSON.stringify({ ...history.history, epoch: history.epoch }));
  fs.writeFileSync('weights.json', JSON.stringify(model.getWeights().map((w) => [...w.dataSync()])));
  console.log('the model is saved');
  ${extra}
}
main();
`;
}

/**
 * Callbacks that stop the training right after its n-th update, from within: the moment is the same in every run. Once in
 * a project.
 */
export function stopsAfter(update: number): string {
  return `{
    onBatchEnd: () => {
      globalThis.updates = (globalThis.updates ?? 0) + 1;
      if (globalThis.updates === ${update} && !fs.existsSync('stopped')) {
        fs.writeFileSync('stopped', '');
        const runs = '.batch-planner/runs';
        fs.writeFileSync(runs + '/' + fs.readdirSync(runs)[0] + '/control.json', '{"request":"stop"}');
        // Longer than the trainer takes between two looks at the file.
        return new Promise((resolve) => setTimeout(resolve, 80));
      }
    },
  }`;
}
