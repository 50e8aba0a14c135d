// A training script for real out-of-memory: each example takes tens of megabytes and next to no time.

/** With so much for each example, a limit of memory lies clearly between two sizes. `afterwards` runs once fit ended. */
export function memoryHungryScript(
  require: string,
  rows: number,
  { epochs = 1, afterwards = '' }: { epochs?: number; afterwards?: string } = {},
): string {
  return `
const tf = require('${require}');
const wide = tf.ones([1, 1048576]);
const loss = (truth, prediction) => {
  let h = tf.mul(wide, tf.sub(prediction, truth));
  for (let i = 0; i < 5; i++) h = tf.square(h);
  return tf.mean(h, -1);
};
const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });
model.compile({ optimizer: 'sgd', loss });
const options = { batchSize: ${rows}, epochs: ${epochs}, verbose: 0 };
model.fit(tf.ones([${rows}, 2]), tf.zeros([${rows}, 1]), options).then(() => { ${afterwards} });
`;
}
