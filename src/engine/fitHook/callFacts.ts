// Reads the arguments of a training call as tfjs will, without judging them: what tfjs refuses, it refuses itself.
import type { CallFacts } from './callState';
import type { Core, InnerModel, Tensor } from './innerModel';

/** tfjs-layers' batch size for `fit` where the script gives none. */
const defaultBatchSize = 32;

/** Facts about `fit(x, y, args)`. */
export function factsOfFit(
  core: Core,
  model: InnerModel,
  name: string,
  x: unknown,
  options: unknown,
  target: number | null,
): CallFacts {
  const args = record(options);
  const rows = leaves(core, x)?.[0]?.shape[0] ?? null;
  const split = args['validationSplit'];
  const { validationData } = args;
  const hasData = Array.isArray(validationData) && validationData.length > 0;
  const isSplit = !hasData && typeof split === 'number' && split > 0 && split < 1;
  // The rows that tfjs splits off are the last ones; the same rounding as there.
  const examples = rows === null || !isSplit ? rows : Math.floor(rows * (1 - split));
  return {
    method: 'fit',
    model,
    modelName: name,
    scriptBatchSize:
      args['batchSize'] === undefined || args['batchSize'] === null
        ? defaultBatchSize
        : positive(args['batchSize']),
    examples,
    epochs: args['epochs'] === undefined || args['epochs'] === null ? 1 : positive(args['epochs']),
    scriptUpdatesPerEpoch: null,
    hasValidation: hasData || isSplit,
    target,
  };
}

/** Facts about `fitDataset(dataset, args)`; the batch size is known with the first batch. */
export function factsOfFitDataset(
  model: InnerModel,
  name: string,
  dataset: unknown,
  options: unknown,
  target: number | null,
): CallFacts {
  const args = record(options);
  const { size, examples } = record(dataset);
  return {
    method: 'fitDataset',
    model,
    modelName: name,
    scriptBatchSize: null,
    // Not of tfjs: a data set of the product's own tells it.
    examples: positive(examples),
    epochs: positive(args['epochs']),
    scriptUpdatesPerEpoch: positive(args['batchesPerEpoch']) ?? positive(size),
    hasValidation: args['validationData'] !== undefined && args['validationData'] !== null,
    target,
  };
}

/** Facts about `trainOnBatch(x, y)`. */
export function factsOfTrainOnBatch(core: Core, model: InnerModel, name: string, x: unknown): CallFacts {
  const rows = positive(leaves(core, x)?.[0]?.shape[0]);
  return {
    method: 'trainOnBatch',
    model,
    modelName: name,
    scriptBatchSize: rows,
    examples: rows,
    epochs: 1,
    scriptUpdatesPerEpoch: 1,
    hasValidation: false,
    target: null,
  };
}

/** The tensors of a training argument (one, an array, or a dictionary); null for anything else. */
export function leaves(core: Core, data: unknown): Tensor[] | null {
  if (data instanceof core.Tensor) return [data];
  if (typeof data !== 'object' || data === null) return null;
  const values: unknown[] = Object.values(data);
  return values.length > 0 && values.every((value) => value instanceof core.Tensor) ? values : null;
}

/** The same structure with each tensor replaced. */
export function mapLeaves(core: Core, data: unknown, replace: (tensor: Tensor) => Tensor): unknown {
  if (data instanceof core.Tensor) return replace(data);
  if (Array.isArray(data)) return data.map((value) => mapLeaves(core, value, replace));
  if (typeof data !== 'object' || data === null) return data;
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, mapLeaves(core, value, replace)]),
  );
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function positive(value: unknown): number | null {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 ? value : null;
}
