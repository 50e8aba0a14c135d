// Small training scripts that the command line's tests plan: plain TensorFlow.js, as users write it.

/** Fits a dense model; `before` stands before the model is made, `layers` among its layers. */
export function denseScript({
  batchSize = '16',
  rows = 64,
  before = '',
  layers = '',
}: { batchSize?: string; rows?: number; before?: string; layers?: string } = {}): string {
  return `
const tf = require('@tensorflow/tfjs');
console.log('the script says hello');
async function main() {
  ${before}
  const model = tf.sequential({ name: 'small' });
  model.add(tf.layers.dense({ units: 8, inputShape: [4] }));
  ${layers}
  model.add(tf.layers.dense({ units: 1 }));
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  await model.fit(tf.ones([${rows}, 4]), tf.ones([${rows}, 1]), { batchSize: ${batchSize}, epochs: 1, verbose: 0 });
  console.log('the script is done');
}
main();
`;
}

/** A layer that never comes back from more than two examples: the third trial hangs. */
export const hangingLayer = {
  before: `
  class Hang extends tf.layers.Layer {
    static className = 'Hang';
    call(inputs) {
      const x = Array.isArray(inputs) ? inputs[0] : inputs;
      if (x.shape[0] > 2) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      return x;
    }
  }`,
  layers: 'model.add(new Hang());',
};

/** Keeps its state from batch to batch, so that its batches cannot be cut. */
export const statefulScript = `
const tf = require('@tensorflow/tfjs');
const model = tf.sequential({ name: 'walker' });
model.add(tf.layers.lstm({ units: 3, stateful: true, batchInputShape: [4, 5, 2] }));
model.add(tf.layers.dense({ units: 1 }));
model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
model.fit(tf.ones([8, 5, 2]), tf.ones([8, 1]), { batchSize: 4, epochs: 1, verbose: 0 });
`;
