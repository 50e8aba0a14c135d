// Gives the WASM backend the kernels that training needs: those that it lacks, gets wrong, or is slow at.
import type { KernelConfig, KernelFunc } from '@tensorflow/tfjs-core';
import { conv2dFilterGradient } from './conv2dFilterGradient';
import { conv2dInputGradient } from './conv2dInputGradient';
import { conv3dInputGradient } from './conv3dInputGradient';
import { depthwiseFilterGradient } from './depthwiseFilterGradient';
import { depthwiseInputGradient } from './depthwiseInputGradient';
import { KernelRunner, type Core, type Kernel, type WasmBackend } from './kernelRunner';
import { matMul } from './matMul';
import { guardWasmMemory } from './memoryGuard';
import { guardPackedKernels } from './packing';
import { avgPoolGradient, maxPoolGradient } from './poolGradients';
import { segmentSum } from './segmentSum';
import { slice } from './slice';

/** Without these, convolutions and embeddings do not train on WASM at all. */
const missing: Readonly<Record<string, (runner: KernelRunner) => Kernel>> = {
  Conv2DBackpropFilter: conv2dFilterGradient,
  DepthwiseConv2dNativeBackpropFilter: depthwiseFilterGradient,
  DepthwiseConv2dNativeBackpropInput: depthwiseInputGradient,
  UnsortedSegmentSum: segmentSum,
};

/** The backend's own of these give wrong gradients (test/parity/wasmKernels.test.ts). */
const wrong: Readonly<Record<string, (runner: KernelRunner) => Kernel>> = {
  MaxPoolGrad: (runner) => maxPoolGradient(runner, 'first'),
  MaxPool3DGrad: (runner) => maxPoolGradient(runner, 'last'),
  AvgPoolGrad: avgPoolGradient,
  AvgPool3DGrad: avgPoolGradient,
  Conv3DBackpropInputV2: conv3dInputGradient,
};

/** The backend's own of these take most of a training step's time (test/bench/wasm.bench.ts). */
const slow: Readonly<Record<string, (runner: KernelRunner) => Kernel>> = {
  Conv2DBackpropInput: conv2dInputGradient,
  BatchMatMul: matMul,
  Slice: slice,
};

const registered = new WeakSet<object>();

/**
 * Registers the kernels for the active WASM backend and guards its memory; does nothing the second time. A kernel of ours that a later
 * version of the backend brings itself is left to the backend.
 * @param core with the WASM backend active
 */
export function registerWasmKernels(core: Core): void {
  const backend = core.backend();
  if (registered.has(backend)) return;
  registered.add(backend);
  guardPackedKernels(core, guardWasmMemory(backend));
  const runner = new KernelRunner(core, backend as unknown as WasmBackend);
  for (const [kernelName, make] of Object.entries(missing)) {
    if (!runner.has(kernelName)) register(core, kernelName, make(runner));
  }
  for (const [kernelName, make] of [...Object.entries(wrong), ...Object.entries(slow)]) {
    const disposeFunc = core.getKernel(kernelName, 'wasm')?.disposeFunc;
    core.unregisterKernel(kernelName, 'wasm');
    register(core, kernelName, make(runner), disposeFunc);
  }
}

function register(
  core: Core,
  kernelName: string,
  kernel: Kernel,
  disposeFunc?: KernelConfig['disposeFunc'],
): void {
  core.registerKernel({
    kernelName,
    backendName: 'wasm',
    // tfjs's kernel type knows no backend of its own kind.
    kernelFunc: kernel as unknown as KernelFunc,
    ...(disposeFunc === undefined ? {} : { disposeFunc }),
  });
}
