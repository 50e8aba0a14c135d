// Examples as rows of numbers, wherever they are kept: what every reader of a file gives and every batch is made from.

/**
 * Values of tensors: float32 for all, whole numbers too, since tfjs casts what a layer wants as int32 and no class or
 * Embedding has more than the 2²⁴ numbers that float32 counts exactly.
 */
export type Values = Float32Array;

/** Rows of equal shape, read one by one in any order. */
export interface Rows {
  /** Where they come from, for messages: a file name. */
  readonly name: string;
  /** Number of rows. */
  readonly count: number;
  /** Shape of one row; empty for a single number. */
  readonly shape: readonly number[];
  /** Writes row `index` into `into`, from position `at` on. Throws DataError where a file can no longer be read. */
  read(index: number, into: Values, at: number): void;
  /** Gives back what is held open. */
  close(): void;
}

/** Number of values in a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, dimension) => size * dimension, 1);
}
