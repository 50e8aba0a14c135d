// Conv2DBackpropFilter for WASM: the convolution's own fast kernel, with channels and examples in each other's place.
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { channelsLast, convolutionOf, shapeAttribute, type Axis, type Convolution } from './convolution';
import { input, sizeOf, type Kernel, type KernelRunner } from './kernelRunner';
import { pieces, takeRows } from './rows';
import { cutOut } from './slice';

/** Workspace for transposed copies of some examples at a time, in bytes. */
const workspaceBytes = 32 * 2 ** 20;
/** Products added up in single precision before sums are added: keeps the error of long sums down. */
const longestSum = 2 ** 15;

/** Zeros after the input, so that the swapped convolution has one output for each filter position. */
function after(axis: Axis): number {
  return Math.max(0, (axis.output - 1) * axis.stride + axis.filter - axis.input - axis.before);
}

/** How many examples go through at once. */
function rowsAtOnce({ height, width, inChannels, outChannels }: Convolution): number {
  const inputBytes = 4 * height.input * width.input * inChannels;
  // The kernel reorders and packs its filter (here the output's gradient): three copies live at once.
  const outputBytes = 3 * 4 * height.output * width.output * outChannels;
  const bySpace = Math.floor(workspaceBytes / (inputBytes + outputBytes));
  const byLength = Math.floor(longestSum / (height.output * width.output));
  return Math.max(1, Math.min(bySpace, byLength));
}

/**
 * dW[i,j,c,o] = Σ x[n, s·p+i, s·q+j, c] · dy[n,p,q,o] over n, p, q. Read x as images of n channels, one for each c, and
 * dy as a filter of size P×Q, dilated by the stride: then dW is that convolution's output at [c, i, j, o].
 */
function swapped(runner: KernelRunner, x: TensorInfo, dy: TensorInfo, convolution: Convolution): TensorInfo {
  const { height, width, inChannels, outChannels } = convolution;
  const images = runner.consume('Transpose', { x }, { perm: [3, 1, 2, 0] });
  const filter = runner.consume('Transpose', { x: dy }, { perm: [1, 2, 0, 3] });
  const pad = [
    [0, 0],
    [height.before, after(height)],
    [width.before, after(width)],
    [0, 0],
  ];
  const attrs = { strides: [1, 1], pad, dilations: [height.stride, width.stride], dataFormat: 'NHWC' };
  const found = runner.consume('Conv2D', { x: images, filter }, attrs);
  if (found.shape[1] === height.filter && found.shape[2] === width.filter) return found;
  // The input goes on beyond the last position of the filter: what lies there is no part of the gradient.
  const size = [inChannels, height.filter, width.filter, outChannels];
  const gradient = cutOut(runner, found, [0, 0, 0, 0], size);
  runner.free(found);
  return gradient;
}

/** A 1×1 filter that meets every pixel once: dW = xᵀ · dy, one matrix product. */
function pointwise(
  runner: KernelRunner,
  x: TensorInfo,
  dy: TensorInfo,
  convolution: Convolution,
): TensorInfo {
  const { inChannels, outChannels } = convolution;
  const pixels = sizeOf(x.shape) / inChannels;
  const columns = runner.run('Transpose', { x: { ...x, shape: [pixels, inChannels] } }, { perm: [1, 0] });
  const product = runner.run(
    'BatchMatMul',
    { a: columns, b: { ...dy, shape: [pixels, outChannels] } },
    { transposeA: false, transposeB: false },
  );
  runner.free(columns, x, dy);
  return { ...product, shape: [inChannels, 1, 1, outChannels] };
}

function isPointwise({ height, width }: Convolution): boolean {
  return [height, width].every(
    ({ filter, stride, before, input: length, output }) =>
      filter === 1 && stride === 1 && before === 0 && length === output,
  );
}

/** The kernel: inputs x, dy; attributes strides, pad, dimRoundingMode, dataFormat, filterShape. */
export function conv2dFilterGradient(runner: KernelRunner): Kernel {
  return (args) => {
    const filterShape = shapeAttribute(args, 'filterShape');
    const given = { x: input(args, 'x'), dy: input(args, 'dy') };
    const convolution = convolutionOf(runner.core, args.attrs, given.x.shape, filterShape, false);
    if (sizeOf(given.x.shape) === 0 || sizeOf(given.dy.shape) === 0)
      return runner.zeros(filterShape, 'float32');
    const x = channelsLast(runner, given.x, convolution);
    const dy = channelsLast(runner, given.dy, convolution);
    const gradient = isPointwise(convolution) ? pointwise : swapped;
    let sum: TensorInfo | null = null;
    for (const [start, count] of pieces(convolution.rows, rowsAtOnce(convolution))) {
      const part = gradient(
        runner,
        takeRows(runner, x, start, count),
        takeRows(runner, dy, start, count),
        convolution,
      );
      sum = sum === null ? part : runner.consume('Add', { a: sum, b: part });
    }
    runner.free(x, dy);
    if (sum === null) return runner.zeros(filterShape, 'float32');
    return runner.consume('Transpose', { x: sum }, { perm: [1, 2, 0, 3] });
  };
}
