// Stops WASM before its memory is used up: its own failed allocation goes unnoticed, and other tensors are overwritten.
import { formatBytes } from '../../planning/units';
import { backendLimitBytes } from '../../planning/backendName';

/** Bytes in tensors at which it stops. */
export const wasmBudgetBytes = backendLimitBytes.wasm;

/** Memory of the WASM backend ran out. Nothing was written; tensors that exist are as they were. */
export class WasmOutOfMemoryError extends Error {
  override readonly name = 'WasmOutOfMemoryError';
  constructor(
    /** Bytes that were asked for. */
    readonly requestedBytes: number,
    /** Bytes in tensors before. */
    readonly liveBytes: number,
    /** Most bytes that tensors may take. */
    readonly limitBytes: number,
  ) {
    super(
      `WASM is out of memory: ${formatBytes(requestedBytes)} more on top of ${formatBytes(liveBytes)} in tensors, of ` +
        `which WebAssembly can hold ${formatBytes(limitBytes)}`,
    );
  }
}

/** The allocator of an emscripten module. */
interface Allocator {
  _malloc(bytes: number): number;
  _free(address: number): void;
  readonly HEAPU8: { readonly length: number };
}

/** What the guard counts and checks. */
export interface WasmMemory {
  /**
   * Makes sure that a kernel can allocate this much in one piece for itself; such memory is not counted.
   * @throws WasmOutOfMemoryError where it cannot
   */
  reserve(bytes: number): void;
  /** Bytes in tensors now. */
  liveBytes(): number;
  /** Size of the heap in bytes; it never shrinks. */
  heapBytes(): number;
}

const guarded = new WeakMap<object, WasmMemory>();

function allocatorOf(backend: unknown): Allocator {
  const wasm: unknown = typeof backend === 'object' && backend !== null ? Reflect.get(backend, 'wasm') : null;
  if (typeof wasm === 'object' && wasm !== null && '_malloc' in wasm && '_free' in wasm)
    return wasm as Allocator;
  throw new TypeError('The WASM backend has no allocator to guard.');
}

/**
 * Makes the backend's allocation throw WasmOutOfMemoryError where it fails or would exceed `limitBytes`.
 * tfjs takes the address 0 of a failed allocation for memory (backend_wasm.ts, `move`).
 */
export function guardWasmMemory(backend: unknown, limitBytes: number = wasmBudgetBytes): WasmMemory {
  const wasm = allocatorOf(backend);
  const known = guarded.get(wasm);
  if (known !== undefined) return known;
  // Emscripten replaces its exports at their first call; only then can they be wrapped to stay.
  wasm._free(wasm._malloc(4));
  const { _malloc: malloc, _free: free } = wasm;
  const sizes = new Map<number, number>();
  let live = 0;

  wasm._malloc = (bytes) => {
    if (live + bytes > limitBytes) throw new WasmOutOfMemoryError(bytes, live, limitBytes);
    // A size of 2 GB and more is read as an unsigned number by the module, and its address as a signed one here.
    const address = malloc(bytes) >>> 0;
    if (address === 0 && bytes > 0) throw new WasmOutOfMemoryError(bytes, live, limitBytes);
    sizes.set(address, bytes);
    live += bytes;
    return address;
  };
  wasm._free = (address) => {
    live -= sizes.get(address >>> 0) ?? 0;
    sizes.delete(address >>> 0);
    free(address);
  };
  const memory: WasmMemory = {
    liveBytes: () => live,
    heapBytes: () => wasm.HEAPU8.length,
    reserve: (bytes) => {
      const address = malloc(bytes) >>> 0;
      if (address === 0) throw new WasmOutOfMemoryError(bytes, live, limitBytes);
      free(address);
    },
  };
  guarded.set(wasm, memory);
  return memory;
}
