// The running sum of the microbatches' weighted gradients: one tensor for each trainable variable, kept between steps.
import type { NamedTensorMap, Scalar } from '@tensorflow/tfjs-core';
import type { Core, Optimizer, Tensor, Variable } from './innerModel';

/** A gradient as `Optimizer.applyGradients` takes it; tfjs finds the optimizer's slots by the position in the array. */
export interface NamedGradient {
  readonly name: string;
  readonly tensor: Tensor | undefined;
}

/**
 * Adds up gradients, each computed from a loss that was scaled by nᵢ/B, so that the sum is the full batch's gradient:
 * Σ (nᵢ/B)·gᵢ. Nothing is divided afterwards.
 */
export class GradientAccumulator {
  private variables: readonly Variable[] = [];
  private sums: (Tensor | undefined)[] = [];

  constructor(private readonly core: Core) {}

  /**
   * Computes the gradients of `weight`·loss and adds them to the sum.
   * @returns the weighted loss, a scalar owned by the caller's tidy. With weight 1 nothing is multiplied, so that a
   * single microbatch gives the very bits of the plain step.
   */
  addGradientsOf(optimizer: Optimizer, loss: () => Scalar, variables: Variable[], weight: number): Scalar {
    const weighted = weight === 1 ? loss : () => this.core.mul(loss(), weight) as Scalar;
    const { value, grads } = optimizer.computeGradients(weighted, variables);
    this.add(variables, grads);
    return value;
  }

  /** The sums in the order of the trainable variables; undefined where no microbatch had a gradient. */
  named(): NamedGradient[] {
    return this.variables.map((variable, index) => ({ name: variable.name, tensor: this.sums[index] }));
  }

  dispose(): void {
    for (const sum of this.sums) sum?.dispose();
    this.sums = [];
    this.variables = [];
  }

  private add(variables: readonly Variable[], gradients: NamedTensorMap): void {
    this.variables = variables;
    // One tensor may be the gradient of two variables: each sum needs a handle of its own.
    const taken = new Set<number>();
    variables.forEach((variable, index) => {
      const gradient = gradients[variable.name];
      if (gradient === undefined) return;
      const sum = this.sums[index];
      if (sum === undefined) {
        this.sums[index] = this.core.keep(taken.has(gradient.id) ? this.core.clone(gradient) : gradient);
        taken.add(gradient.id);
        return;
      }
      this.sums[index] = this.core.keep(this.core.add(sum, gradient));
      sum.dispose();
    });
    // A gradient that became a sum is kept; the others go at once, not at the end of the batch's tidy.
    for (const gradient of Object.values(gradients)) {
      if (!taken.has(gradient.id)) gradient.dispose();
    }
  }
}
