// What a person should know of a model whose updates are made of microbatches: where, and how, they differ.
import type { PlanWarning } from '../../protocol/warning';
import type { Core, InnerModel, Layer } from './innerModel';
import { layerProperty, layersOf } from './layersOf';
import { isSeededDropout } from './seededDropout';

const randomLayers: ReadonlySet<string> = new Set([
  'Dropout',
  'SpatialDropout1D',
  'AlphaDropout',
  'GaussianDropout',
  'GaussianNoise',
]);
const randomSizes: ReadonlySet<string> = new Set(['RandomWidth', 'RandomHeight']);

/** Warnings about layers whose output depends on the other rows, or on chance, or whose gradient the backend spoils. */
export function layerWarnings(core: Core, model: InnerModel): PlanWarning[] {
  const layers = layersOf(model);
  const warnings: PlanWarning[] = [];
  const warn = (code: PlanWarning['code'], found: readonly Layer[], message: string): void => {
    if (found.length > 0) warnings.push({ code, message, layers: found.map(({ name }) => name) });
  };
  warn(
    'batchStatistics',
    layers.filter((layer) => layer.getClassName() === 'BatchNormalization'),
    'Batch normalization uses the mean and variance of each microbatch, so the update is not exactly that of the ' +
      'full batch. Moving statistics are written as the full batch would. A larger microbatch comes closer; layer ' +
      'normalization does not depend on the batch.',
  );
  warn(
    'randomLayer',
    layers.filter((layer) => isRandom(layer) && !isSeededDropout(layer)),
    'Random layers draw new numbers for each microbatch: the update equals the full batch in distribution, not bit ' +
      'by bit.',
  );
  warn(
    'randomSize',
    layers.filter((layer) => randomSizes.has(layer.getClassName())),
    'A random size is drawn for each microbatch instead of once for the batch.',
  );
  if (core.getBackend() === 'cpu') {
    warn(
      'backendGradient',
      layers.filter(upsamplesToNearest),
      'The plain cpu backend of TensorFlow.js computes a wrong gradient of nearest-neighbour upsampling for every ' +
        'row but the first of a batch, so microbatches change the result (they make it less wrong). Use another ' +
        'backend.',
    );
  }
  return warnings;
}

/** True for a layer that draws numbers. A recurrent cell does so in the name of its layer, which is what people know. */
function isRandom(layer: Layer): boolean {
  if (randomLayers.has(layer.getClassName())) {
    return isPositive(layerProperty(layer, 'rate')) || isPositive(layerProperty(layer, 'stddev'));
  }
  const cell = layerProperty(layer, 'cell');
  return cell !== undefined && layersOf({ layers: [layer] }).some(dropsInCell);
}

/** Recurrent cells hold their dropout as numbers. */
function dropsInCell(layer: Layer): boolean {
  return isPositive(layerProperty(layer, 'dropout')) || isPositive(layerProperty(layer, 'recurrentDropout'));
}

function isPositive(value: unknown): boolean {
  return typeof value === 'number' && value > 0;
}

function upsamplesToNearest(layer: Layer): boolean {
  const interpolation = layerProperty(layer, 'interpolation');
  return (
    layer.getClassName() === 'UpSampling2D' && (interpolation === undefined || interpolation === 'nearest')
  );
}
