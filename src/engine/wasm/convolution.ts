// The geometry of a convolution as tfjs's gradients pass it, computed by tfjs-core itself.
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { type Core, type KernelArguments, type KernelRunner } from './kernelRunner';
import { cutOut } from './slice';

/** One spatial dimension of a convolution. */
export interface Axis {
  /** Length of the input. */
  readonly input: number;
  /** Length of the output. */
  readonly output: number;
  readonly filter: number;
  readonly stride: number;
  readonly dilation: number;
  /** Zeros before the first element of the input. */
  readonly before: number;
}

export interface Convolution {
  readonly rows: number;
  readonly height: Axis;
  readonly width: Axis;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly channelsFirst: boolean;
}

type Pair = [number, number];
type Pad = Parameters<Core['backend_util']['computeConv2DInfo']>[4];
type Rounding = Parameters<Core['backend_util']['computeConv2DInfo']>[5];

/**
 * The geometry from a gradient kernel's attributes.
 * @param inputShape of the forward convolution's input
 */
export function convolutionOf(
  core: Core,
  attrs: Record<string, unknown>,
  inputShape: number[],
  filterShape: number[],
  depthwise: boolean,
): Convolution {
  const format = attrs.dataFormat === 'NCHW' ? 'channelsFirst' : 'channelsLast';
  const info = core.backend_util.computeConv2DInfo(
    inputShape as [number, number, number, number],
    filterShape as [number, number, number, number],
    attrs.strides as Pair,
    (attrs.dilations ?? 1) as Pair,
    attrs.pad as Pad,
    attrs.dimRoundingMode as Rounding,
    depthwise,
    format,
  );
  return {
    rows: info.batchSize,
    height: {
      input: info.inHeight,
      output: info.outHeight,
      filter: info.filterHeight,
      stride: info.strideHeight,
      dilation: info.dilationHeight,
      before: info.padInfo.top,
    },
    width: {
      input: info.inWidth,
      output: info.outWidth,
      filter: info.filterWidth,
      stride: info.strideWidth,
      dilation: info.dilationWidth,
      before: info.padInfo.left,
    },
    inChannels: info.inChannels,
    outChannels: info.outChannels,
    channelsFirst: format === 'channelsFirst',
  };
}

/** An input with channels last; to be freed. */
export function channelsLast(runner: KernelRunner, info: TensorInfo, convolution: Convolution): TensorInfo {
  if (!convolution.channelsFirst) return runner.share(info);
  return runner.run('Transpose', { x: info }, { perm: [0, 2, 3, 1] });
}

/** A result in the layout that was asked for; frees what it is given where that is another. */
export function asAsked(runner: KernelRunner, info: TensorInfo, convolution: Convolution): TensorInfo {
  if (!convolution.channelsFirst) return info;
  return runner.consume('Transpose', { x: info }, { perm: [0, 3, 1, 2] });
}

/** Shape of a filter or an input that a gradient kernel gets as an attribute. */
export function shapeAttribute(args: KernelArguments, name: string): number[] {
  const shape = args.attrs[name];
  if (!Array.isArray(shape)) throw new TypeError(`The attribute "${name}" is missing.`);
  return shape.map(Number);
}

/** Zeros around one dimension; below zero: elements cut off. */
export type Margin = readonly [before: number, after: number];

/**
 * Cuts rows and columns off where margins are below zero, and says what padding is left to do; null where nothing of
 * the image is left, which kernels cannot take.
 * @param image NHWC; freed where it is not what is returned
 */
export function cutMargins(
  runner: KernelRunner,
  image: TensorInfo,
  height: Margin,
  width: Margin,
): { image: TensorInfo; pad: [Pair, Pair, Pair, Pair] } | null {
  const pad = ([before, after]: Margin): Pair => [Math.max(before, 0), Math.max(after, 0)];
  const paddings: [Pair, Pair, Pair, Pair] = [[0, 0], pad(height), pad(width), [0, 0]];
  if ([...height, ...width].every((length) => length >= 0)) return { image, pad: paddings };
  const [rows = 0, high = 0, wide = 0, channels = 0] = image.shape;
  const cut = ([before, after]: Margin, length: number): Pair => {
    const start = Math.max(-before, 0);
    return [start, length - start - Math.max(-after, 0)];
  };
  const [top, tall] = cut(height, high);
  const [left, broad] = cut(width, wide);
  if (tall <= 0 || broad <= 0) {
    runner.free(image);
    return null;
  }
  const cropped = cutOut(runner, image, [0, top, left, 0], [rows, tall, broad, channels]);
  runner.free(image);
  return { image: cropped, pad: paddings };
}
