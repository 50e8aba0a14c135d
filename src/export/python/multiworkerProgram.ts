// The plan as a TensorFlow program of several workers: MultiWorkerMirroredStrategy, the gradient of a batch summed over all.
import type { ExportForm, ExportedPlan } from '../exportedPlan';
import { kerasModel, kerasSelftest, kerasStart } from './kerasParts';
import { kerasOptimizer } from './optimizers';
import { pythonProgram } from './program';
import { tapeWholeBatch } from './tensorflowProgram';

const imports = `import math
import sys

import keras
import numpy as np
import tensorflow as tf`;

const strategy = `# Each GPU of each worker is a replica; a worker without GPUs is one.
strategy = tf.distribute.MultiWorkerMirroredStrategy()


def is_first_worker():
    return strategy.cluster_resolver.task_id == 0`;

const loop = `def steps(array):
    """The microbatches of all replicas, step by step."""
    # Shares differ by at most one example, and so do the microbatches of each.
    shares = np.array_split(array, strategy.num_replicas_in_sync)
    number = max(1, math.ceil(len(shares[0]) / MICROBATCH))
    return zip(*(np.array_split(share, number) for share in shares))


def on_replicas(values):
    """What the replicas of this worker take, of values for all replicas."""
    return strategy.experimental_distribute_values_from_function(
        lambda context: tf.constant(values[context.replica_id_in_sync_group])
    )


@tf.function(reduce_retracing=True)
def add_part(model, sums, x, y, share, total):
    variables = model.trainable_variables

    def on_replica(sums, x, y, share):
        with tf.GradientTape() as tape:
            # A sum by the whole batch's count, over all replicas: each microbatch weighs
            # what it has of it. Regularisation is in proportion: the shares of a batch
            # add up to 1, so it counts once.
            loss = sum_loss(y, model(x, training=True)) / total
            loss += share * sum(model.losses)
        gradient = tape.gradient(loss, variables, unconnected_gradients="zero")
        return [s + g for s, g in zip(sums, [loss, *gradient])]  # never divided

    return strategy.run(on_replica, args=(sums, x, y, share))


def accumulate(model, x, y):
    """Loss and gradient of a whole batch; each replica has its part of the sums."""
    total = max(1, count(y))  # of the whole batch, over all replicas
    sums = [tf.zeros(v.shape) for v in (tf.zeros(()), *model.trainable_variables)]
    for xs, ys in zip(steps(x), steps(y)):
        shares = [np.float32(count(part) / total) for part in ys]
        parts = map(on_replicas, (xs, ys, shares))
        sums = add_part(model, sums, *parts, tf.constant(total, tf.float32))
    loss, *gradient = sums
    return loss, gradient


@tf.function(reduce_retracing=True)
def over_replicas(parts):
    return [strategy.reduce("SUM", part, axis=None) for part in parts]


@tf.function(reduce_retracing=True)
def apply(model, optimizer, gradient):
    def on_replica(gradient):
        # The optimizer adds up the parts of all replicas: they go over the network once
        # per update. Its own clipping (clipnorm) would come before that, and clip parts: to
        # clip, take over_replicas(gradient), clip that, and divide by the replicas here.
        # An argument has no device, which the sum needs: hence the identity.
        gradient = [tf.identity(part) for part in gradient]
        optimizer.apply(gradient, model.trainable_variables)

    strategy.run(on_replica, args=(gradient,))


def update(model, optimizer, x, y):
    loss, gradient = accumulate(model, x, y)
    apply(model, optimizer, gradient)  # once per update, not per microbatch
    return over_replicas([loss])[0]


def main():
    with strategy.scope():
        model, optimizer = make_model(), make_optimizer()
        optimizer.build(model.trainable_variables)
    x, y = make_data(BATCH * 4 + max(1, BATCH // 2))  # the same in all workers
    for epoch in range(3):
        for start in range(0, len(x), BATCH):  # the last batch may be smaller
            rows = slice(start, start + BATCH)
            loss = update(model, optimizer, x[rows], y[rows])
        if is_first_worker():
            print(f"epoch {epoch + 1}: loss {float(loss):.4f}")`;

/** The program that each worker starts, with a TF_CONFIG of its own. */
export function multiworkerProgram(
  plan: ExportedPlan,
  form: ExportForm,
  file: string,
  configName: string,
): string {
  const run = `TF_CONFIG="$(cat ${configName})" python ${file}`;
  const where = `in each worker, with its own "index" in ${configName},`;
  return pythonProgram(plan, run, imports, parts(plan, form), where);
}

function parts(plan: ExportedPlan, form: ExportForm): string[] {
  return [
    strategy,
    kerasModel(form),
    kerasOptimizer(plan.optimizer),
    loop,
    tapeWholeBatch,
    kerasSelftest(true),
    kerasStart,
  ];
}
