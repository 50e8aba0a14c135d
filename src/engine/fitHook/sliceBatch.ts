// Rows of a batch: the one place that knows that data may hold null, and tensors of any rank.
import type { Core, StepData, Tensor } from './innerModel';

/**
 * Rows [start, start + size) of each tensor of a step's data; null (an output without sample weights) stays null.
 * New tensors, owned by the caller's tidy.
 */
export function sliceBatch(core: Core, data: StepData, start: number, size: number): (Tensor | null)[] {
  return data.map((tensor) => (tensor === null ? null : sliceRows(core, tensor, start, size)));
}

/** Rows [start, start + size) of a tensor of rank 1 or more. */
export function sliceRows(core: Core, tensor: Tensor, start: number, size: number): Tensor {
  const begin = tensor.shape.map((_, axis) => (axis === 0 ? start : 0));
  const extent = tensor.shape.map((length, axis) => (axis === 0 ? size : length));
  return core.slice(tensor, begin, extent);
}

/** Number of examples in a step's data: the rows of its first input. */
export function rowsOf(data: StepData): number {
  const first = data[0];
  const rows = first?.shape[0];
  if (rows === undefined) throw new TypeError('A training step was called without a batch.');
  return rows;
}
