// Conv2DBackpropInput for WASM: a convolution of the output's gradient, one set of channels for each phase of the stride.
import type { TensorInfo } from '@tensorflow/tfjs-core';
import {
  asAsked,
  channelsLast,
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

/** One dimension of the convolution that gives the gradient. */
interface Phases {
  /** Positions of the filter that each phase sees. */
  readonly taps: number;
  /** First of the positions q with stride·q + phase = index + padding, and how many there are. */
  readonly first: number;
  readonly count: number;
  /** What to put around the output's gradient. */
  readonly margin: Margin;
}

/** With h + before = stride·q + r: dx[h] = Σⱼ dy[q - j] · W[r + stride·j]. */
function phasesOf(axis: Axis): Phases {
  const taps = Math.ceil(axis.filter / axis.stride);
  const first = Math.floor(axis.before / axis.stride);
  const last = Math.floor((axis.input - 1 + axis.before) / axis.stride);
  return { taps, first, count: last - first + 1, margin: [taps - 1 - first, last - (axis.output - 1)] };
}

/** The filter, turned round, its input and output channels exchanged, phases side by side in the output channels. */
function phaseFilter(
  runner: KernelRunner,
  filter: TensorInfo,
  { height, width, inChannels, outChannels }: Convolution,
  tall: Phases,
  wide: Phases,
): TensorInfo {
  const phases = height.stride * width.stride;
  const built = runner.zeros([tall.taps, wide.taps, outChannels, phases * inChannels], 'float32');
  const from = runner.floats(filter);
  const to = runner.floats(built);
  for (let i = 0; i < height.filter; i++) {
    const row = tall.taps - 1 - Math.floor(i / height.stride);
    for (let j = 0; j < width.filter; j++) {
      const column = wide.taps - 1 - Math.floor(j / width.stride);
      const phase = (i % height.stride) * width.stride + (j % width.stride);
      const target = (row * wide.taps + column) * outChannels * phases * inChannels + phase * inChannels;
      const source = (i * width.filter + j) * inChannels * outChannels;
      for (let o = 0; o < outChannels; o++) {
        const at = target + o * phases * inChannels;
        for (let c = 0; c < inChannels; c++) to[at + c] = from[source + c * outChannels + o] ?? 0;
      }
    }
  }
  return built;
}

/** Puts phases back in their places: from [n, q, q', (r, r', c)] to [n, h, w, c]; frees what it is given. */
function interleave(
  runner: KernelRunner,
  phased: TensorInfo,
  { height, width, inChannels }: Convolution,
): TensorInfo {
  const [rows = 0, tall = 0, wide = 0, channels = 0] = phased.shape;
  const image = runner.output([rows, height.input, width.input, inChannels], 'float32');
  const from = runner.floats(phased);
  const to = runner.floats(image);
  const offset = height.before % height.stride;
  const indent = width.before % width.stride;
  let at = 0;
  for (let n = 0; n < rows; n++) {
    for (let h = 0; h < height.input; h++) {
      const row = (n * tall + Math.floor((h + offset) / height.stride)) * wide;
      const rowPhase = ((h + offset) % height.stride) * width.stride;
      for (let w = 0; w < width.input; w++) {
        const column = Math.floor((w + indent) / width.stride);
        const phase = rowPhase + ((w + indent) % width.stride);
        const source = (row + column) * channels + phase * inChannels;
        for (let c = 0; c < inChannels; c++) to[at++] = from[source + c] ?? 0;
      }
    }
  }
  runner.free(phased);
  return image;
}

function gradientOf(
  runner: KernelRunner,
  dy: TensorInfo,
  filter: TensorInfo,
  convolution: Convolution,
  tall: Phases,
  wide: Phases,
): TensorInfo {
  const { height, width, inChannels } = convolution;
  const rows = dy.shape[0] ?? 0;
  const cut = cutMargins(runner, dy, tall.margin, wide.margin);
  if (cut === null) return runner.zeros([rows, height.input, width.input, inChannels], 'float32');
  const { image, pad } = cut;
  const attrs = { strides: [1, 1], pad, dilations: [1, 1], dataFormat: 'NHWC' };
  const phased = runner.run('Conv2D', { x: image, filter }, attrs);
  runner.free(image);
  const plain = height.stride === 1 && width.stride === 1;
  return plain ? phased : interleave(runner, phased, convolution);
}

/** The kernel: inputs dy, filter; attributes strides, pad, dimRoundingMode, dataFormat, inputShape. */
export function conv2dInputGradient(runner: KernelRunner): Kernel {
  return (args) => {
    const inputShape = shapeAttribute(args, 'inputShape');
    const given = { dy: input(args, 'dy'), filter: input(args, 'filter') };
    const convolution = convolutionOf(runner.core, args.attrs, inputShape, given.filter.shape, false);
    if (sizeOf(inputShape) === 0 || sizeOf(given.dy.shape) === 0) return runner.zeros(inputShape, 'float32');
    const { height, width, rows, inChannels, outChannels } = convolution;
    const tall = phasesOf(height);
    const wide = phasesOf(width);
    const dy = channelsLast(runner, given.dy, convolution);
    const filter = phaseFilter(runner, given.filter, convolution, tall, wide);
    const phasedChannels = inChannels * height.stride * width.stride;
    const rowBytes =
      4 * (tall.count * wide.count * phasedChannels + height.output * width.output * outChannels);
    const most = Math.max(1, Math.floor(workspaceBytes / rowBytes));
    let result: TensorInfo;
    if (most >= rows || (height.stride === 1 && width.stride === 1)) {
      // Without phases the convolution's output is the result: cutting it into pieces would only cost a copy.
      result = gradientOf(runner, runner.share(dy), filter, convolution, tall, wide);
    } else {
      result = runner.output([rows, height.input, width.input, inChannels], 'float32');
      for (const [start, count] of pieces(rows, most)) {
        const part = gradientOf(runner, takeRows(runner, dy, start, count), filter, convolution, tall, wide);
        putRows(runner, part, result, start);
      }
    }
    runner.free(dy, filter);
    return asAsked(runner, result, convolution);
  };
}
