// How much faster a training step is on WASM with our kernels: ratios within one run, told and not asserted.
import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import { beforeAll, expect, it } from 'vitest';
import { registerWasmKernels } from '../../src/engine/wasm/register';

const rows = 16;

beforeAll(async () => {
  await tf.setBackend('cpu');
  await tf.setBackend('wasm');
});

/** Processor time of this process in ms: other work on the machine does not count. */
async function processorTime(work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

async function median(times: number, work: () => unknown): Promise<number> {
  const measured: number[] = [];
  for (let index = 0; index < times; index++) measured.push(await processorTime(work));
  return measured.sort((a, b) => a - b)[times >> 1] ?? NaN;
}

/**
 * The first form of Conv2DBackpropFilter that was tried: for each position of the filter, a matrix product of the
 * gradient with a shifted piece of the input.
 */
function shiftedProducts(x: tf.Tensor4D, dy: tf.Tensor4D, side: number): tf.Tensor {
  const [count, height, width, channels] = dy.shape;
  const before = (side - 1) >> 1;
  const padded = tf.pad(x, [
    [0, 0],
    [before, side - 1 - before],
    [before, side - 1 - before],
    [0, 0],
  ]);
  const flat = dy.reshape<tf.Tensor2D>([-1, channels]);
  const parts: tf.Tensor[] = [];
  for (let i = 0; i < side; i++) {
    for (let j = 0; j < side; j++) {
      const piece = tf.slice(padded, [0, i, j, 0], [count, height, width, x.shape[3]]);
      parts.push(tf.matMul(piece.reshape<tf.Tensor2D>([-1, x.shape[3]]), flat, true, false));
    }
  }
  return tf.stack(parts);
}

function convolutional(): tf.LayersModel {
  const model = tf.sequential();
  model.add(
    tf.layers.conv2d({
      inputShape: [16, 16, 3],
      filters: 16,
      kernelSize: 3,
      padding: 'same',
      activation: 'relu',
    }),
  );
  model.add(tf.layers.conv2d({ filters: 16, kernelSize: 3, padding: 'same', activation: 'relu' }));
  model.add(tf.layers.maxPooling2d({ poolSize: 2 }));
  model.add(tf.layers.flatten());
  model.add(tf.layers.dense({ units: 64, activation: 'relu' }));
  model.add(tf.layers.dense({ units: 10, activation: 'softmax' }));
  model.compile({ optimizer: 'adam', loss: 'categoricalCrossentropy' });
  return model;
}

async function stepTime(backend: string, times: number): Promise<number> {
  await tf.setBackend(backend);
  const model = convolutional();
  const x = tf.randomNormal([rows, 16, 16, 3]);
  const y = tf.oneHot(tf.randomUniform([rows], 0, 10, 'int32'), 10);
  const step = () => model.trainOnBatch(x, y);
  await step();
  return median(times, step);
}

it('measures the gradients of a convolution and a whole step', { timeout: 180_000 }, async () => {
  const figures: Record<string, string> = {};
  const ratio = (what: string, slow: number, fast: number) =>
    (figures[what] = `${slow.toFixed(1)} ms : ${fast.toFixed(1)} ms = ${(slow / fast).toFixed(1)}`);
  await tf.setBackend('wasm');
  const x = tf.randomNormal<tf.Rank.R4>([rows, 32, 32, 32]);
  const filter = tf.randomNormal<tf.Rank.R4>([3, 3, 32, 32]);
  const attrs = { strides: [1, 1], pad: 'same', dataFormat: 'NHWC' };
  const [a, b] = [tf.randomNormal<tf.Rank.R2>([1024, 256]), tf.randomNormal<tf.Rank.R2>([1024, 256])];
  const image = tf.randomNormal<tf.Rank.R4>([4, 128, 128, 32]);
  const kernels: Record<string, () => unknown> = {
    'gradient for the input': () =>
      tf.engine().runKernel('Conv2DBackpropInput', { dy: x, filter }, { ...attrs, inputShape: x.shape }),
    'product with a transposed matrix': () => tf.matMul(a, b, true, false),
    'slice of one of four images': () => tf.slice(image, [1, 0, 0, 0], [1, 128, 128, 32]),
  };
  const measure = (work: () => unknown) => median(5, () => tf.tidy(() => void work()));
  const first = await measure(() => shiftedProducts(x, x, 3));
  const before: Record<string, number> = {};
  for (const [name, work] of Object.entries(kernels)) before[name] = await measure(work);
  registerWasmKernels(tf);
  const ours = await measure(() =>
    tf.engine().runKernel('Conv2DBackpropFilter', { x, dy: x }, { ...attrs, filterShape: filter.shape }),
  );
  ratio('gradient for the filter, first try : ours', first, ours);
  for (const [name, work] of Object.entries(kernels))
    ratio(`${name}, the backend's own : ours`, before[name] ?? NaN, await measure(work));
  ratio('step of a convolutional model, cpu : WASM', await stepTime('cpu', 1), await stepTime('wasm', 5));
  console.table(figures);
  expect(Object.values(figures).join()).not.toContain('NaN');
});
