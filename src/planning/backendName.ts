// The backends by name, in the order in which they are tried: shared by the config and every message.

/** Backends in the order in which they are tried. */
export const backendNames = ['tfjs-node-gpu', 'tfjs-node', 'webgpu', 'wasm', 'cpu'] as const;
export type BackendName = (typeof backendNames)[number];
