// The one optimizer step of an update: which variables it changes, clipping, and the order that optimizers rely on.
import type { Optimizer, Tensor, Variable } from '@tensorflow/tfjs-core';
import type { NamedGradient } from '../engine/fitHook/accumulator';
import { checkVariables } from './checks';
import type { GradientClip, TensorFlow } from './types';

/**
 * The variables that an update changes: those given, else all that `optimizer.minimize` would take.
 * @throws TypeError where they are no variables; RangeError where none of them is trainable.
 */
export function trainable(tf: TensorFlow, variables: readonly Variable[] | undefined): Variable[] {
  if (variables !== undefined) checkVariables(tf, variables);
  const found = [...(variables ?? Object.values(tf.engine().registeredVariables))].filter(
    (variable) => variable.trainable,
  );
  if (found.length === 0) throw new RangeError('There is no trainable variable.');
  return found;
}

/**
 * Clips the gradients and has the optimizer apply them, once. An optimizer finds its moments by position: without a list of
 * variables, those without a gradient are left out, as `optimizer.minimize` does.
 */
export function applyOnce(
  tf: TensorFlow,
  optimizer: Optimizer,
  gradients: readonly NamedGradient[],
  options: { readonly clip: GradientClip | undefined; readonly listed: boolean },
): void {
  tf.tidy(() => {
    const present = gradients.flatMap(({ tensor }) => (tensor === undefined ? [] : [tensor]));
    const clipped = options.clip === undefined ? present : clipGradients(tf, present, options.clip);
    const remaining = [...clipped];
    const named = gradients.map(({ name, tensor }) => ({
      name,
      tensor: tensor === undefined ? undefined : remaining.shift(),
    }));
    const applied = options.listed ? named : named.filter(({ tensor }) => tensor !== undefined);
    // tfjs's own minimize hands over undefined tensors too, which its type does not tell.
    optimizer.applyGradients(applied as Parameters<Optimizer['applyGradients']>[0]);
  });
}

/** @throws TypeError for a function that returns another number of tensors. */
function clipGradients(tf: TensorFlow, gradients: readonly Tensor[], clip: GradientClip): Tensor[] {
  if (typeof clip === 'function') {
    const clipped = clip(gradients);
    if (clipped.length === gradients.length) return clipped;
    throw new TypeError(`clip was given ${gradients.length} gradients and returned ${clipped.length}.`);
  }
  if ('value' in clip) return gradients.map((gradient) => tf.clipByValue(gradient, -clip.value, clip.value));
  const squares = gradients.map((gradient) => tf.sum(tf.square(gradient)));
  const norm = tf.sqrt(squares.reduce<Tensor>((sum, square) => tf.add(sum, square), tf.scalar(0)));
  // Nothing is read back: the factor stays on the device. Where the norm is 0 the quotient is infinite, and 1 is taken.
  const factor = tf.minimum(tf.div(clip.globalNorm, norm), 1);
  return gradients.map((gradient) => tf.mul(gradient, factor));
}
