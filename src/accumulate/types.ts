// What a loop of the user's own hands over to accumulate() and deferUpdates(): types of TensorFlow.js alone.
import type * as core from '@tensorflow/tfjs-core';

/** The TensorFlow.js that your loop computes with: the namespace of `@tensorflow/tfjs`, `-node`, `-node-gpu` or `-core`. */
export type TensorFlow = typeof core;

/**
 * A batch: one tensor, or several by position or by name. The first dimension of each holds the examples. An entry that is
 * null or undefined is handed on as it is.
 */
export type Batch =
  core.Tensor | readonly (core.Tensor | null | undefined)[] | { readonly [name: string]: BatchEntry };

/** A tensor of a batch by name, or nothing. */
export type BatchEntry = core.Tensor | null | undefined;

/** Which examples of the batch a microbatch holds: `size` of them, from `start` on. */
export interface Rows {
  readonly start: number;
  readonly size: number;
}

/**
 * Gradient clipping, done once for each update, on the sum of the microbatches' gradients:
 * - `{ globalNorm: c }` scales all gradients by one factor, so that the norm of all of them together is at most c;
 * - `{ value: c }` limits each element of each gradient to the range from -c to c;
 * - a function gets the gradients in the order of the variables, those without one left out, and returns as many.
 */
export type GradientClip =
  | { readonly globalNorm: number }
  | { readonly value: number }
  | ((gradients: readonly core.Tensor[]) => core.Tensor[]);
