// Every class of layer trains on WASM as on the cpu backend and on real TensorFlow, with our kernels where it needs them.
import { createRequire } from 'node:module';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import { beforeAll, describe, expect, it } from 'vitest';
import { registerWasmKernels } from '../../src/engine/wasm/register';
import { gradientKernels, layersWithoutWasmGradient, wasmRefusal } from '../../src/engine/wasm/trainable';
import { tensorflowLane } from '../support/lanes';
import { layerCases, mergeCases, type LayerCase } from './wasmLayerCases';

const rows = 3;
const lane = tensorflowLane();
let kernelsBefore: string[];

beforeAll(async () => {
  await tf.setBackend('cpu');
  await tf.setBackend('wasm');
  kernelsBefore = tf.getKernelsForBackend('wasm').map(({ kernelName }) => kernelName);
  registerWasmKernels(tf);
  if (lane.place === undefined) return;
  // Its copy of TensorFlow.js shares this one's engine, which so gets a third backend.
  process.env.TF_CPP_MIN_LOG_LEVEL = '2';
  createRequire(path.join(lane.place, 'noop.js'))('@tensorflow/tfjs-node-gpu');
});

/** The WASM backend as its package brings it. */
const plainBackend = {
  getKernel: (name: string, backend: string) =>
    kernelsBefore.includes(name) ? tf.getKernel(name, backend) : undefined,
} as Pick<typeof tf, 'getKernel'>;

/** Random numbers, the same for every backend. */
function numbers(count: number, below?: number): number[] {
  let state = 7;
  return Array.from({ length: count }, () => {
    state = (state * 48271) % 2147483647;
    const unit = state / 2147483647;
    return below === undefined ? unit * 2 - 1 : Math.floor(unit * below);
  });
}

const sizeOf = (shape: readonly number[]) => shape.reduce((product, length) => product * length, 1);

/** What is trained: a model with weights on both sides of the layer, so that gradients go through it and into it. */
interface Case {
  readonly name: string;
  readonly className: string;
  readonly input: readonly number[];
  readonly below?: number | undefined;
  model(): tf.LayersModel;
}

function layerModel({ input, below, first, layer }: LayerCase): tf.LayersModel {
  const start = tf.input({ shape: [...input] });
  const units = input[input.length - 1] ?? 1;
  const before = first === true || below !== undefined ? start : tf.layers.dense({ units }).apply(start);
  let after = layer(tf).apply(before) as tf.SymbolicTensor;
  if (after.shape.length > 2) after = tf.layers.flatten().apply(after) as tf.SymbolicTensor;
  return tf.model({
    inputs: start,
    outputs: tf.layers.dense({ units: 2 }).apply(after) as tf.SymbolicTensor,
  });
}

const cases: Case[] = [
  ...layerCases.map((each) => ({
    name: [each.className, each.variant].filter(Boolean).join(', '),
    className: each.className,
    input: each.input,
    below: each.below,
    model: () => layerModel(each),
  })),
  ...mergeCases.map(({ className, input, merge }) => ({
    name: className,
    className,
    input,
    model: () => {
      const start = tf.input({ shape: [...input] });
      const branch = () => tf.layers.dense({ units: 4 }).apply(start) as tf.SymbolicTensor;
      let merged = merge(tf, [branch(), branch()]);
      if (merged.shape.length > 2) merged = tf.layers.flatten().apply(merged) as tf.SymbolicTensor;
      return tf.model({
        inputs: start,
        outputs: tf.layers.dense({ units: 2 }).apply(merged) as tf.SymbolicTensor,
      });
    },
  })),
];

/** How weights change in one step from fixed weights: the gradients, by an optimizer that only scales them. */
async function step(
  backend: string,
  { model: make, input, below }: Case,
): Promise<{ changes: number[][]; kernels: string[] }> {
  await tf.setBackend(backend);
  const model = make();
  model.compile({ optimizer: tf.train.sgd(1), loss: 'meanSquaredError' });
  const initial = model.getWeights().map((weight) => numbers(weight.size).map((value) => value / 4 + 0.3));
  model.setWeights(model.getWeights().map((weight, index) => tf.tensor(initial[index] ?? [], weight.shape)));
  const x = tf.tensor(numbers(rows * sizeOf(input), below), [rows, ...input]);
  const y = tf.tensor2d(numbers(rows * 2), [rows, 2]);
  const { kernelNames: kernels } = await tf.profile(async () => {
    const loss = await model.trainOnBatch(x, y);
    return tf.scalar(Number(loss));
  });
  const changes = model
    .getWeights()
    .map((weight, index) =>
      Array.from(weight.dataSync(), (value, at) => value - (initial[index]?.[at] ?? NaN)),
    );
  model.dispose();
  return { changes, kernels };
}

/** Largest difference relative to the largest change of any weight. */
function difference(found: number[][], expected: number[][]): number {
  const largest = Math.max(...expected.flat().map(Math.abs));
  const differences = expected.map((weight, index) =>
    weight.map((value, at) => Math.abs(value - (found[index]?.[at] ?? NaN))),
  );
  return Math.max(...differences.flat()) / largest;
}

