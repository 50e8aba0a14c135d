// Every layer of a model, those inside nested models, wrappers and recurrent cells included.
import type { InnerModel, Layer } from './innerModel';

/** Properties under which tfjs layers hold other layers. */
const inner = ['layers', 'layer', 'forwardLayer', 'backwardLayer', 'cell', 'cells'] as const;

/** Each layer once, outer before inner. */
export function layersOf(model: Pick<InnerModel, 'layers'>): Layer[] {
  const found = new Set<Layer>();
  const visit = (layer: Layer): void => {
    if (found.has(layer)) return;
    found.add(layer);
    for (const property of inner) {
      const value: unknown = Reflect.get(layer, property);
      for (const candidate of Array.isArray(value) ? value : [value]) {
        if (isLayer(candidate)) visit(candidate);
      }
    }
  };
  for (const layer of model.layers) visit(layer);
  return [...found];
}

/** A plain property of a layer that its type does not show. */
export function layerProperty(layer: Layer, property: string): unknown {
  return Reflect.get(layer, property);
}

function isLayer(value: unknown): value is Layer {
  return typeof value === 'object' && value !== null && 'getClassName' in value && 'name' in value;
}
