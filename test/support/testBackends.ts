// Opens a real TensorFlow.js backend in a test's own process: plain cpu, WASM, real TensorFlow, WebGPU on SwiftShader.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import type { Core, Layers } from '../../src/engine/fitHook/innerModel';
import type { Tf } from '../../src/engine/contracts';
import { swiftshaderLane, tensorflowLane } from './lanes';

export type TestBackendName = 'cpu' | 'wasm' | 'tensorflow' | 'webgpu';

/** One copy of TensorFlow.js with its backend set and asserted. */
export interface TestBackend {
  readonly name: TestBackendName;
  readonly tf: Tf;
  readonly core: Core;
  readonly layers: Layers;
}

/** Why a backend cannot be opened on this machine; null when it can. */
export function missingBackend(name: TestBackendName): string | null {
  const lane =
    name === 'tensorflow' ? tensorflowLane() : name === 'webgpu' ? swiftshaderLane() : { place: '' };
  return lane.missing ?? null;
}

/**
 * Opens a backend. tfjs falls back silently, so what runs is asserted.
 * @throws when the backend is not what runs; when its lane is missing (ask `missingBackend` first).
 */
export async function openBackend(name: TestBackendName): Promise<TestBackend> {
  const ours = createRequire(path.resolve(import.meta.dirname, '../../package.json'));
  let load = ours;
  if (name === 'tensorflow') {
    const { place } = tensorflowLane();
    if (place === undefined) throw new Error('the TensorFlow lane is missing');
    process.env.TF_CPP_MIN_LOG_LEVEL = '2';
    load = createRequire(path.join(place, 'node_modules/@tensorflow/tfjs-node-gpu/package.json'));
    load('@tensorflow/tfjs-node-gpu');
  }
  if (name === 'wasm') load('@tensorflow/tfjs-backend-wasm');
  if (name === 'webgpu') openWebGpu(load);
  const tf = load('@tensorflow/tfjs') as Tf;
  if (name !== 'tensorflow') await tf.setBackend(name);
  await tf.ready();
  if (tf.getBackend() !== name) throw new Error(`asked for ${name}, got ${tf.getBackend()}`);
  return {
    name,
    tf,
    core: load('@tensorflow/tfjs-core') as Core,
    layers: load('@tensorflow/tfjs-layers') as Layers,
  };
}

/**
 * Filling workgroup memory with zeros takes about half of SwiftShader's time, so it is turned off here. A kernel that
 * relied on it would give other numbers from run to run, which the comparisons would show.
 */
function openWebGpu(load: NodeJS.Require): void {
  const { place } = swiftshaderLane();
  if (place === undefined) throw new Error('SwiftShader is missing');
  // Read by the Vulkan loader when Dawn asks for adapters.
  process.env.VK_DRIVER_FILES = place;
  loadVulkan(path.join(path.dirname(place), 'libvulkan.so.1'));
  const { create, globals } = load('webgpu') as { create(options: string[]): object; globals: object };
  Object.assign(globalThis, globals);
  Object.defineProperty(globalThis, 'navigator', {
    value: { gpu: create(['enable-dawn-features=disable_workgroup_init']) },
    configurable: true,
  });
  load('@tensorflow/tfjs');
  load('@tensorflow/tfjs-backend-webgpu');
}

/**
 * Loads the Vulkan loader that Chromium brings, for machines without one of their own; Dawn then finds it by name.
 * Node refuses it for not being an addon, but the flag RTLD_NODELETE (0x1000 on Linux) leaves it loaded.
 */
function loadVulkan(library: string): void {
  if (!existsSync(library)) return;
  const { RTLD_NOW, RTLD_GLOBAL } = os.constants.dlopen;
  try {
    process.dlopen({ exports: {} }, library, RTLD_NOW | RTLD_GLOBAL | 0x1000);
  } catch (error) {
    if (!String(error).includes('did not self-register')) throw error;
  }
}