/** No backend trains these between two layers with weights: what tfjs says to it. */
const trainsNowhere: Readonly<Record<string, RegExp>> = {
  CategoryEncoding: /expected a batch of elements where each example has shape/,
  CenterCrop: /gradient function not found for CropAndResize/,
  Conv3DTranspose: /gradient function not found for Conv3DBackpropInputV2/,
  RandomWidth: /Negative dimension|positive integers/,
  'Resizing, bilinear': /must be rank 3 or 4|Invalid typed array length/,
  'Resizing, nearest': /must be rank 3 or 4|Invalid typed array length/,
  ThresholdedReLU: /gradient function not found for Greater/,
};

/** tfjs's cpu backend is no reference for these: its own gradient is wrong. */
const cpuIsWrong: Readonly<Record<string, string>> = {
  'UpSampling2D, nearest': 'rows after the first take the wrong values (ResizeNearestNeighborGrad)',
  AveragePooling2D: 'padding is counted (AvgPoolGrad)',
};

describe('one step on WASM', () => {
  for (const each of cases) {
    const nowhere = trainsNowhere[each.name];
    if (nowhere !== undefined) {
      it(`${each.name}: says what TensorFlow.js says on cpu`, async () => {
        await expect(step('cpu', each)).rejects.toThrow(nowhere);
        await expect(step('wasm', each)).rejects.toThrow(nowhere);
      });
      continue;
    }
    const wrong = cpuIsWrong[each.name];
    it(`${each.name}: ${wrong === undefined ? 'equals cpu' : `differs from cpu, where ${wrong}`}`, async () => {
      const { changes, kernels } = await step('wasm', each);
      const expected = (await step('cpu', each)).changes;
      if (wrong === undefined) expect(difference(changes, expected)).toBeLessThanOrEqual(1e-5);
      else expect(difference(changes, expected)).toBeGreaterThan(1e-3);
      const added = kernels.filter(
        (kernel) => !kernelsBefore.includes(kernel) && tf.getKernel(kernel, 'wasm'),
      );
      const foretold = layersWithoutWasmGradient(plainBackend, each.model());
      const known = foretold.flatMap(({ className }) => gradientKernels[className] ?? []);
      expect(known).toEqual(expect.arrayContaining(added));
    });
    it.skipIf(lane.place === undefined)(`${each.name}: equals real TensorFlow`, async () => {
      const { changes } = await step('wasm', each);
      expect(difference(changes, (await step('tensorflow', each)).changes)).toBeLessThanOrEqual(1e-5);
    });
  }
});

describe('the list of layers that WASM cannot train', () => {
  it('is empty with our kernels, for every class of layer', () => {
    for (const each of cases) {
      if (trainsNowhere[each.name] === undefined)
        expect(layersWithoutWasmGradient(tf, each.model())).toEqual([]);
    }
  });

  it('names each layer that needs one of ours on a backend without them, in wrappers and nested models too', () => {
    const inner = tf.sequential({
      layers: [tf.layers.conv2d({ name: 'deep', filters: 1, kernelSize: 2, inputShape: [4, 4, 1] })],
    });
    const model = tf.sequential({
      layers: [
        tf.layers.timeDistributed({ name: 'outer', inputShape: [2, 4, 4, 1], layer: inner }),
        tf.layers.convLstm2d({ name: 'recurrent', filters: 1, kernelSize: 2 }),
        tf.layers.separableConv2d({ name: 'separable', filters: 1, kernelSize: 1 }),
        tf.layers.flatten(),
        tf.layers.dense({ units: 1, name: 'dense' }),
      ],
    });
    const found = layersWithoutWasmGradient(plainBackend, model);
    expect(found).toContainEqual({ layer: 'deep', className: 'Conv2D', kernel: 'Conv2DBackpropFilter' });
    expect(found).toContainEqual({
      layer: 'recurrent',
      className: 'ConvLSTM2D',
      kernel: 'Conv2DBackpropFilter',
    });
    expect(found.map(({ layer }) => layer)).toContain('separable');
    expect(found.map(({ layer }) => layer)).not.toContain('dense');
    const words = tf.sequential({
      layers: [tf.layers.embedding({ name: 'words', inputDim: 3, outputDim: 2, inputLength: 4 })],
    });
    expect(layersWithoutWasmGradient(plainBackend, words)).toEqual([
      { layer: 'words', className: 'Embedding', kernel: 'UnsortedSegmentSum' },
    ]);
    expect(wasmRefusal(plainBackend, words)).toBe('WASM has no gradient for "words" (Embedding).');
    expect(wasmRefusal(tf, words)).toBeNull();
  });

  it('was measured on every class of layer that TensorFlow.js has', () => {
    const covered = new Set(cases.map(({ className }) => className));
    // Bases, inputs and parts of others, which stand in no model by themselves.
    const parts =
      /^(Layer|RNNCell|Wrapper|Merge|InputLayer|StackedRNNCells|BaseRandomLayer|Model|Functional|Sequential|.*Cell)$/;
    const registered = Object.entries(tf.serialization.SerializationMap.getMap().classNameMap);
    const classes = registered
      .filter(([, [make]]) => make.prototype instanceof tf.layers.Layer)
      .map(([name]) => name);
    expect(classes.length).toBeGreaterThan(60);
    for (const name of classes) if (!parts.test(name)) expect(covered).toContain(name);
  });
});
