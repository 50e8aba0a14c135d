// x
export const untrainableLayers = {};
export const layersWithoutWasmGradient = () => [];
