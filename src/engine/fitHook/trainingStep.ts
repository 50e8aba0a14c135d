// What is needed to run a model's training step in parts: looked up once per call of fit, fitDataset or trainOnBatch.
import type { Update } from '../contracts';
import type { Core, InnerModel, StepFunction, Tensor } from './innerModel';
import type { ApplyGradients } from './optimizers/applyGradients';
import { batchLevelMetrics } from './lossShapes';

/** The parts of one model's training step. */
export interface TrainingStep {
  readonly core: Core;
  readonly model: InnerModel;
  /** The plain step of tfjs-layers: forward, backward and `optimizer.minimize`. */
  readonly train: StepFunction;
  /** Makes the plain test step of tfjs-layers. */
  readonly makeTest: () => StepFunction;
  readonly applyGradients: ApplyGradients;
  /** Metrics of the training step that cannot be averaged, as indices into `metricsTensors`. */
  readonly trainingBatchLevel: ReadonlySet<number>;
}

const batchLevelOf = new WeakMap<object, ReadonlySet<number>>();

/** Batch-level metrics of the model's validation step, probed once for each `compile`. */
export function validationBatchLevel(core: Core, model: InnerModel): ReadonlySet<number> {
  const known = batchLevelOf.get(model.metricsTensors);
  if (known !== undefined) return known;
  const indices = batchLevelMetrics(core, model);
  batchLevelOf.set(model.metricsTensors, indices);
  return indices;
}

/**
 * Batch-level metrics of the model's training step. With several outputs, tfjs takes the first metrics (one per
 * output) from the losses it has, and does not call them.
 */
export function trainingBatchLevel(core: Core, model: InnerModel): ReadonlySet<number> {
  const fromLosses = model.outputs.length > 1 ? model.outputs.length : 0;
  return new Set([...validationBatchLevel(core, model)].filter((index) => index >= fromLosses));
}

/** Loss and metrics by name from a step's outputs: numbers at once, or a promise where the backend cannot wait. */
export function readLogs(
  core: Core,
  names: readonly string[],
  outputs: readonly Tensor[],
): Record<string, number> | Promise<Record<string, number>> {
  if (readsSynchronously(core)) {
    return Object.fromEntries(
      names.map((name, index) => [name, outputs[index]?.dataSync()[0] ?? Number.NaN]),
    );
  }
  // fit disposes the outputs before a promise is kept: these handles stay until they are read.
  const handles = outputs.map((output) => core.keep(core.clone(output)));
  return readAll(core, names, handles);
}

async function readAll(
  core: Core,
  names: readonly string[],
  handles: readonly Tensor[],
): Promise<Record<string, number>> {
  try {
    const values = await Promise.all(handles.map((handle) => handle.data()));
    return Object.fromEntries(names.map((name, index) => [name, values[index]?.[0] ?? Number.NaN]));
  } finally {
    core.dispose([...handles]);
  }
}

/** False on WebGPU, where tfjs cannot wait for a value in Node. */
export function readsSynchronously(core: Core): boolean {
  return core.getBackend() !== 'webgpu';
}

/** The error of asking an update for something that it does not do. */
export function updateError(update: Pick<Update, 'index'>, message: string): Error {
  return new Error(`Update ${update.index + 1}: ${message}`);
}
