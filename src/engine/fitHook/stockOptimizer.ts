// The optimizer of a compiled model with its parameters, where it is one of TensorFlow.js's own.
import type { Optimizer } from '@tensorflow/tfjs';
import { modelOptimizer, type ModelOptimizer } from '../../planning/modelOptimizer';

/**
 * By name and parameters, as `tf.train` would make it, with the learning rate that it has now. Null for an optimizer of
 * the script's own, one with parameters that no stock optimizer has, and a learning rate of 0.
 */
export function stockOptimizer(optimizer: Optimizer): ModelOptimizer | null {
  // A class that only extends a stock one inherits its name, but not its arithmetic.
  if (!Object.hasOwn(optimizer.constructor, 'className')) return null;
  const config: unknown = optimizer.getConfig();
  if (typeof config !== 'object' || config === null) return null;
  const read = modelOptimizer.safeParse({ ...config, name: optimizer.getClassName().toLowerCase() });
  return read.success ? read.data : null;
}
