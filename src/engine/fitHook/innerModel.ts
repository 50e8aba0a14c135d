// What the hook needs of a tfjs LayersModel that its types keep private, named once and checked where it is met.
import type * as core from '@tensorflow/tfjs-core';
import type * as layers from '@tensorflow/tfjs-layers';
import type { LayersModel } from '../contracts';

/** The tfjs-core namespace that one copy of tfjs-layers computes with. */
export type Core = typeof core;
/** The namespace of one copy of tfjs-layers. */
export type Layers = typeof layers;
export type Tensor = core.Tensor;
export type Variable = core.Variable;
export type Optimizer = core.Optimizer;
export type Layer = layers.layers.Layer;

/** A loss or metric as tfjs-layers calls it: per example (first dimension = rows) or one number for the batch. */
export type LossOrMetric = (truth: Tensor, prediction: Tensor) => Tensor;

/**
 * A training or test step: inputs, targets and sample weights in (null where an output has no weights), loss and
 * metrics out, in the order of `metricsNames`.
 */
export type StepData = readonly (Tensor | null)[];
export type StepFunction = (data: StepData) => Tensor[];

/** A weight as a layer holds it. */
export interface LayerWeight {
  readonly shape: readonly (number | null)[];
  read(): Variable;
  write(value: Tensor): unknown;
}

interface SymbolicTensor {
  readonly shape: readonly (number | null)[];
  readonly dtype: core.DataType;
}

/** A compiled LayersModel with the properties that exist at run time, in tfjs-layers 1.0 to 4.22. */
export interface InnerModel {
  readonly name: string;
  readonly inputs: readonly SymbolicTensor[];
  readonly outputs: readonly SymbolicTensor[];
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  readonly layers: readonly Layer[];
  readonly weights: readonly LayerWeight[];
  readonly stateful: boolean;
  readonly loss: unknown;
  readonly metrics: unknown;
  readonly lossFunctions: readonly LossOrMetric[];
  readonly metricsNames: readonly string[];
  readonly collectedTrainableWeights: readonly LayerWeight[];
  /** Each metric with the index of its output; replaced for the length of a microbatch. */
  metricsTensors: readonly (readonly [LossOrMetric, number])[];
  /** The optimizer since tfjs-layers 1.1; before, a plain property `optimizer`. */
  optimizer_?: Optimizer;
  optimizer: Optimizer;
  isTraining: boolean;
  stopTraining: boolean;
  history: layers.History;
  testFunction: StepFunction;
  countParams(): number;
  makeTrainFunction(): StepFunction;
  makeTestFunction(): void;
  getDedupedMetricsNames(): string[];
  standardizeUserData(
    x: unknown,
    y: unknown,
    sampleWeight: null,
    classWeight: null,
    checkBatchAxis: boolean,
    batchSize: number,
  ): Promise<readonly [Tensor[], Tensor[], unknown]>;
}

/** True for a model that `compile` has prepared for training, so that every property of InnerModel is there. */
export function isCompiled(model: object): model is InnerModel {
  return (
    'lossFunctions' in model &&
    Array.isArray(model.lossFunctions) &&
    'metricsTensors' in model &&
    Array.isArray(model.metricsTensors) &&
    'collectedTrainableWeights' in model &&
    Array.isArray(model.collectedTrainableWeights) &&
    'optimizer' in model &&
    model.optimizer !== null &&
    model.optimizer !== undefined
  );
}

/**
 * The inner view of a model whose type hides it.
 * @throws TypeError when the model was not compiled, or tfjs-layers keeps other properties than those known here.
 */
export function innerModel(model: LayersModel | object): InnerModel {
  if (!isCompiled(model))
    throw new TypeError('The model was not compiled, or this tfjs-layers is not known.');
  return model;
}

/** Runs `work` while the model's optimizer minimizes in another way; everything else of the optimizer is unchanged. */
export function withMinimize<T>(
  model: InnerModel,
  minimize: (loss: () => core.Scalar, returnCost: boolean, variables: Variable[]) => core.Scalar,
  work: () => T,
): T {
  // Setting `optimizer` itself would also clear `isOptimizerOwned`, which decides who disposes it.
  const property = 'optimizer_' in model ? 'optimizer_' : 'optimizer';
  const own = model.optimizer;
  const replaced: Optimizer = Object.create(own, { minimize: { value: minimize } });
  model[property] = replaced;
  try {
    return work();
  } finally {
    model[property] = own;
  }
}
