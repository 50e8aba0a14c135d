// Where microbatching would be wrong: the script's own batches are used unchanged, and the reason is told.
import type { Core, InnerModel, Layers } from './innerModel';
import { layerProperty, layersOf } from './layersOf';
import { lossRanks } from './lossShapes';

/**
 * Why this model's updates cannot be cut into microbatches; null when nothing speaks against it. What can be seen
 * without training only: losses that are not a mean over examples are found by the self-check.
 */
export function reasonToPassThrough(
  core: Core,
  layers: Layers,
  model: InnerModel,
  hasClassWeights: boolean,
): string | null {
  const stock: unknown = Reflect.get(layers.LayersModel.prototype, 'makeTrainFunction');
  if (model.makeTrainFunction !== stock) {
    return 'The model has a training step of its own.';
  }
  if (model.stateful) {
    return 'The model keeps recurrent state from batch to batch, so its batch size cannot change.';
  }
  const fixed = model.inputs.find(({ shape }) => shape[0] !== null && shape[0] !== undefined);
  if (fixed !== undefined) {
    return `The model's input fixes the batch size at ${fixed.shape[0]}.`;
  }
  const masked = layersOf(model).find((layer) => fixedNoiseRows(layerProperty(layer, 'noiseShape')));
  if (masked !== undefined) {
    return `The noise shape of layer ${masked.name} fixes the batch size.`;
  }
  return reasonInOptimizer(core, model) ?? reasonInLosses(core, model, hasClassWeights);
}

function fixedNoiseRows(noiseShape: unknown): boolean {
  return Array.isArray(noiseShape) && typeof noiseShape[0] === 'number' && noiseShape[0] > 1;
}

/** An optimizer that replaces what the hook builds on sees gradients of parts where it expects those of a batch. */
function reasonInOptimizer(core: Core, model: InnerModel): string | null {
  const { optimizer } = model;
  // The optimizer may come from another copy of tfjs-core than the layers: stock is what no subclass has replaced.
  for (const method of ['minimize', 'computeGradients'] as const) {
    if (
      optimizer[method] !== core.Optimizer.prototype[method] &&
      !isStockElsewhere(core, optimizer, method)
    ) {
      return `The optimizer computes gradients in a way of its own (${method}).`;
    }
  }
  return null;
}

/** True where the method is that of the base class `Optimizer` of another copy of tfjs-core. */
function isStockElsewhere(core: Core, optimizer: object, method: 'minimize' | 'computeGradients'): boolean {
  let owner: object | null = optimizer;
  while (owner !== null && !Object.hasOwn(owner, method)) owner = Object.getPrototypeOf(owner);
  return owner !== null && owner !== core.Optimizer.prototype && owner.constructor.name === 'Optimizer';
}

function reasonInLosses(core: Core, model: InnerModel, hasClassWeights: boolean): string | null {
  const ranks = lossRanks(core, model);
  if (hasClassWeights && ranks.includes(0)) {
    return 'A loss that is one number for the whole batch cannot be weighted by class in parts of the batch.';
  }
  // tfjs adds the losses of several outputs before it averages them: [B] + [B, T] broadcasts the batch over time.
  const ofExamples = new Set(ranks.filter((rank) => rank !== 0 && rank !== null));
  if (ofExamples.size > 1) {
    return 'The outputs have losses of different rank, which tfjs adds to each other by broadcasting.';
  }
  return null;
}
