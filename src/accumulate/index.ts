// What `batch-planner/accumulate` exports: gradient accumulation for TensorFlow.js loops of the user's own.
export { accumulate, type AccumulateOptions } from './accumulate';
export { deferUpdates, type DeferOptions, type DeferredUpdates } from './deferUpdates';
export { microbatchSizes } from './microbatchSizes';
export type { Batch, BatchEntry, GradientClip, Rows, TensorFlow } from './types';
