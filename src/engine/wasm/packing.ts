// Keeps products and convolutions from running where their own workspace does not fit: they would fail in silence.
import type { KernelFunc, TensorInfo } from '@tensorflow/tfjs-core';
import { input, sizeOf, type Core, type Kernel, type KernelArguments } from './kernelRunner';
import type { WasmMemory } from './memoryGuard';

const floatBytes = 4;
/** XNNPACK rounds a packed matrix up to whole tiles, and adds a bias. */
const packed = (elements: number): number => Math.ceil(elements * 1.15) * floatBytes + 2 ** 16;

/** A product packs its right side. */
function productWorkspace(args: KernelArguments): number {
  return packed(sizeOf(input(args, 'b').shape));
}

/**
 * A convolution reorders its filter, packs it, and keeps an address for each element under each position of the filter
 * (indirect convolution), for one example.
 */
function convolutionWorkspace(args: KernelArguments, result: readonly number[]): number {
  const filter = input(args, 'filter').shape;
  const taps = (filter[0] ?? 1) * (filter[1] ?? 1);
  const positions = (result[1] ?? 1) * (result[2] ?? 1) + 8;
  return floatBytes * sizeOf(filter) + packed(sizeOf(filter)) + floatBytes * taps * positions;
}

/** Output of at most the padded input's size: enough to bound the addresses above. */
function paddedShape(args: KernelArguments): number[] {
  const [rows = 0, height = 0, width = 0] = input(args, 'x').shape;
  const filter = input(args, 'filter').shape;
  const pad = args.attrs.pad;
  const around = Array.isArray(pad) ? (pad as number[][]) : [];
  const added = (axis: number): number => (around[axis] ?? []).reduce((sum, length) => sum + length, 0);
  // With explicit padding the output is what the filter leaves of the padded input; otherwise no larger than the input.
  const length = (size: number, axis: number, taps: number): number =>
    around.length === 0 ? size : Math.max(1, size + added(axis) - taps + 1);
  return [rows, length(height, 1, filter[0] ?? 1), length(width, 2, filter[1] ?? 1)];
}

const workspaces: Readonly<Record<string, (args: KernelArguments) => number>> = {
  BatchMatMul: productWorkspace,
  _FusedMatMul: productWorkspace,
  Conv2D: (args) => convolutionWorkspace(args, paddedShape(args)),
  FusedConv2D: (args) => convolutionWorkspace(args, paddedShape(args)),
  DepthwiseConv2dNative: (args) => convolutionWorkspace(args, paddedShape(args)),
  FusedDepthwiseConv2D: (args) => convolutionWorkspace(args, paddedShape(args)),
};

/**
 * Makes these kernels throw WasmOutOfMemoryError where XNNPACK could not allocate what it needs. It would print
 * "XNN status … is not successful" and leave the result as the memory happened to be.
 */
export function guardPackedKernels(core: Core, memory: WasmMemory): void {
  for (const [kernelName, workspace] of Object.entries(workspaces)) {
    const config = core.getKernel(kernelName, 'wasm');
    if (config === undefined) continue;
    const kernel = config.kernelFunc as unknown as Kernel;
    const guarded = (args: KernelArguments): TensorInfo => {
      memory.reserve(workspace(args));
      return kernel(args);
    };
    core.unregisterKernel(kernelName, 'wasm');
    core.registerKernel({ ...config, kernelFunc: guarded as unknown as KernelFunc });
  }
}
