// deferUpdates(): the deferred mode, in which each call of optimizer.minimize is a microbatch and every K-th makes the step.
import type { Optimizer, Scalar, Variable } from '@tensorflow/tfjs-core';
import { GradientAccumulator } from '../engine/fitHook/accumulator';
import { applyOnce, trainable } from './applyOnce';
import { checkCounted, checkDeferUpdates } from './checks';
import type { GradientClip, TensorFlow } from './types';

/** When the step is made, and how much each call counts. */
export type DeferOptions = (
  | {
      /** Calls of `minimize` for each step. A call that counts 0 is one of them, but adds nothing. */
      readonly steps: number;
      /** Examples of the call that is being made. Default: all calls count the same, which is right for equal batches. */
      readonly count?: (() => number) | undefined;
    }
  | {
      /** The step is made by the call with which at least so many examples have come together. */
      readonly examples: number;
      /** Examples of the call that is being made, or tokens, where the loss is a mean over these; 0 adds nothing. */
      readonly count: () => number;
    }
) & {
  /** Clipping of the gradient of all calls together. */
  readonly clip?: GradientClip | undefined;
};

/** An optimizer whose updates are deferred. */
export interface DeferredUpdates {
  /** Calls of `minimize` whose gradients wait for a step. */
  readonly waiting: number;
  /** Steps made since the mode was turned on. */
  readonly steps: number;
  /** Makes the step of the calls that wait, however few they are: at the end of an epoch. False where none waits. */
  flush(): boolean;
  /** Ends the mode: `minimize` is the optimizer's own again. Gradients that wait are dropped; call `flush` first to keep them. */
  end(): void;
}

/**
 * Turns on the deferred mode of one optimizer, for a loop whose batches are small already: `optimizer.minimize` adds its
 * gradient to a sum, and every K-th call makes one step with the mean, weighted by examples. The loop stays as it is.
 *
 * ```js
 * const deferred = deferUpdates(tf, optimizer, { steps: 8 });
 * for (const { xs, ys } of batches) optimizer.minimize(() => loss(ys, model.predict(xs)));
 * deferred.flush(); // the last, smaller group
 * ```
 *
 * What differs from the loop as it was: K small batches count as one. Weights change in every K-th call only, so there are
 * K times fewer steps; a learning rate, a schedule or an average of weights that was tuned for each call has to be thought
 * over. What the loop does after each call (clipping weights, logging them) still happens after each.
 * Limits: calls of one step must change the same variables (an optimizer for each network of a GAN has them);
 * `applyGradients` called by the loop itself is not deferred (use `accumulate`); BatchNormalization writes its moving
 * statistics at each call; gradients that wait are not in a saved optimizer.
 *
 * @returns the handle of the mode. `minimize` returns, when asked for its cost, the loss of its own call; a call that counts 0
 * (padding alone) runs its loss for this only.
 * @throws TypeError or RangeError where an option is missing or makes no sense: `steps` is a whole number ≥ 1, `examples` a
 * number > 0 that comes with `count`.
 */
export function deferUpdates(tf: TensorFlow, optimizer: Optimizer, options: DeferOptions): DeferredUpdates {
  checkDeferUpdates(tf, optimizer, options);
  if (Object.hasOwn(optimizer, 'minimize'))
    throw new RangeError('The updates of this optimizer are deferred already.');
  const group = new DeferredGroup(tf, optimizer, options.clip);
  const isComplete = () =>
    'steps' in options ? group.calls + group.empty >= options.steps : group.counted >= options.examples;
  const minimize: Optimizer['minimize'] = (loss, returnCost = false, variables) => {
    const count = options.count === undefined ? 1 : options.count();
    checkCounted(count);
    // TensorFlow.js takes null as it takes no list.
    const value = count === 0 ? group.pass(loss, returnCost) : group.add(loss, variables ?? undefined, count);
    if (isComplete()) group.step();
    if (returnCost) return value;
    value?.dispose();
    return null;
  };
  Object.defineProperty(optimizer, 'minimize', { value: minimize, configurable: true });
  return {
    get waiting() {
      return group.calls;
    },
    get steps() {
      return group.steps;
    },
    flush: () => group.step(),
    end() {
      group.drop();
      // The class's own method shows again.
      Reflect.deleteProperty(optimizer, 'minimize');
    },
  };
}

/** The calls that come together for one step: Σ nᵢ·gᵢ, divided once by Σ nᵢ when the step is made. */
class DeferredGroup {
  /** Calls that added a gradient. */
  calls = 0;
  /** Calls that counted 0. */
  empty = 0;
  counted = 0;
  steps = 0;
  private readonly sum: GradientAccumulator;
  private variables: readonly Variable[] = [];
  private isListed = false;

  constructor(
    private readonly tf: TensorFlow,
    private readonly optimizer: Optimizer,
    private readonly clip: GradientClip | undefined,
  ) {
    this.sum = new GradientAccumulator(tf);
  }

  /** Adds the gradient of one call. Returns its own loss. */
  add(loss: () => Scalar, listed: Variable[] | undefined, count: number): Scalar {
    const variables = trainable(this.tf, listed);
    if (this.calls > 0 && !isSame(variables, this.variables))
      throw new RangeError('Calls of minimize that make one step must change the same variables.');
    const value = this.tf.tidy(() => {
      const weighted = this.sum.addGradientsOf(this.optimizer, loss, variables, count);
      return (count === 1 ? weighted : this.tf.div(weighted, count)) as Scalar;
    });
    this.variables = variables;
    this.isListed = listed !== undefined;
    this.calls += 1;
    this.counted += count;
    return value;
  }

  /** Passes over a call that counts 0: the mean over nothing has no gradient. Returns its loss where that is asked for. */
  pass(loss: () => Scalar, returnCost: boolean): Scalar | null {
    const value = returnCost ? this.tf.tidy(loss) : null;
    this.empty += 1;
    return value;
  }

  /** Makes the step of the calls so far; false where none of them added anything. */
  step(): boolean {
    if (this.calls === 0) {
      this.drop();
      return false;
    }
    try {
      this.tf.tidy(() => {
        const mean = this.sum.named().map(({ name, tensor }) => ({
          name,
          tensor: tensor && (this.counted === 1 ? tensor : this.tf.div(tensor, this.counted)),
        }));
        applyOnce(this.tf, this.optimizer, mean, { clip: this.clip, listed: this.isListed });
      });
    } finally {
      this.drop();
    }
    this.steps += 1;
    return true;
  }

  drop(): void {
    this.sum.dispose();
    this.calls = 0;
    this.empty = 0;
    this.counted = 0;
  }
}

function isSame(one: readonly Variable[], other: readonly Variable[]): boolean {
  return one.length === other.length && one.every((variable, index) => variable === other[index]);
}
