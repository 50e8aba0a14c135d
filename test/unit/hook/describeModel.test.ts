// A model's fingerprint is that of its arithmetic: names and weights do not count, everything else does.
import type * as tfTypes from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import type { LayersModel, Tf } from '../../../src/engine/contracts';
import { describeModel } from '../../../src/engine/fitHook';
import { createOptimizer } from '../../../src/engine/model/modelCompile';
import { innerModel } from '../../../src/engine/fitHook/innerModel';
import { layerWarnings } from '../../../src/engine/fitHook/layerWarnings';
import type { ModelOptimizer } from '../../../src/planning/modelOptimizer';
import { openBackend, type TestBackend } from '../../support/testBackends';

let backend: TestBackend;
let tf: Tf;
beforeAll(async () => {
  backend = await openBackend('cpu');
  ({ tf } = backend);
});

interface Choices {
  units?: number;
  activation?: 'relu' | 'tanh';
  optimizer?: string;
  loss?: tfTypes.ModelCompileArgs['loss'];
  metrics?: string[];
  input?: number;
  frozen?: boolean;
  swapped?: boolean;
}

function make(choices: Choices = {}): LayersModel {
  const {
    units = 5,
    activation = 'relu',
    optimizer = 'adam',
    loss = 'meanSquaredError',
    input = 4,
  } = choices;
  const symbolic = tf.input({ shape: [input] });
  const left = tf.layers.dense({ units, activation, trainable: !choices.frozen }).apply(symbolic);
  const right = tf.layers.dense({ units, activation: 'sigmoid' }).apply(symbolic);
  const both = tf.layers
    .concatenate()
    .apply(choices.swapped ? ([right, left] as never) : ([left, right] as never));
  const output = tf.layers.dense({ units: 2 }).apply(both) as tfTypes.SymbolicTensor;
  const model = tf.model({ inputs: symbolic, outputs: output });
  model.compile({ optimizer, loss, ...(choices.metrics ? { metrics: choices.metrics } : {}) });
  return model;
}

describe('the fingerprint', () => {
  test('is the same for equal models with other names and weights', () => {
    expect(describeModel(make()).fingerprint).toBe(describeModel(make()).fingerprint);
    expect(describeModel(make()).fingerprint).toMatch(/^[0-9a-f]{64}$/);
  });

  const others: Record<string, Choices> = {
    units: { units: 6 },
    'an activation': { activation: 'tanh' },
    'the optimizer': { optimizer: 'sgd' },
    'the loss': { loss: 'meanAbsoluteError' },
    'a loss of the script': { loss: (truth, prediction) => truth.sub(prediction).square().mean(-1) },
    metrics: { metrics: ['mae'] },
    'the input': { input: 3 },
    'what is trained': { frozen: true },
    'the connections': { swapped: true },
  };
  for (const [what, choices] of Object.entries(others)) {
    test(`changes with ${what}`, () => {
      expect(describeModel(make(choices)).fingerprint).not.toBe(describeModel(make()).fingerprint);
    });
  }
});

test('sizes are those of the model', () => {
  expect(describeModel(make({ frozen: true }), 'mine')).toMatchObject({
    modelName: 'mine',
    parameters: 25 + 25 + 22,
    trainableParameters: 25 + 22,
    optimizer: 'Adam',
    layers: 5,
    inputShapes: [[null, 4]],
  });
});

test('a model that was not compiled is refused', () => {
  expect(() => describeModel(tf.sequential())).toThrow(TypeError);
});

test('warnings name random layers, random sizes and the gradient that the cpu backend spoils', () => {
  const model = tf.sequential({
    layers: [
      tf.layers.upSampling2d({ size: [2, 2], inputShape: [4, 4, 1], name: 'up' }),
      tf.layers.dropout({ rate: 0.5, name: 'unseeded' }),
      tf.layers.dropout({ rate: 0.5, seed: 3, name: 'seeded' }),
      tf.layers.dropout({ rate: 0, name: 'idle' }),
      tf.layers.gaussianNoise({ stddev: 0.1, name: 'noise' }),
      tf.layers.flatten(),
      tf.layers.repeatVector({ n: 2 }),
      tf.layers.lstm({ units: 2, recurrentDropout: 0.2, name: 'recurrent' }),
    ],
  });
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  const warnings = layerWarnings(backend.core, innerModel(Reflect.get(model, 'model') as object));
  const byCode = Object.fromEntries(warnings.map(({ code, layers }) => [code, layers]));
  expect(byCode['backendGradient']).toEqual(['up']);
  expect(byCode['randomLayer']).toEqual(['unseeded', 'noise', 'recurrent']);
});

describe('the optimizer', () => {
  const asked: ModelOptimizer[] = [
    { name: 'sgd', learningRate: 0.3 },
    { name: 'momentum', learningRate: 0.02, momentum: 0.8, useNesterov: true },
    { name: 'adagrad', learningRate: 0.05, initialAccumulatorValue: 0.2 },
    { name: 'adadelta', learningRate: 0.5, rho: 0.9, epsilon: 1e-6 },
    { name: 'adam', learningRate: 0.002, beta1: 0.8, beta2: 0.99, epsilon: 1e-6 },
    { name: 'adamax', learningRate: 0.002, beta1: 0.8, beta2: 0.99, epsilon: 1e-6, decay: 0.01 },
    { name: 'rmsprop', learningRate: 0.003, decay: 0.8, momentum: 0.5, epsilon: 1e-6, centered: true },
  ];
  const compiled = (optimizer: tfTypes.Optimizer | string): LayersModel => {
    const model = make();
    model.compile({ optimizer, loss: 'meanSquaredError' });
    return model;
  };

  test.each(asked)('of TensorFlow.js is told with all its parameters: $name', (optimizer) => {
    expect(describeModel(compiled(createOptimizer(tf, optimizer))).stockOptimizer).toEqual(optimizer);
  });

  test('is told where it was compiled by its name, and with the rate that it has now', () => {
    const byName = compiled('rmsprop');
    expect(describeModel(byName).stockOptimizer).toMatchObject({ name: 'rmsprop', decay: 0.9, momentum: 0 });
    const own = tf.train.sgd(0.1);
    Reflect.set(own, 'learningRate', 0.01);
    expect(describeModel(compiled(own)).stockOptimizer).toEqual({ name: 'sgd', learningRate: 0.01 });
  });

  test('of the script is not taken for the one that it extends', () => {
    class Mine extends tf.SGDOptimizer {}
    class Named extends tf.SGDOptimizer {
      static override readonly className = 'Mine';
    }
    expect(describeModel(compiled(new Mine(0.1))).stockOptimizer).toBeNull();
    expect(describeModel(compiled(new Named(0.1))).stockOptimizer).toBeNull();
  });
});
