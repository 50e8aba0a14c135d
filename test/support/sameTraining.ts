// One network, one set of data and one plan, as TensorFlow.js trains them: without the product, by it, and by an exported program.
import { seededRandom } from './seededRandom';

export const rows = 101;
export const epochs = 10;
/** Weights as arrays of numbers, one for each tensor. */
export type Weights = readonly (readonly number[])[];

/** What all frameworks start from: nested arrays, in the order and shapes of TensorFlow.js. */
export function startingPoint() {
  const random = seededRandom(7);
  const matrix = (height: number, width: number, scale: number) =>
    Array.from({ length: height }, () => Array.from({ length: width }, () => scale * (random() * 2 - 1)));
  const x = matrix(rows, 20, 1.7);
  const labels = x.map((row) => row.slice(0, 4).indexOf(Math.max(...row.slice(0, 4))));
  const weights = [
    matrix(20, 32, 0.3),
    Array<number>(32).fill(0),
    matrix(32, 4, 0.3),
    Array<number>(4).fill(0),
  ];
  return { x, labels, weights, epochs };
}

/** A script that knows nothing of microbatches: reads data.json, fits, writes weights.json. */
export function fitScript(optimizer: string, batchSize: number): string {
  return `const tf = require('@tensorflow/tfjs');
const { readFileSync, writeFileSync } = require('node:fs');
const data = JSON.parse(readFileSync(__dirname + '/data.json', 'utf8'));
const model = tf.sequential({
  layers: [
    tf.layers.dense({ inputShape: [20], units: 32, activation: 'tanh' }),
    tf.layers.dense({ units: 4, activation: 'softmax' }),
  ],
});
model.setWeights(data.weights.map((weight) => tf.tensor(weight)));
model.compile({ optimizer: ${optimizer}, loss: 'categoricalCrossentropy' });
const x = tf.tensor2d(data.x);
const y = tf.oneHot(tf.tensor1d(data.labels, 'int32'), 4).toFloat();
(async () => {
  await model.fit(x, y, { batchSize: ${batchSize}, epochs: data.epochs, shuffle: false, verbose: 0 });
  const weights = model.getWeights().map((weight) => [...weight.dataSync()]);
  writeFileSync(__dirname + '/weights.json', JSON.stringify(weights));
})();
`;
}

/** The exported program, which trains on data.json beside it in place of made data, and prints the weights. */
export function onDataOf(program: string): string {
  const [own = ''] = program.split('await tf.ready();');
  return `import { readFileSync } from "node:fs";
${own}
await tf.ready();
const data = JSON.parse(readFileSync(new URL("data.json", import.meta.url), "utf8"));
model.setWeights(data.weights.map((weight) => tf.tensor(weight)));
const xs = tf.tensor2d(data.x);
const ys = tf.oneHot(tf.tensor1d(data.labels, "int32"), 4).toFloat();
for (let epoch = 0; epoch < data.epochs; epoch += 1) {
  for (let start = 0; start < xs.shape[0]; start += targetBatchSize) {
    update(rowsOf({ xs, ys }, start, Math.min(targetBatchSize, xs.shape[0] - start)));
  }
}
console.log(JSON.stringify(model.getWeights().map((weight) => [...weight.dataSync()])));
`;
}

/** ‖actual − expected‖ / ‖expected‖, over all weights together. */
export function difference(actual: Weights, expected: Weights): number {
  const [values, others] = [actual.flat(), expected.flat()];
  if (values.length !== others.length) return Number.NaN;
  const norm = (numbers: number[]) => Math.hypot(...numbers);
  return norm(values.map((value, at) => value - (others[at] ?? Number.NaN))) / norm(others);
}
