// DepthwiseConv2dNativeBackpropFilter for WASM: one pass over input and gradient for each position of the filter.
import { convolutionOf, shapeAttribute, type Axis } from './convolution';
import { input, sizeOf, type Kernel, type KernelRunner } from './kernelRunner';

/** Outputs [from, to) whose window has its position `offset` (in elements of the input) inside the input. */
function inside({ input: length, output, stride }: Axis, offset: number): [number, number] {
  const from = Math.max(0, Math.ceil(-offset / stride));
  const to = Math.min(output, Math.floor((length - 1 - offset) / stride) + 1);
  return [from, Math.max(from, to)];
}

/** Adds x[xAt + c] · dy[dyAt + c·m + k] to sums[c·m + k] for all channels; sums are in double precision. */
type Accumulate = (xAt: number, dyAt: number) => void;

function accumulator(
  x: Float32Array,
  dy: Float32Array,
  sums: Float64Array,
  channels: number,
  multiplier: number,
): Accumulate {
  if (multiplier === 1) {
    return (xAt, dyAt) => {
      for (let c = 0; c < channels; c++) sums[c] = (sums[c] ?? 0) + (x[xAt + c] ?? 0) * (dy[dyAt + c] ?? 0);
    };
  }
  return (xAt, dyAt) => {
    let k = 0;
    for (let c = 0; c < channels; c++) {
      const value = x[xAt + c] ?? 0;
      for (let m = 0; m < multiplier; m++, k++) sums[k] = (sums[k] ?? 0) + value * (dy[dyAt + k] ?? 0);
    }
  };
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
    const accumulate = accumulator(x, dy, sums, inChannels, multiplier);
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
            for (let q = left; q < right; q++) {
              accumulate((xRow + q * width.stride) * inChannels, (dyRow + q) * outChannels);
            }
          }
        }
        to.set(sums, (i * width.filter + j) * outChannels);
      }
    }
    return gradient;
  };
}
