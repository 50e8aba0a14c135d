// What the programs with Keras 3 models (TensorFlow, any backend) share: model and data to replace, the loss, the selftest.
import type { ExportForm } from '../exportedPlan';

/** Model, made data and loss of a form. */
export function kerasModel(form: ExportForm): string {
  return form === 'counted' ? countedModel : plainModel;
}

const plainModel = `def make_model():
    return keras.Sequential(
        [
            keras.Input((20,)),
            keras.layers.Dense(32, "tanh", kernel_regularizer="l2"),
            keras.layers.Dense(4),
        ]
    )


def make_data(examples):
    x = np.random.default_rng(1).normal(size=(examples, 20)).astype("float32")
    return x, x[:, :4].argmax(axis=1).astype("int32")


mean_loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
sum_loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="sum")


def count(y):
    return len(y)  # what the batch's loss is the mean over: its examples`;

const countedModel = `PADDING = 0


def make_model():
    return keras.Sequential(
        [
            keras.Input((12,), dtype="int32"),
            keras.layers.Embedding(50, 32),
            keras.layers.Dense(32, "tanh", kernel_regularizer="l2"),
            keras.layers.Dense(50),
        ]
    )


def make_data(examples):
    random = np.random.default_rng(1)
    x = random.integers(1, 50, size=(examples, 12)).astype("int32")
    lengths = random.integers(1, 13, size=(examples, 1))
    x[np.arange(12) >= lengths] = PADDING  # sequences differ in length
    return x, (x * 7) % 50


mean_loss = keras.losses.SparseCategoricalCrossentropy(
    from_logits=True, ignore_class=PADDING
)
sum_loss = keras.losses.SparseCategoricalCrossentropy(
    from_logits=True, ignore_class=PADDING, reduction="sum"
)


def count(y):
    # What the batch's loss is the mean over: tokens that are no padding. They differ
    # from step to step, so neither steps nor examples would weigh right.
    return int((y != PADDING).sum())`;

/** How the microbatches are cut from a (share of a) batch. */
export function kerasCut(form: ExportForm): string {
  return form === 'equal'
    ? `def cut(array):
    # In the last batch of an epoch, the last microbatch may be smaller.
    starts = range(0, max(1, len(array)), MICROBATCH)
    return [array[start : start + MICROBATCH] for start in starts]`
    : `def cut(array):
    # As few parts as there can be; their sizes differ by at most one.
    return np.array_split(array, max(1, math.ceil(len(array) / MICROBATCH)))`;
}

/** Imports, sorted; `after` are those that come behind the standard library's, in order. */
export function kerasImports(
  form: ExportForm,
  standard: readonly string[],
  after: readonly string[],
): string {
  const needed = ['sys', ...(form === 'equal' ? [] : ['math']), ...standard].sort();
  return [...needed, '', ...after].map((name) => (name === '' ? '' : `import ${name}`)).join('\n');
}

/** What the training loop of one process is, beneath `accumulate`. */
export const kerasTraining = `def update(model, optimizer, x, y):
    loss, gradient = accumulate(model, x, y)
    # Once per update. Clip the gradient before this line, if you clip.
    optimizer.apply(gradient, model.trainable_variables)
    return loss


def main():
    model, optimizer = make_model(), make_optimizer()
    x, y = make_data(BATCH * 4 + max(1, BATCH // 2))
    for epoch in range(3):
        for start in range(0, len(x), BATCH):  # the last batch may be smaller
            rows = slice(start, start + BATCH)
            loss = update(model, optimizer, x[rows], y[rows])
        print(f"epoch {epoch + 1}: loss {float(loss):.4f}")`;

/** Where a selftest makes what it compares, and what it prints. */
interface Selftest {
  /** Lines of `copies`, which gives a model and its reference with the same weights. */
  readonly models: string;
  /** Lines that make `optimizer`, and `other` for the reference. */
  readonly optimizers: string;
  /** Gives the gradient of the whole batch. */
  readonly gradient: string;
  readonly report: string;
}

/** For one process, and, under a strategy, for many: the reference knows nothing of the others. */
const alone: Selftest = {
  models: '        model, reference = make_model(), make_model()',
  optimizers: '        optimizer, other = optimizer_class(0.01), optimizer_class(0.01)',
  gradient: 'accumulate(model, x[rows], y[rows])[1]',
  report: '        print(f"{what}: {difference:.1e} off, at most {limit:.0e} allowed")',
};
const underStrategy: Selftest = {
  models: `        reference = make_model()
        with strategy.scope():
            model = make_model()`,
  optimizers: `        other = optimizer_class(0.01)
        with strategy.scope():
            optimizer = optimizer_class(0.01)
            optimizer.build(model.trainable_variables)`,
  gradient: 'over_replicas(accumulate(model, x[rows], y[rows])[1])',
  report: `        if is_first_worker():
            print(f"{what}: {difference:.1e} off, at most {limit:.0e} allowed")`,
};

/** Compares with whole batches: `whole_batch(model, x, y)` and `update` are defined before it. */
export function kerasSelftest(hasStrategy: boolean): string {
  const { models, optimizers, gradient, report } = hasStrategy ? underStrategy : alone;
  return `def selftest():
    failed = False

    def check(what, values, expected, limit):
        nonlocal failed
        values, expected = (
            np.concatenate([keras.ops.convert_to_numpy(a).ravel() for a in arrays])
            for arrays in (values, expected)
        )
        norm = np.linalg.norm
        difference = norm(values - expected) / norm(expected)
        failed |= not difference <= limit
${report}

    x, y = make_data(BATCH + max(1, BATCH * 2 // 3))
    batches = [slice(BATCH), slice(BATCH, None)]  # the second one is partial
    keras.utils.set_random_seed(1)
    start = make_model()

    def copies():
${models}
        model.set_weights(start.get_weights())
        reference.set_weights(start.get_weights())
        return model, reference

    model, reference = copies()
    for what, rows in zip(("whole batch", "partial last batch"), batches):
        gradient = ${gradient}
        expected = whole_batch(reference, x[rows], y[rows])
        check(f"gradient, {what}", gradient, expected, 1e-6)
    for optimizer_class in (keras.optimizers.SGD, keras.optimizers.Adam):
        model, reference = copies()
${optimizers}
        for step in range(20):
            rows = batches[step % 2]
            update(model, optimizer, x[rows], y[rows])
            expected = whole_batch(reference, x[rows], y[rows])
            other.apply(expected, reference.trainable_variables)
        what = f"weights after 20 updates, {optimizer_class.__name__}"
        check(what, model.get_weights(), reference.get_weights(), 1e-5)
    return int(failed)`;
}

/** How each of these programs starts. */
export const kerasStart = `if __name__ == "__main__":
    sys.exit(selftest() if "--selftest" in sys.argv else main())`;
