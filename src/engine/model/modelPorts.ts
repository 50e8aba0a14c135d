// A loaded model's inputs and outputs as the data sees them: names, open dimensions, losses, limits of Embeddings.
import type { LayersModel, Tf } from '../contracts';
import type { InputPort, ModelPorts, OpenShape } from './data/ports';

type Layer = ReturnType<LayersModel['getLayer']>;
type SymbolicTensor = LayersModel['inputs'][number];

/**
 * The ports of a model.
 * @param losses for each output the name of its loss, null for one that is a function
 */
export function portsOf(tf: Tf, model: LayersModel, losses: readonly (string | null)[]): ModelPorts {
  return {
    inputs: model.inputs.map((input, i): InputPort => ({
      name: model.inputNames[i] ?? input.name,
      shape: withoutBatch(input),
      below: tableSize(tf, input.sourceLayer),
    })),
    outputs: model.outputs.map((output, i) => ({
      name: model.outputNames[i] ?? output.name,
      shape: withoutBatch(output),
      loss: losses[i] ?? null,
    })),
  };
}

/** The batch size that a model is bound to, or null. */
export function fixedBatchSize(model: LayersModel): number | null {
  return model.inputs.map((input) => input.shape[0] ?? null).find((size) => size !== null) ?? null;
}

function withoutBatch(tensor: SymbolicTensor): OpenShape {
  // Unknown dimensions are null, and undefined in models that were built without a shape.
  return tensor.shape.slice(1).map((size) => size ?? null);
}

/**
 * The size of the smallest table that looks up what this layer hands on, or null: through layers without weights
 * (Reshape, Masking, …) to an Embedding, and into models used as layers.
 */
function tableSize(tf: Tf, layer: Layer, seen = new Set<Layer>()): number | null {
  const sizes: number[] = [];
  for (const { outboundLayer } of layer.outboundNodes) {
    if (seen.has(outboundLayer)) continue;
    seen.add(outboundLayer);
    const own = ownTableSize(outboundLayer);
    if (own !== null) {
      sizes.push(own);
      continue;
    }
    const inner =
      outboundLayer instanceof tf.LayersModel ? outboundLayer.inputs.map((input) => input.sourceLayer) : [];
    const onward = inner.length > 0 ? inner : outboundLayer.weights.length === 0 ? [outboundLayer] : [];
    for (const next of onward) {
      const size = tableSize(tf, next, seen);
      if (size !== null) sizes.push(size);
    }
  }
  return sizes.length === 0 ? null : Math.min(...sizes);
}

/** What limits the whole numbers that a layer takes, by its class and config. */
function ownTableSize(layer: Layer): number | null {
  const key = { Embedding: 'inputDim', CategoryEncoding: 'numTokens' }[layer.getClassName()];
  const size = key === undefined ? undefined : layer.getConfig()[key];
  return typeof size === 'number' ? size : null;
}
