// The backends by name, in the order in which they are tried: shared by the config and every message.

/** Backends in the order in which they are tried. */
export const backendNames = ['tfjs-node-gpu', 'tfjs-node', 'webgpu', 'wasm', 'cpu'] as const;
export type BackendName = (typeof backendNames)[number];

/**
 * Most bytes that a backend lets tensors take, however much memory there is; a backend that is not here has no such
 * limit. WebAssembly's memory ends at 4 GB; the rest is for what kernels allocate themselves.
 */
export const backendLimitBytes = { wasm: 3.6e9 } as const satisfies Partial<Record<BackendName, number>>;
