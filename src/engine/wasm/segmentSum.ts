// UnsortedSegmentSum for WASM: the gradient of gather, and so of every embedding.
import { input, sizeOf, type Kernel, type KernelRunner } from './kernelRunner';

/**
 * The kernel: inputs x, segmentIds (int32, the leading dimensions of x); attribute numSegments. Row i of x is added to
 * row segmentIds[i] of the result; rows whose segment is negative or past the end are left out, as TensorFlow does
 * (tf.math.unsorted_segment_sum).
 */
export function segmentSum(runner: KernelRunner): Kernel {
  return (args) => {
    const x = input(args, 'x');
    const segmentIds = input(args, 'segmentIds');
    const numSegments = Number(args.attrs.numSegments);
    const leading = segmentIds.shape.length;
    const rows = sizeOf(segmentIds.shape);
    if (rows !== sizeOf(x.shape.slice(0, leading))) {
      throw new Error(
        `Segment ids of shape [${segmentIds.shape.join()}] do not fit values of shape [${x.shape.join()}].`,
      );
    }
    const rest = x.shape.slice(leading);
    const length = sizeOf(rest);
    const sums = runner.zeros([numSegments, ...rest], x.dtype);
    const to = runner.heap(sums);
    const from = runner.heap(x);
    const ids = runner.heap(segmentIds);
    for (let row = 0, at = 0; row < rows; row++, at += length) {
      const segment = ids[row] ?? -1;
      if (segment < 0 || segment >= numSegments) continue;
      const target = segment * length;
      for (let k = 0; k < length; k++) to[target + k] = (to[target + k] ?? 0) + (from[at + k] ?? 0);
    }
    return sums;
  };
}
