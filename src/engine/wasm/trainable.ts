// Which layers of a model cannot be trained on WASM, told by name before a long training begins.
import type { LayersModel } from '../contracts';
import type { Core } from './kernelRunner';

/** A layer whose gradient needs a kernel that the backend lacks. */
export interface UntrainableLayer {
  /** The layer's name in the model. */
  readonly layer: string;
  readonly className: string;
  /** The kernel that is missing. */
  readonly kernel: string;
}

const convolution = ['Conv2DBackpropFilter', 'Conv2DBackpropInput'];
const depthwise = ['DepthwiseConv2dNativeBackpropFilter', 'DepthwiseConv2dNativeBackpropInput'];

/**
 * Kernels of the gradients of tfjs's layers that a WASM backend may lack, by the layer's class. Measured: a test trains
 * every class and holds this table to the kernels that were run.
 */
export const gradientKernels: Readonly<Record<string, readonly string[]>> = {
  Conv1D: convolution,
  Conv2D: convolution,
  Conv2DTranspose: convolution,
  Conv3D: ['Conv3DBackpropFilterV2', 'Conv3DBackpropInputV2'],
  ConvLSTM2D: convolution,
  ConvLSTM2DCell: convolution,
  DepthwiseConv2D: depthwise,
  Embedding: ['UnsortedSegmentSum'],
  SeparableConv2D: [...convolution, ...depthwise],
};

/** What is used of a layer; wrappers, cells and nested models hold others. */
interface LayerLike {
  readonly name: string;
  getClassName(): string;
  readonly layer?: unknown;
  readonly cell?: unknown;
  readonly cells?: unknown;
  readonly layers?: unknown;
  readonly forwardLayer?: unknown;
}

function isLayer(value: unknown): value is LayerLike {
  return (
    typeof value === 'object' && value !== null && typeof Reflect.get(value, 'getClassName') === 'function'
  );
}

/** The layer and all that it holds. */
function* within(layer: LayerLike): Generator<LayerLike> {
  yield layer;
  const held = [layer.layer, layer.cell, layer.forwardLayer].concat(layer.layers ?? [], layer.cells ?? []);
  for (const inner of held) if (isLayer(inner)) yield* within(inner);
}

/**
 * The layers that the active WASM backend cannot train, each with one kernel that is missing; empty where all can be.
 * With the kernels of registerWasmKernels no layer of TensorFlow.js is among them; without, convolutions and embeddings
 * are. Layers of the user's own are not known here: what they lack shows at the first step.
 */
export function layersWithoutWasmGradient(
  core: Pick<Core, 'getKernel'>,
  model: LayersModel,
): UntrainableLayer[] {
  const found = new Map<string, UntrainableLayer>();
  for (const top of model.layers) {
    if (!isLayer(top)) continue;
    for (const layer of within(top)) {
      const className = layer.getClassName();
      const kernel = gradientKernels[className]?.find((each) => core.getKernel(each, 'wasm') === undefined);
      // A recurrent layer comes before its cell, which may bear its name.
      if (kernel !== undefined && !found.has(layer.name)) {
        found.set(layer.name, { layer: layer.name, className, kernel });
      }
    }
  }
  return [...found.values()];
}

/** Why this model is not to be trained on the active WASM backend, layers named; null where it can be. */
export function wasmRefusal(core: Pick<Core, 'getKernel'>, model: LayersModel): string | null {
  const layers = layersWithoutWasmGradient(core, model);
  if (layers.length === 0) return null;
  const named = layers.slice(0, 3).map(({ layer, className }) => `"${layer}" (${className})`);
  const more = layers.length > 3 ? ` and ${String(layers.length - 3)} more` : '';
  return `WASM has no gradient for ${named.join(', ')}${more}.`;
}
