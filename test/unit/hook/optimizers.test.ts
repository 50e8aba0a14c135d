// Adam and Adamax are applied in little memory, with the bits of the stock method.
import type * as tfTypes from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Tf } from '../../../src/engine/contracts';
import { createApplyGradients } from '../../../src/engine/fitHook/optimizers/applyGradients';
import { dense, figures, openTwice, rowsOf, type Twice } from './trainTwice';

let twice: Twice;
beforeAll(async () => {
  twice = await openTwice();
});

const lean: Record<string, (tf: Tf) => tfTypes.Optimizer> = {
  adam: (tf) => tf.train.adam(0.01),
  'adam with its own rates': (tf) => tf.train.adam(0.02, 0.8, 0.95, 1e-4),
  adamax: (tf) => tf.train.adamax(0.01),
  'adamax with decay': (tf) => tf.train.adamax(0.01, 0.8, 0.95, 1e-6, 0.1),
};
const all: Record<string, (tf: Tf) => tfTypes.Optimizer> = {
  ...lean,
  sgd: (tf) => tf.train.sgd(0.1),
  momentum: (tf) => tf.train.momentum(0.1, 0.9, true),
  adagrad: (tf) => tf.train.adagrad(0.1),
  adadelta: (tf) => tf.train.adadelta(1),
  rmsprop: (tf) => tf.train.rmsprop(0.01, 0.9, 0.5, 1e-7, true),
};

const fit = (model: tfTypes.LayersModel) =>
  model.fit(rowsOf(twice.tf, 40, 4), rowsOf(twice.tf, 40, 2), { batchSize: 10, epochs: 5, verbose: 0 });

describe('with one microbatch an update has the bits of the unhooked one, 20 times over', () => {
  for (const [name, optimizer] of Object.entries(all)) {
    test(name, async () => {
      const make = (tf: Tf) => dense(tf, { optimizer: optimizer(tf) });
      const { expected, actual } = await twice.train(make, fit, { microbatchSize: () => 10 });
      expect(actual.weights).toEqual(expected.weights);
      expect(figures(actual.returned)).toEqual(figures(expected.returned));
      expect(actual.tensorsLeft).toBe(expected.tensorsLeft);
      const [wanted, got] = [expected.model.optimizer, actual.model.optimizer];
      expect(Reflect.get(got, 'iterations')).toBe(20);
      if (!name.startsWith('adamax')) {
        const slots = async (one: tfTypes.Optimizer) =>
          (await one.getWeights()).map(({ tensor }) => Array.from(tensor.dataSync()));
        expect(await slots(got)).toEqual(await slots(wanted));
      }
    });
  }
});

test('a missing gradient leaves its slot in its place', () => {
  const { core, tf } = { core: twice.backend.core, tf: twice.tf };
  const run = (apply: (optimizer: tfTypes.Optimizer, gradients: Applied) => void): number[][] => {
    const variables = [3, 1, 2].map((size, index) => tf.variable(tf.fill([size], index + 1), true));
    const optimizer = tf.train.adam(0.1);
    for (let step = 0; step < 3; step += 1) {
      const gradients = variables.map((variable, index) => ({
        name: variable.name,
        tensor: index === 1 && step < 2 ? undefined : tf.fill(variable.shape, Math.sin(step + index)),
      }));
      apply(optimizer, gradients as Applied);
    }
    return variables.map((variable) => Array.from(variable.dataSync()));
  };
  const applyLean = createApplyGradients(core);
  expect(run(applyLean)).toEqual(run((optimizer, gradients) => optimizer.applyGradients(gradients)));
});
type Applied = { name: string; tensor: tfTypes.Tensor }[];

describe('the peak of tensors while applying', () => {
  for (const [name, optimizer] of Object.entries(lean)) {
    test(`${name} stays far below the stock method’s`, () => {
      const { core, tf } = { core: twice.backend.core, tf: twice.tf };
      const parameters = 8 * 64 * 64;
      const peak = (apply: (optimizer: tfTypes.Optimizer, gradients: Applied) => void): number => {
        const one = optimizer(tf);
        const variables = Array.from({ length: 8 }, () => tf.variable(tf.ones([64, 64])));
        const gradients = variables.map(({ name: variable }) => ({
          name: variable,
          tensor: tf.ones([64, 64]),
        }));
        apply(one, gradients);
        const engine = core.engine();
        const own = engine.runKernel.bind(engine);
        let most = 0;
        const measured = (...args: Parameters<typeof own>): unknown => {
          const result = own(...args);
          most = Math.max(most, core.memory().numBytes);
          return result;
        };
        Object.defineProperty(engine, 'runKernel', { value: measured, configurable: true });
        const before = core.memory().numBytes;
        try {
          apply(one, gradients);
        } finally {
          Reflect.deleteProperty(engine, 'runKernel');
        }
        tf.dispose([variables, gradients]);
        one.dispose();
        return (most - before) / (4 * parameters);
      };
      const stock = peak((one, gradients) => one.applyGradients(gradients));
      const leaned = peak(createApplyGradients(core));
      // Temporaries of one variable of eight instead of all eight.
      expect(leaned).toBeLessThan(stock / 4);
    });
  }
});

test('a subclass is applied by its own method only', () => {
  const { core, tf } = { core: twice.backend.core, tf: twice.tf };
  let calls = 0;
  class Own extends core.AdamOptimizer {
    override applyGradients(gradients: Parameters<tfTypes.AdamOptimizer['applyGradients']>[0]): void {
      calls += 1;
      super.applyGradients(gradients);
    }
  }
  const variables = [tf.variable(tf.ones([4])), tf.variable(tf.ones([4]))];
  const gradients = variables.map(({ name }) => ({ name, tensor: tf.ones([4]) }));
  createApplyGradients(core)(new Own(0.1, 0.9, 0.999), gradients);
  expect(calls).toBe(1);
});

test('a change of the learning rate by a callback takes effect with the next update', async () => {
  const make = (tf: Tf) => dense(tf, { optimizer: tf.train.adam(0.05) });
  const train = (model: tfTypes.LayersModel) =>
    model.fit(rowsOf(twice.tf, 40, 4), rowsOf(twice.tf, 40, 2), {
      batchSize: 10,
      epochs: 2,
      verbose: 0,
      callbacks: {
        onBatchEnd: async (batch) => {
          Reflect.set(model.optimizer, 'learningRate', 0.05 / (batch + 2));
          await Promise.resolve();
        },
      },
    });
  const { expected, actual } = await twice.train(make, train, { microbatchSize: () => 10 });
  expect(actual.weights).toEqual(expected.weights);
});
