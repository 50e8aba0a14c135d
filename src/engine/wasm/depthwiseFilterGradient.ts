// DepthwiseConv2dNativeBackpropFilter for WASM: one pass over input and gradient for each position of the filter.
import { convolutionOf, shapeAttribute, type Axis } from './convolution';
import { input, sizeOf, type Kernel, type KernelRunner } from './kernelRunner';

/** Outputs [from, to) whose window has its position `offset` (in elements of the input) inside the input. */
function inside({ input: length, output, stride }: Axis, offset: number): [number, number] {
  const from = Math.max(0, Math.ceil(-offset / stride));
  const to = Math.min(output, Math.floor((length - 1 - offset) / stride) + 1);
  return [from, Math.max(from, to)];
}

/** One row of the gradient and the row of the input that one position of the filter meets there. */
interface RowPair {
  /** Index of the first pixel's first channel. */
  readonly xAt: number;
  readonly dyAt: number;
  /** Elements from one pixel to the next that is met. */
  readonly xStep: number;
  readonly pixels: number;
}

/**
 * Adds to sums[c·M + m], in double precision, x[pixel, c] · dy[pixel, c·M + m] over the pixels of a row.
 * The casts stand for bounds that the caller keeps: a check at each element would double the time.
 */
function addRow(
  sums: Float64Array,
  x: Float32Array,
  dy: Float32Array,
  { xAt, dyAt, xStep, pixels }: RowPair,
  channels: number,
  multiplier: number,
): void {
  const length = channels * multiplier;
  for (let pixel = 0; pixel < pixels; pixel++) {
    let at = xAt + pixel * xStep;
    let k = 0;
    let dyK = dyAt + pixel * length;
    for (let c = 0; c < channels; c++, at++) {
      const value = x[at] as number;
      for (let m = 0; m < multiplier; m++, k++, dyK++) {
        sums[k] = (sums[k] as number) + value * (dy[dyK] as number);
      }
    }
  }
}

/** The same for a multiplier of 1, the usual one, two pixels at a time. */
function addPlainRow(
  sums: Float64Array,
  x: Float32Array,
  dy: Float32Array,
  { xAt, dyAt, xStep, pixels }: RowPair,
  channels: number,
): void {
  let at = xAt;
  let dyK = dyAt;
  let pixel = 0;
  for (; pixel + 1 < pixels; pixel += 2) {
    for (let c = 0; c < channels; c++, at++, dyK++) {
      sums[c] =
        (sums[c] as number) +
        (x[at] as number) * (dy[dyK] as number) +
        (x[at + xStep] as number) * (dy[dyK + channels] as number);
    }
    at += 2 * xStep - channels;
    dyK += channels;
  }
  if (pixel === pixels) return;
  for (let c = 0; c < channels; c++, at++, dyK++) {
    sums[c] = (sums[c] as number) + (x[at] as number) * (dy[dyK] as number);
  }
}

/**
 * The kernel: inputs x [N,H,W,C], dy [N,P,Q,C·M]; attributes strides, dilations, pad, dimRoundingMode,
 * filterShape [I,J,C,M]. dW[i,j,c,m] = Σ x[n, s·p + d·i - before, …, c] · dy[n,p,q, c·M + m].
 * A loop on the heap, because the composed form (slice, multiply, sum) passes over memory three times for each position.
 */
export function depthwiseFilterGradient(runner: KernelRunner): Kernel {
  return (args) => {
    const filterShape = shapeAttribute(args, 'filterShape');
    const given = { x: input(args, 'x'), dy: input(args, 'dy') };
    const { rows, height, width, inChannels } = convolutionOf(
      runner.core,
      args.attrs,
      given.x.shape,
      filterShape,
      true,
    );
    const gradient = runner.output(filterShape, 'float32');
    const to = runner.floats(gradient);
    const x = runner.floats(given.x);
    const dy = runner.floats(given.dy);
    const multiplier = filterShape[3] ?? 1;
    const outChannels = inChannels * multiplier;
    const sums = new Float64Array(outChannels);
    if (sizeOf(filterShape) === 0) return gradient;
    for (let i = 0; i < height.filter; i++) {
      const down = i * height.dilation - height.before;
      const [top, bottom] = inside(height, down);
      for (let j = 0; j < width.filter; j++) {
        const across = j * width.dilation - width.before;
        const [left, right] = inside(width, across);
        sums.fill(0);
        for (let n = 0; n < rows; n++) {
          for (let p = top; p < bottom; p++) {
            const xRow = (n * height.input + p * height.stride + down) * width.input + across;
            const dyRow = (n * height.output + p) * width.output;
            const pair = {
              xAt: (xRow + left * width.stride) * inChannels,
              dyAt: (dyRow + left) * outChannels,
              xStep: width.stride * inChannels,
              pixels: right - left,
            };
            if (multiplier === 1) addPlainRow(sums, x, dy, pair, inChannels);
            else addRow(sums, x, dy, pair, inChannels, multiplier);
          }
        }
        to.set(sums, (i * width.filter + j) * outChannels);
      }
    }
    return gradient;
  };
}
