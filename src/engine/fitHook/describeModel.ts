// What a model is, for people and for telling whether a plan still holds: sizes, shapes and a digest.
import { createHash } from 'node:crypto';
import type { LayersModel } from '../contracts';
import type { Inspection } from '../../protocol/report';
import { innerModel, type InnerModel, type Layer, type LossOrMetric, type Variable } from './innerModel';
import { layerProperty, layersOf } from './layersOf';
import { stockOptimizer } from './stockOptimizer';

/** The part of an inspection that is about the model. */
export type ModelDescription = Pick<
  Inspection,
  | 'modelName'
  | 'parameters'
  | 'trainableParameters'
  | 'fingerprint'
  | 'optimizer'
  | 'stockOptimizer'
  | 'layers'
  | 'inputShapes'
>;

/**
 * Describes a compiled model.
 * @param modelName the name that the user knows; the model's own where it is not told.
 * @throws TypeError when the model was not compiled.
 */
export function describeModel(model: LayersModel, modelName?: string): ModelDescription {
  const inner = innerModel(model);
  return {
    modelName: modelName ?? inner.name,
    parameters: inner.countParams(),
    trainableParameters: elements(inner.collectedTrainableWeights.map((weight) => weight.read())),
    layers: inner.layers.length,
    inputShapes: inner.inputs.map(({ shape }) => shape.map((size) => size ?? null)),
    optimizer: optimizerName(inner),
    stockOptimizer: stockOptimizer(inner.optimizer),
    fingerprint: fingerprint(inner),
  };
}

/** The optimizer as tfjs calls its class: `Adam`, `SGD`, … */
export function optimizerName(model: InnerModel): string {
  return model.optimizer.getClassName();
}

/**
 * SHA-256 over layer classes, configurations and connections (names left out, as they count up within a process),
 * input shapes and dtypes, losses, metrics, which weights are trained, and the optimizer's class.
 */
export function fingerprint(model: InnerModel): string {
  const layers = layersOf(model);
  const position = new Map(layers.map((layer, index) => [layer, index]));
  const content = {
    inputs: model.inputs.map(({ shape, dtype }) => [shape, dtype]),
    layers: layers.map((layer) => ({
      class: layer.getClassName(),
      config: withoutNames(configOf(layer)),
      weights: layer.weights.map(({ shape, dtype }) => [shape, dtype]),
      inbound: inboundLayers(layer).map((one) => position.get(one) ?? null),
    })),
    trained: model.collectedTrainableWeights.map(({ shape }) => shape),
    losses: model.lossFunctions.map(functionIdentity),
    metrics: model.metricsTensors.map(([metric, output]) => [functionIdentity(metric), output]),
    optimizer: optimizerName(model),
  };
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}

/** Stock losses and metrics by name, a script's own by its text: closures over different values look alike. */
function functionIdentity(measure: LossOrMetric): string {
  return `${measure.name}:${createHash('sha256').update(String(measure)).digest('hex')}`;
}

function configOf(layer: Layer): unknown {
  // A nested model's own configuration refers to its layers by name; they are in the list themselves.
  if (Array.isArray(layerProperty(layer, 'layers'))) return null;
  try {
    return layer.getConfig();
  } catch {
    // A script's own layer may not be made for saving; its class and weights still tell it apart.
    return null;
  }
}

function withoutNames(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNames);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== 'name')
      .map(([key, inner]) => [key, withoutNames(inner)]),
  );
}

function inboundLayers(layer: Layer): Layer[] {
  const nodes: unknown = layerProperty(layer, 'inboundNodes');
  if (!Array.isArray(nodes)) return [];
  return nodes.flatMap((node: { inboundLayers?: Layer[] }) => node.inboundLayers ?? []);
}

function elements(variables: readonly Variable[]): number {
  return variables.reduce((sum, { size }) => sum + size, 0);
}
