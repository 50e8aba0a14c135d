// Slice for WASM without a copy of the whole tensor: the backend's own reads all of it out of the heap for each slice.
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { input, sizeOf, type Kernel, type KernelRunner } from './kernelRunner';

/** A region of a tensor as a new tensor; any rank and dtype but strings. */
export function cutOut(
  runner: KernelRunner,
  x: TensorInfo,
  begin: readonly number[],
  size: readonly number[],
): TensorInfo {
  const cut = runner.output([...size], x.dtype);
  const elements = sizeOf(size);
  if (elements === 0) return cut;
  const from = runner.heap(x);
  const to = runner.heap(cut);
  const strides = runner.core.util.computeStrides(x.shape);
  // Dimensions from `inner` on are taken whole, so that one run covers them and the one before.
  let inner = size.length;
  while (inner > 0 && size[inner - 1] === x.shape[inner - 1]) inner--;
  const outer = Math.max(inner - 1, 0);
  const run = sizeOf(size.slice(outer));
  const stride = (dimension: number): number => strides[dimension] ?? 1;
  const position = new Array<number>(outer).fill(0);
  let offset = 0;
  begin.forEach((start, dimension) => (offset += start * stride(dimension)));
  for (let at = 0; at < elements; at += run) {
    to.set(from.subarray(offset, offset + run), at);
    for (let dimension = outer - 1; dimension >= 0; dimension--) {
      const next = (position[dimension] ?? 0) + 1;
      offset += stride(dimension);
      if (next < (size[dimension] ?? 1)) {
        position[dimension] = next;
        break;
      }
      offset -= next * stride(dimension);
      position[dimension] = 0;
    }
  }
  return cut;
}

/** The kernel: input x; attributes begin, size (-1: to the end), as tf.slice passes them. */
export function slice(runner: KernelRunner): Kernel {
  return (args) => {
    const x = input(args, 'x');
    if (x.dtype === 'string') return runner.run('Slice', args.inputs, args.attrs);
    const attrs = args.attrs as { begin: number | number[]; size: number | number[] };
    const [begin = [], size = []] = runner.core.slice_util.parseSliceParams(x, attrs.begin, attrs.size);
    return cutOut(runner, x, begin, size);
  };
}
