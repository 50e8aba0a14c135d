// Runs a model for the self-check so that it leaves no trace: no state of layers, no random number drawn, no tensor.
import type { Core, InnerModel, Layer, Tensor } from './innerModel';
import { layerProperty, layersOf } from './layersOf';

/**
 * Runs `work` (gradients of a model, nothing applied) with layers of known nature in inference and a random source of
 * its own; afterwards weights that are not trained, dropout masks and `Math.random` are what they were.
 */
export function withoutTrace<T>(core: Core, model: InnerModel, work: () => T): T {
  const quiet = layersOf(model).filter(isQuietedInCheck);
  const random = Math.random;
  const trained = new Set(model.collectedTrainableWeights.map((weight) => weight.read()));
  const saved = model.weights
    .filter((weight) => !trained.has(weight.read()))
    .map((weight) => ({ weight, id: weight.read().dataId, value: core.keep(core.clone(weight.read())) }));
  for (const layer of quiet) {
    const stock = layer.call;
    const call: Layer['call'] = (inputs, kwargs) => stock.call(layer, inputs, { ...kwargs, training: false });
    Object.defineProperty(layer, 'call', { value: call, configurable: true });
  }
  Math.random = generator();
  try {
    return work();
  } finally {
    Math.random = random;
    for (const layer of quiet) {
      Reflect.deleteProperty(layer, 'call');
      disposeMasks(core, layerProperty(layer, 'cell'));
    }
    for (const { weight, id, value } of saved) {
      // A layer of the script's own may have written its state.
      if (weight.read().dataId !== id) weight.read().assign(value);
      value.dispose();
    }
  }
}

/** A recurrent cell keeps its dropout masks until its layer is next called, even those of an inference. */
function disposeMasks(core: Core, cell: unknown): void {
  if (typeof cell !== 'object' || cell === null) return;
  for (const mask of ['dropoutMask', 'recurrentDropoutMask']) {
    const kept: unknown = Reflect.get(cell, mask);
    if (kept === null || kept === undefined) continue;
    core.dispose(kept as Tensor | Tensor[]);
    Reflect.set(cell, mask, null);
  }
}

const quieted: ReadonlySet<string> = new Set([
  'BatchNormalization',
  'Dropout',
  'SpatialDropout1D',
  'AlphaDropout',
  'GaussianDropout',
  'GaussianNoise',
  'RandomWidth',
  'RandomHeight',
]);

function isQuietedInCheck(layer: Layer): boolean {
  return quieted.has(layer.getClassName()) || layerProperty(layer, 'cell') !== undefined;
}

let draws = 0;

/**
 * A random source of the check's own (a linear congruential generator), so that the script's is not advanced. Each
 * gradient gets other numbers, so that a layer that depends on them shows.
 */
function generator(): () => number {
  draws += 1;
  let state = Math.imul(0x2545f491, draws) >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
