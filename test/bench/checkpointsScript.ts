// A script of dense layers whose size is given, for measuring what it costs to save a model of that size.

export interface DenseSize {
  readonly inputs: number;
  readonly units: number;
  readonly batch: number;
  readonly updates: number;
  /** Updates between two checkpoints. */
  readonly checkpointEach: number;
}

/**
 * Trains, writes how long that took in ms into `fit-1.json`, and fails, so that it can be gone on with; at its second
 * start it writes `fit-2.json`.
 */
export function denseScript(tensorflow: string, { inputs, units, batch, updates }: DenseSize): string {
  return `
const fs = require('node:fs');
const tf = require('${tensorflow}');
async function main() {
  const again = fs.existsSync('fit-1.json');
  const x = tf.randomUniform([${batch * updates}, ${inputs}]);
  const y = tf.zeros([${batch * updates}, 1]);
  const model = tf.sequential({ layers: [
    tf.layers.dense({ units: ${units}, activation: 'relu', inputShape: [${inputs}] }),
    tf.layers.dense({ units: 1, activation: 'sigmoid' }),
  ] });
  model.compile({ optimizer: 'adam', loss: 'binaryCrossentropy', metrics: ['accuracy'] });
  const start = performance.now();
  await model.fit(x, y, { epochs: 1, batchSize: ${batch}, verbose: 0 });
  fs.writeFileSync(again ? 'fit-2.json' : 'fit-1.json', JSON.stringify(performance.now() - start));
  const state = [...model.getWeights(), ...(await model.optimizer.getWeights()).map(({ tensor }) => tensor)];
  fs.writeFileSync('state-bytes.txt', String(state.reduce((sum, { size }) => sum + 4 * size, 0)));
  if (!again) throw new Error('no place to save');
}
main();
`;
}
