// How losses and metrics depend on the batch, found by calling them on a few zeros: per example, or one number.
import type { Core, InnerModel, LossOrMetric, Tensor } from './innerModel';

/** Any size that is neither of the probed row counts nor a common factor of them, for dimensions a model leaves open. */
const openDimension = 5;
const probedRows = [2, 3] as const;

/**
 * Rank of each output's loss before it is averaged: 1 for one value per example, 0 for a loss that averages itself;
 * null where the loss cannot be called on zeros.
 */
export function lossRanks(core: Core, model: InnerModel): (number | null)[] {
  return model.lossFunctions.map(
    (loss, output) => resultShape(core, model, loss, output, probedRows[0])?.length ?? null,
  );
}

/**
 * Indices into `metricsTensors` of metrics that cannot be averaged over microbatches: those that give one number for
 * the whole batch (precision, recall, r2Score, many of a script's own), and those that cannot be probed. Their exact
 * value needs the predictions of the whole batch.
 */
export function batchLevelMetrics(core: Core, model: InnerModel): Set<number> {
  const indices = model.metricsTensors.flatMap(([metric, output], index) => {
    const [few, more] = probedRows.map((rows) => resultShape(core, model, metric, output, rows));
    const perExample =
      few?.[0] !== undefined && more?.[0] !== undefined && few[0] / probedRows[0] === more[0] / probedRows[1];
    return perExample ? [] : [index];
  });
  return new Set(indices);
}

function resultShape(
  core: Core,
  model: InnerModel,
  measure: LossOrMetric,
  output: number,
  rows: number,
): readonly number[] | null {
  const symbolic = model.outputs[output];
  if (symbolic === undefined) return null;
  const shape = symbolic.shape.map((size, axis) => (axis === 0 ? rows : (size ?? openDimension)));
  const loss = model.lossFunctions[output];
  const truthShape = isSparse(loss) ? [...shape.slice(0, -1), 1] : shape;
  let result: readonly number[] | null = null;
  core.tidy(() => {
    try {
      result = [...measure(core.zeros(truthShape), core.zeros(shape, symbolic.dtype)).shape];
    } catch {
      // A function of the script's own may refuse zeros of these shapes: then it is simply not known.
      result = null;
    }
  });
  return result;
}

/** tfjs-layers gives a sparse loss targets with a last dimension of 1. */
function isSparse(loss: LossOrMetric | undefined): boolean {
  return loss?.name === 'sparseCategoricalCrossentropy';
}

/** Runs `work` while metrics at `indices` are replaced by what `replace` makes of them. */
export function withMetrics<T>(
  model: InnerModel,
  indices: ReadonlySet<number>,
  replace: (output: number) => LossOrMetric,
  work: () => T,
): T {
  if (indices.size === 0) return work();
  const own = model.metricsTensors;
  model.metricsTensors = own.map((entry, index) =>
    indices.has(index) ? ([replace(entry[1]), entry[1]] as const) : entry,
  );
  try {
    return work();
  } finally {
    model.metricsTensors = own;
  }
}

/** A metric's value over a whole batch, as the step computes it. */
export function wholeBatchValue(
  core: Core,
  metric: LossOrMetric,
  truth: Tensor,
  predictions: readonly Tensor[],
): Tensor {
  return core.tidy(() => core.mean(metric(truth, core.concat([...predictions], 0))));
}
