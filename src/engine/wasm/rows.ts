// Rows of the first dimension as tensors of their own: how composed kernels work through a batch piece by piece.
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { sizeOf, type KernelRunner } from './kernelRunner';

/** A copy of rows [start, start + count); the tensor itself where that is all of it. Free it after use. */
export function takeRows(runner: KernelRunner, info: TensorInfo, start: number, count: number): TensorInfo {
  const [rows = 0, ...rest] = info.shape;
  if (start === 0 && count === rows) return runner.share(info);
  const piece = runner.output([count, ...rest], info.dtype);
  const length = sizeOf(rest);
  runner.heap(piece).set(runner.heap(info).subarray(start * length, (start + count) * length));
  return piece;
}

/** Writes a piece at row `start` of a larger tensor, and frees the piece. */
export function putRows(runner: KernelRunner, piece: TensorInfo, target: TensorInfo, start: number): void {
  runner.heap(target).set(runner.heap(piece), start * sizeOf(target.shape.slice(1)));
  runner.free(piece);
}

/**
 * Cuts `rows` into [start, count] pieces of `most` rows.
 */
export function pieces(rows: number, most: number): [number, number][] {
  const cut: [number, number][] = [];
  for (let start = 0; start < rows; start += most) cut.push([start, Math.min(most, rows - start)]);
  return cut;
}
