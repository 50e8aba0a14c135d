// Runs the WASM backend's own kernels inside a composed one, on its heap, without tensors of the engine.
import type { DataType, KernelConfig, TensorInfo } from '@tensorflow/tfjs-core';
import type * as tfCore from '@tensorflow/tfjs-core';

export type Core = typeof tfCore;
export type WasmArray = Float32Array | Int32Array | Uint8Array;

/** What is used of tfjs's BackendWasm (backend_wasm.ts); the package does not export its type. */
export interface WasmBackend {
  makeOutput(shape: number[], dtype: DataType): TensorInfo;
  /** A view on the heap; it dies at the next allocation, which may move the heap. */
  typedArrayFromHeap(info: TensorInfo): WasmArray;
  disposeData(dataId: object): boolean;
  incRef(dataId: object): void;
}

/** What a kernel is called with. */
export interface KernelArguments {
  inputs: Record<string, TensorInfo>;
  backend: WasmBackend;
  attrs: Record<string, unknown>;
}
export type Kernel = (args: KernelArguments) => TensorInfo;

/** Number of elements of a shape. */
export const sizeOf = (shape: readonly number[]): number =>
  shape.reduce((product, length) => product * length, 1);

/** Kernels by name, as they are registered when this is made: the backend's own, whatever replaces them later. */
export class KernelRunner {
  private readonly kernels: ReadonlyMap<string, Kernel>;

  constructor(
    readonly core: Core,
    readonly backend: WasmBackend,
  ) {
    const configs: KernelConfig[] = core.getKernelsForBackend('wasm');
    this.kernels = new Map(
      configs.map(({ kernelName, kernelFunc }) => [kernelName, kernelFunc as unknown as Kernel]),
    );
  }

  has(name: string): boolean {
    return this.kernels.has(name);
  }

  run(name: string, inputs: Record<string, TensorInfo>, attrs: Record<string, unknown> = {}): TensorInfo {
    const kernel = this.kernels.get(name);
    if (kernel === undefined) throw new Error(`The WASM backend has no kernel "${name}".`);
    return kernel({ inputs, backend: this.backend, attrs });
  }

  /** Runs a kernel and frees its inputs, so that no intermediate outlives its use. */
  consume(name: string, inputs: Record<string, TensorInfo>, attrs: Record<string, unknown> = {}): TensorInfo {
    try {
      return this.run(name, inputs, attrs);
    } finally {
      this.free(...new Set(Object.values(inputs)));
    }
  }

  /** Uninitialised memory. */
  output(shape: number[], dtype: DataType): TensorInfo {
    return this.backend.makeOutput(shape, dtype);
  }

  zeros(shape: number[], dtype: DataType): TensorInfo {
    const info = this.output(shape, dtype);
    this.backend.typedArrayFromHeap(info).fill(0);
    return info;
  }

  free(...infos: readonly TensorInfo[]): void {
    for (const { dataId } of infos) this.backend.disposeData(dataId);
  }

  /** Another handle on the same data, to be freed like any other. */
  share(info: TensorInfo, shape: number[] = info.shape): TensorInfo {
    this.backend.incRef(info.dataId);
    return { dataId: info.dataId, shape, dtype: info.dtype };
  }

  /** View of the heap; take it after all allocations. */
  heap(info: TensorInfo): WasmArray {
    return this.backend.typedArrayFromHeap(info);
  }

  floats(info: TensorInfo): Float32Array {
    const view = this.backend.typedArrayFromHeap(info);
    if (view instanceof Float32Array) return view;
    throw new TypeError(`A float32 tensor is needed, not ${info.dtype}.`);
  }
}

/** The named input of a kernel. */
export function input(args: KernelArguments, name: string): TensorInfo {
  const info = args.inputs[name];
  if (info === undefined) throw new Error(`The kernel's input "${name}" is missing.`);
  return info;
}
