// One update's gradient for layers of every kind that does not depend on the other rows of its batch.
import type * as tfTypes from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import type { Tf } from '../../src/engine/contracts';
import type { TestBackendName } from '../support/testBackends';
import { relativeDifference } from '../support/trainingRecord';
import { comparisonOn, gradientTolerance } from './equalityMatrix';
import type { Scenario } from './scenarios';

type Layer = tfTypes.layers.Layer;
type Kind = { readonly input: number[]; readonly integers?: boolean; layers(tf: Tf): Layer[] };

const kinds: Record<string, Kind> = {
  'convolution and pooling': {
    input: [6, 6, 2],
    layers: ({ layers }) => [
      layers.conv2d({ filters: 3, kernelSize: 3, activation: 'tanh' }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.flatten(),
    ],
  },
  'separable and depthwise convolution': {
    input: [6, 6, 2],
    layers: ({ layers }) => [
      layers.separableConv2d({ filters: 3, kernelSize: 2 }),
      layers.depthwiseConv2d({ kernelSize: 2 }),
      layers.globalAveragePooling2d({}),
    ],
  },
  'transposed convolution': {
    input: [3, 3, 2],
    layers: ({ layers }) => [layers.conv2dTranspose({ filters: 2, kernelSize: 2 }), layers.flatten()],
  },
  'convolution over time': {
    input: [7, 3],
    layers: ({ layers }) => [
      layers.conv1d({ filters: 3, kernelSize: 2, activation: 'elu' }),
      layers.globalMaxPooling1d({}),
    ],
  },
  LSTM: { input: [4, 3], layers: ({ layers }) => [layers.lstm({ units: 3 })] },
  GRU: { input: [4, 3], layers: ({ layers }) => [layers.gru({ units: 3 })] },
  bidirectional: {
    input: [4, 3],
    layers: ({ layers }) => [
      layers.bidirectional({
        layer: layers.simpleRNN({ units: 3, returnSequences: true }) as tfTypes.RNN,
        mergeMode: 'concat',
      }),
      layers.timeDistributed({ layer: layers.dense({ units: 2 }) }),
      layers.flatten(),
    ],
  },
  'embedding, masked, into LSTM': {
    input: [5],
    integers: true,
    layers: ({ layers }) => [
      layers.embedding({ inputDim: 7, outputDim: 3, maskZero: true, inputLength: 5 }),
      layers.lstm({ units: 2 }),
    ],
  },
  'layer normalization': {
    input: [6],
    layers: ({ layers }) => [layers.dense({ units: 5 }), layers.layerNormalization()],
  },
  'parametric ReLU': {
    input: [6],
    layers: ({ layers }) => [layers.dense({ units: 5 }), layers.prelu()],
  },
};

function scenarioOf(name: string, kind: Kind): Scenario {
  const rows = 7;
  const size = kind.input.reduce((product, length) => product * length, rows);
  const values = Float32Array.from({ length: size }, (_, index) =>
    kind.integers ? (index * 5) % 7 : Math.sin(1.7 * (index + 1)),
  );
  return {
    name,
    microbatch: 3,
    model: (tf) => {
      const layers = [...kind.layers(tf), tf.layers.dense({ units: 2 })];
      const input = tf.input({ shape: kind.input });
      const output = layers.reduce<tfTypes.SymbolicTensor>(
        (tensor, layer) => layer.apply(tensor) as tfTypes.SymbolicTensor,
        input,
      );
      return tf.model({ inputs: input, outputs: output });
    },
    loss: 'meanSquaredError',
    train: async (tf, model) => {
      const x = tf.tensor(values, [rows, ...kind.input]);
      const y = tf.tensor2d(
        Array.from({ length: rows * 2 }, (_, index) => Math.cos(index)),
        [rows, 2],
      );
      const loss = await model.trainOnBatch(x, y);
      tf.dispose([x, y]);
      return loss;
    },
  };
}

/** Declares one test for each kind; skipped by name where the backend's lane is missing. */
export function layerKinds(name: TestBackendName): void {
  describe(`an update of unequal microbatches on ${name}`, () => {
    const { missing, both } = comparisonOn(name);

    for (const [kind, parts] of Object.entries(kinds)) {
      test(`has the full batch's gradient: ${kind}`, async (context) => {
        if (missing !== null) return context.skip(missing);
        const scenario = scenarioOf(kind, parts);
        const { expected, actual } = await both(scenario, (tf) => tf.train.sgd(0.1));
        expect(expected.firstGradients.length).toBeGreaterThan(1);
        expect(relativeDifference(actual.firstGradients, expected.firstGradients)).toBeLessThan(
          gradientTolerance,
        );
        expect(actual.tensorsLeft).toBe(expected.tensorsLeft);
      });
    }
  });
}
