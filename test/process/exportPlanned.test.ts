// A script is planned and taken elsewhere: the program has the optimizer that the script compiles with.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openCommandProject, type CommandProject } from '../support/commandLine';

let project: CommandProject;
beforeAll(() => {
  project = openCommandProject();
});
afterAll(() => project.remove());

/** A script whose optimizer is made by this expression. */
const script = (optimizer: string): string => `
  const tf = require('@tensorflow/tfjs');
  class Mine extends tf.SGDOptimizer {}
  const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [3] })] });
  model.compile({ optimizer: ${optimizer}, loss: 'meanSquaredError' });
  model.fit(tf.ones([24, 3]), tf.ones([24, 1]), { batchSize: 8, epochs: 1, verbose: 0 });`;

async function exported(name: string, optimizer: string, to: string): Promise<{ out: string; err: string }> {
  project.write(`${name}.cjs`, script(optimizer));
  const planned = await project.run(['plan', `${name}.cjs`, '--backend', 'cpu']);
  expect(planned, planned.err).toMatchObject({ code: 0 });
  const { code, out, err } = await project.run(['export', `${name}.accumulation.json`, '--to', to]);
  expect(code, err).toBe(0);
  return { out, err };
}

test.each([
  ['tfjs', 'tf.train.momentum(0.02, 0.8, true)'],
  ['keras', 'keras.optimizers.SGD(learning_rate=0.02, momentum=0.8, nesterov=True)'],
  ['pytorch', 'torch.optim.SGD(parameters, lr=0.02, momentum=0.8, nesterov=True)'],
])('to %s', async (to, call) => {
  const { out, err } = await exported(`momentum-${to}`, 'tf.train.momentum(0.02, 0.8, true)', to);
  expect(out).toContain(call);
  expect(err).toBe('');
});

test('an optimizer of the script’s own is not guessed: Adam, and a note', async () => {
  const { out, err } = await exported('mine', 'new Mine(0.1)', 'tfjs');
  expect(out).toContain('tf.train.adam(0.001)');
  expect(err).toContain('tells of no optimizer of TensorFlow.js');
});
