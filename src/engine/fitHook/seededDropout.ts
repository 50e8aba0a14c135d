// Dropout with a seed: a microbatch gets its own rows of the mask that the full batch would have got.
import type { Core, InnerModel, Layer, Tensor } from './innerModel';
import { layerProperty, layersOf } from './layersOf';

/** Which rows of the batch run. */
export interface Rows {
  readonly start: number;
  readonly size: number;
  readonly rows: number;
}

interface DropoutLayer {
  readonly rate: number;
  readonly seed: number | string;
  readonly noiseShape: readonly (number | null)[] | null | undefined;
  getNoiseShape(input: Tensor): number[] | null | undefined;
  call: Layer['call'];
}

/** Uniform numbers of a seed on the host, row after row: those of a smaller batch are the first ones of a larger. */
const uniformOf = new WeakMap<object, { readonly rowShape: string; readonly values: Float32Array }>();

/**
 * tfjs draws the mask of a seeded dropout anew from its seed at each call, so that every microbatch of equal shape
 * would get the same mask: the rows' noise would repeat. While `run` runs, such layers take rows
 * [start, start + size) of the mask of the whole batch instead, with the operations of `tf.dropout`, hence the same
 * bits. The uniform numbers of the whole batch (B × size of a row, 4 bytes each) are kept on the host, once.
 */
export function withSeededDropout<T>(
  core: Core,
  model: Pick<InnerModel, 'layers'>,
  part: Rows,
  run: () => T,
): T {
  const layers = layersOf(model).filter(isSeededDropout);
  try {
    for (const layer of layers) replaceCall(core, layer, part);
    return run();
  } finally {
    // The class's own method shows again.
    for (const layer of layers) Reflect.deleteProperty(layer, 'call');
  }
}

/** True for a dropout whose mask is drawn from a seed, and which drops anything at all. */
export function isSeededDropout(layer: Layer): layer is DropoutLayer & Layer {
  const rate = layerProperty(layer, 'rate');
  const seed = layerProperty(layer, 'seed');
  return (
    (layer.getClassName() === 'Dropout' || layer.getClassName() === 'SpatialDropout1D') &&
    typeof rate === 'number' &&
    rate > 0 &&
    rate < 1 &&
    seed !== null &&
    seed !== undefined &&
    typeof layerProperty(layer, 'getNoiseShape') === 'function'
  );
}

function replaceCall(core: Core, layer: DropoutLayer & Layer, part: Rows): void {
  const stock = layer.call;
  const call: Layer['call'] = (inputs, kwargs) => {
    const input = Array.isArray(inputs) ? inputs[0] : inputs;
    const isTraining = kwargs['training'] === true;
    // A layer that folds rows into another dimension, or a mask shared by all rows, has no rows to take.
    if (!isTraining || input === undefined || input.shape[0] !== part.size)
      return stock.call(layer, inputs, kwargs);
    const noise = layer.getNoiseShape(input) ?? input.shape;
    if (noise[0] !== part.size || typeof layer.noiseShape?.[0] === 'number') {
      return stock.call(layer, inputs, kwargs);
    }
    return core.tidy(() => core.mul(input, maskRows(core, layer, noise.slice(1), part)));
  };
  Object.defineProperty(layer, 'call', { value: call, configurable: true });
}

/** Rows of the multiplier: 0 where dropped, 1 / (1 - rate) where kept; the formula of tfjs-core's `dropout`. */
function maskRows(core: Core, layer: DropoutLayer & Layer, rowShape: readonly number[], part: Rows): Tensor {
  const rowSize = rowShape.reduce((product, size) => product * size, 1);
  const uniform = hostUniform(core, layer, rowShape, part.rows);
  const values = uniform.slice(part.start * rowSize, (part.start + part.size) * rowSize);
  const keep = 1 - layer.rate;
  return core.div(core.floor(core.add(core.tensor(values, [part.size, ...rowShape]), keep)), keep);
}

function hostUniform(
  core: Core,
  layer: DropoutLayer & Layer,
  rowShape: readonly number[],
  rows: number,
): Float32Array {
  const key = rowShape.join('x');
  const known = uniformOf.get(layer);
  const rowSize = rowShape.reduce((product, size) => product * size, 1);
  if (known?.rowShape === key && known.values.length >= rows * rowSize) return known.values;
  // Just drawn, the numbers lie on the host on every backend: reading them waits for no device.
  const drawn = core.randomUniform([rows, ...rowShape], 0, 1, 'float32', layer.seed);
  const values = Float32Array.from(drawn.dataSync());
  drawn.dispose();
  uniformOf.set(layer, { rowShape: key, values });
  return values;
}
