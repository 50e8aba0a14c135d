// The geometry of a pooling in one to three dimensions, always as three.
import type { Core } from './kernelRunner';

/** One spatial dimension of a pooling. */
export interface PoolAxis {
  readonly input: number;
  readonly output: number;
  readonly window: number;
  readonly stride: number;
  /** Positions of the window before the first element of the input. */
  readonly before: number;
}

export interface Pooling {
  readonly rows: number;
  readonly axes: readonly [depth: PoolAxis, height: PoolAxis, width: PoolAxis];
  readonly channels: number;
}

type Rounding = Parameters<Core['backend_util']['computePool3DInfo']>[5];

/** From the attributes of a pooling's gradient and the shape [N,H,W,C] or [N,D,H,W,C] of the forward input. */
export function poolingOf(
  core: Core,
  attrs: Record<string, unknown>,
  inputShape: readonly number[],
): Pooling {
  const { filterSize, strides, pad, dimRoundingMode } = attrs as {
    filterSize: number;
    strides: number;
    pad: 'same';
    dimRoundingMode: Rounding;
  };
  if (inputShape.length === 4) {
    const info = core.backend_util.computePool2DInfo(
      inputShape as [number, number, number, number],
      filterSize,
      strides,
      1,
      pad,
      dimRoundingMode,
    );
    return {
      rows: info.batchSize,
      axes: [{ input: 1, output: 1, window: 1, stride: 1, before: 0 }, ...planeOf(info)],
      channels: info.inChannels,
    };
  }
  const info = core.backend_util.computePool3DInfo(
    inputShape as [number, number, number, number, number],
    filterSize,
    strides,
    1,
    pad,
    dimRoundingMode,
  );
  return {
    rows: info.batchSize,
    axes: [
      {
        input: info.inDepth,
        output: info.outDepth,
        window: info.filterDepth,
        stride: info.strideDepth,
        before: info.padInfo.front,
      },
      ...planeOf(info),
    ],
    channels: info.inChannels,
  };
}

type PoolInfo = ReturnType<Core['backend_util'][`computePool${'2D' | '3D'}Info`]>;

/** Height and width, which all poolings have. */
function planeOf(info: PoolInfo): [height: PoolAxis, width: PoolAxis] {
  return [
    {
      input: info.inHeight,
      output: info.outHeight,
      window: info.filterHeight,
      stride: info.strideHeight,
      before: info.padInfo.top,
    },
    {
      input: info.inWidth,
      output: info.outWidth,
      window: info.filterWidth,
      stride: info.strideWidth,
      before: info.padInfo.left,
    },
  ];
}

/** The elements [from, to) of the input that the window at `output` sees. */
function seen({ input, window, stride, before }: PoolAxis, output: number): [number, number] {
  const start = output * stride - before;
  return [Math.max(start, 0), Math.min(start + window, input)];
}

/** The part of the input that one window sees. */
export interface Window {
  readonly depth: readonly [number, number];
  readonly height: readonly [number, number];
  readonly width: readonly [number, number];
}

/**
 * Calls `visit` for each window of each example, in the order of the output.
 * @param visit is given the example, the window, and the index of the output's first channel
 */
export function eachWindow(
  { rows, axes: [depth, height, width], channels }: Pooling,
  visit: (row: number, window: Window, outputAt: number) => void,
): void {
  let outputAt = 0;
  for (let n = 0; n < rows; n++) {
    for (let d = 0; d < depth.output; d++) {
      for (let h = 0; h < height.output; h++) {
        for (let w = 0; w < width.output; w++) {
          visit(n, { depth: seen(depth, d), height: seen(height, h), width: seen(width, w) }, outputAt);
          outputAt += channels;
        }
      }
    }
  }
}

/** Calls `visit` with the index of the first channel of each element of a window, in the order of the input. */
export function eachElement(
  { axes: [depth, height, width], channels }: Pooling,
  row: number,
  window: Window,
  visit: (inputAt: number) => void,
): void {
  for (let d = window.depth[0]; d < window.depth[1]; d++) {
    for (let h = window.height[0]; h < window.height[1]; h++) {
      const line = ((row * depth.input + d) * height.input + h) * width.input;
      for (let w = window.width[0]; w < window.width[1]; w++) visit((line + w) * channels);
    }
  }
}
