// DepthwiseConv2dNativeBackpropInput for WASM: a depthwise convolution of the gradient with the filter turned round.
import type { TensorInfo } from '@tensorflow/tfjs-core';
import {
  convolutionOf,
  cutMargins,
  shapeAttribute,
  type Axis,
  type Convolution,
  type Margin,
} from './convolution';
import { input, sizeOf, type Kernel, type KernelRunner } from './kernelRunner';
import { pieces, putRows, takeRows } from './rows';

/** Workspace for a few examples at a time, in bytes. */
const workspaceBytes = 16 * 2 ** 20;

/** Length of the gradient with stride - 1 zeros between its elements. */
const spread = ({ output, stride }: Axis): number => (output - 1) * stride + 1;

/** With the spread gradient z: dx[h] = Σᵢ z[h + before - dilation·i] · W[i]. */
function marginOf(axis: Axis): Margin {
  const reach = axis.dilation * (axis.filter - 1);
  return [reach - axis.before, axis.input - 1 + axis.before - (spread(axis) - 1)];
}

/** The filter [I,J,C,M] turned round, as [I,J,C·M,1]. */
function turned(runner: KernelRunner, filter: TensorInfo): TensorInfo {
  const [tall = 1, wide = 1, channels = 1, multiplier = 1] = filter.shape;
  const turnedFilter = runner.output([tall, wide, channels * multiplier, 1], 'float32');
  const from = runner.floats(filter);
  const to = runner.floats(turnedFilter);
  const positions = tall * wide;
  const length = channels * multiplier;
  for (let at = 0; at < positions; at++) {
    to.set(from.subarray(at * length, (at + 1) * length), (positions - 1 - at) * length);
  }
  return turnedFilter;
}

/** Zeros between the elements, so that a convolution of stride 1 sees them where the stride had put them. */
function spreadOut(runner: KernelRunner, dy: TensorInfo, { height, width }: Convolution): TensorInfo {
  if (height.stride === 1 && width.stride === 1) return runner.share(dy);
  const [rows = 0, , , channels = 0] = dy.shape;
  const tall = spread(height);
  const wide = spread(width);
  const sparse = runner.zeros([rows, tall, wide, channels], 'float32');
  const from = runner.floats(dy);
  const to = runner.floats(sparse);
  let at = 0;
  for (let n = 0; n < rows; n++) {
    for (let p = 0; p < height.output; p++) {
      const row = (n * tall + p * height.stride) * wide;
      for (let q = 0; q < width.output; q++) {
        const target = (row + q * width.stride) * channels;
        for (let c = 0; c < channels; c++) to[target + c] = from[at++] ?? 0;
      }
    }
  }
  return sparse;
}

function gradientOf(
  runner: KernelRunner,
  dy: TensorInfo,
  filter: TensorInfo,
  convolution: Convolution,
): TensorInfo {
  const { height, width, inChannels, outChannels } = convolution;
  const sparse = spreadOut(runner, dy, convolution);
  const cut = cutMargins(runner, sparse, marginOf(height), marginOf(width));
  if (cut === null) {
    const shape = [dy.shape[0] ?? 0, height.input, width.input, inChannels];
    runner.free(dy);
    return runner.zeros(shape, 'float32');
  }
  const { image, pad } = cut;
  const attrs = { strides: [1, 1], pad, dilations: [height.dilation, width.dilation] };
  const products = runner.run('DepthwiseConv2dNative', { x: image, filter }, attrs);
  runner.free(image, dy);
  if (outChannels === inChannels) return products;
  // Each input channel met `multiplier` filters: their gradients lie side by side.
  const apart = {
    ...products,
    shape: [sizeOf(products.shape) / outChannels, inChannels, outChannels / inChannels],
  };
  const sum = runner.consume('Sum', { x: apart }, { axis: [2], keepDims: false });
  return { ...sum, shape: [...products.shape.slice(0, 3), inChannels] };
}

/** The kernel: inputs dy, filter; attributes strides, dilations, pad, dimRoundingMode, inputShape. */
export function depthwiseInputGradient(runner: KernelRunner): Kernel {
  return (args) => {
    const inputShape = shapeAttribute(args, 'inputShape');
    const dy = input(args, 'dy');
    const filter = input(args, 'filter');
    if (sizeOf(inputShape) === 0 || sizeOf(dy.shape) === 0) return runner.zeros(inputShape, 'float32');
    const convolution = convolutionOf(runner.core, args.attrs, inputShape, filter.shape, true);
    const { height, width, rows, outChannels } = convolution;
    const rowBytes = 4 * outChannels * (spread(height) * spread(width) + height.input * width.input);
    const most = Math.max(1, Math.floor(workspaceBytes / rowBytes));
    const round = turned(runner, filter);
    let result: TensorInfo;
    if (most >= rows) {
      result = gradientOf(runner, runner.share(dy), round, convolution);
    } else {
      result = runner.output(inputShape, 'float32');
      for (const [start, count] of pieces(rows, most)) {
        putRows(
          runner,
          gradientOf(runner, takeRows(runner, dy, start, count), round, convolution),
          result,
          start,
        );
      }
    }
    runner.free(round);
    return result;
  };
}
