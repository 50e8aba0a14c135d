// The plan as a TensorFlow program: a custom loop with GradientTape and tf.function.
import type { ExportForm, ExportedPlan } from '../exportedPlan';
import { kerasCut, kerasImports, kerasModel, kerasSelftest, kerasStart, kerasTraining } from './kerasParts';
import { kerasOptimizer } from './optimizers';
import { pythonProgram } from './program';

const tapeGradient = `@tf.function(reduce_retracing=True)
def part_of_gradient(model, x, y, total, share):
    with tf.GradientTape() as tape:
        # A sum by the whole batch's count: each microbatch weighs what it has of it. A
        # mean of means (1 / steps) would be wrong wherever they differ. Regularisation
        # is in proportion: the shares of a batch add up to 1, so it counts once.
        loss = sum_loss(y, model(x, training=True)) / total
        loss += share * sum(model.losses)
    variables = model.trainable_variables
    gradient = tape.gradient(loss, variables, unconnected_gradients="zero")
    return loss, [tf.convert_to_tensor(g) for g in gradient]`;

const loop = `def accumulate(model, x, y):
    """The loss and gradient of a whole batch, from microbatches."""
    total = max(1, count(y))  # of the whole batch, before it is cut
    batch_loss = 0.0
    gradient = [tf.zeros_like(v) for v in model.trainable_variables]
    for xs, ys in zip(cut(x), cut(y)):
        loss, part = part_of_gradient(
            model,
            tf.constant(xs),
            tf.constant(ys),
            tf.constant(total, tf.float32),
            tf.constant(count(ys) / total, tf.float32),
        )
        batch_loss += loss
        gradient = [g + p for g, p in zip(gradient, part)]  # added, never divided
    return batch_loss, gradient`;

/** The gradient of a whole batch at once. */
export const tapeWholeBatch = `@tf.function(reduce_retracing=True)
def whole_batch(model, x, y):
    """The gradient without accumulation, to compare with."""
    with tf.GradientTape() as tape:
        loss = mean_loss(y, model(x, training=True)) + sum(model.losses)
    variables = model.trainable_variables
    gradient = tape.gradient(loss, variables, unconnected_gradients="zero")
    return [tf.convert_to_tensor(g) for g in gradient]`;

/** The program; runs by `python`, with TensorFlow and the Keras that comes with it. */
export function tensorflowProgram(plan: ExportedPlan, form: ExportForm, file: string): string {
  const imports = kerasImports(form, [], ['keras', 'numpy as np', 'tensorflow as tf']);
  return pythonProgram(plan, `python ${file}`, imports, [
    kerasModel(form),
    kerasOptimizer(plan.optimizer),
    kerasCut(form),
    tapeGradient,
    loop,
    kerasTraining,
    tapeWholeBatch,
    kerasSelftest(false),
    kerasStart,
  ]);
}
