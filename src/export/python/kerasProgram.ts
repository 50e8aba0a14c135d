// The plan as a Keras 3 program for any of its backends: each has its own way to a gradient, the loop is one.
import type { ExportForm, ExportedPlan } from '../exportedPlan';
import { kerasCut, kerasImports, kerasModel, kerasSelftest, kerasStart, kerasTraining } from './kerasParts';
import { kerasOptimizer } from './optimizers';
import { pythonProgram } from './program';

const gradients = `if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

    @tf.function(reduce_retracing=True)
    def gradient_of(loss_of, model, *arrays):
        with tf.GradientTape() as tape:
            loss = loss_of(model, *arrays)
        variables = model.trainable_variables
        gradient = tape.gradient(loss, variables, unconnected_gradients="zero")
        return loss, [tf.convert_to_tensor(g) for g in gradient]

elif keras.backend.backend() == "torch":
    import torch

    def gradient_of(loss_of, model, *arrays):
        loss = loss_of(model, *arrays)
        variables = [v.value for v in model.trainable_variables]
        return loss.detach(), torch.autograd.grad(
            loss, variables, materialize_grads=True
        )

else:
    import jax

    @functools.partial(jax.jit, static_argnums=(0, 1))
    def stateless_gradient(loss_of, model, trainable, non_trainable, *arrays):
        def loss_and_state(trainable):
            variables = model.trainable_variables + model.non_trainable_variables
            values = [*trainable, *non_trainable]
            with keras.StatelessScope(zip(variables, values)) as scope:
                loss = loss_of(model, *arrays)
            state = [scope.get_current_value(v) for v in model.non_trainable_variables]
            return loss, [n if s is None else s for s, n in zip(state, non_trainable)]

        return jax.value_and_grad(loss_and_state, has_aux=True)(trainable)

    def gradient_of(loss_of, model, *arrays):
        trainable = [v.value for v in model.trainable_variables]
        non_trainable = [v.value for v in model.non_trainable_variables]
        (loss, state), gradient = stateless_gradient(
            loss_of, model, trainable, non_trainable, *arrays
        )
        for variable, value in zip(model.non_trainable_variables, state):
            variable.assign(value)
        return loss, gradient`;

const loop = `def part_of_loss(model, x, y, total, share):
    # A sum by the whole batch's count: each microbatch weighs what it has of it. A mean
    # of means (1 / steps, as gradient_accumulation_steps has it) would be wrong wherever
    # they differ. Regularisation: the shares of a batch add up to 1, so it counts once.
    loss = sum_loss(y, model(x, training=True)) / total
    return loss + share * sum(model.losses)


def accumulate(model, x, y):
    """The loss and gradient of a whole batch, from microbatches."""
    total = max(1, count(y))  # of the whole batch, before it is cut
    batch_loss = 0.0
    gradient = [keras.ops.zeros(v.shape) for v in model.trainable_variables]
    for xs, ys in zip(cut(x), cut(y)):
        numbers = np.float32(total), np.float32(count(ys) / total)
        arrays = [keras.ops.convert_to_tensor(a) for a in (xs, ys, *numbers)]
        loss, part = gradient_of(part_of_loss, model, *arrays)
        batch_loss += loss
        gradient = [g + p for g, p in zip(gradient, part)]  # added, never divided
    return batch_loss, gradient`;

const wholeBatch = `def whole_loss(model, x, y):
    return mean_loss(y, model(x, training=True)) + sum(model.losses)


def whole_batch(model, x, y):
    """The gradient without accumulation, to compare with."""
    arrays = [keras.ops.convert_to_tensor(a) for a in (x, y)]
    return gradient_of(whole_loss, model, *arrays)[1]`;

/** The program; `KERAS_BACKEND` chooses what it runs on. */
export function kerasProgram(plan: ExportedPlan, form: ExportForm, file: string): string {
  const imports = kerasImports(form, ['functools'], ['keras', 'numpy as np']);
  return pythonProgram(plan, `KERAS_BACKEND=torch python ${file}`, imports, [
    kerasModel(form),
    kerasOptimizer(plan.optimizer),
    kerasCut(form),
    gradients,
    loop,
    kerasTraining,
    wholeBatch,
    kerasSelftest(false),
    kerasStart,
  ]);
}
