// Starts WebAssembly: @tensorflow/tfjs-backend-wasm with the gradient kernels it lacks and a guard on its memory.
import path from 'node:path';
import { registerWasmKernels } from '../wasm/register';
import { activate } from './activate';
import { loadBackendPackage } from './mixing';
import { origin } from './native';
import { synchronousDevice, type StartContext, type StartedBackend } from './types';

/** What is used of the package beside its side effect. */
interface WasmPackage {
  setWasmPaths?(folder: string): void;
}

/** @throws PassedOver where the package is missing, is for another TensorFlow.js, or does not start */
export async function startWasm(context: StartContext): Promise<StartedBackend> {
  const { found, loaded, script } = loadBackendPackage('@tensorflow/tfjs-backend-wasm', context);
  // Its own search goes by the script that runs, which a bundle or a packaged extension changes.
  (loaded as WasmPackage).setWasmPaths?.(path.join(found.place, 'dist') + path.sep);
  await withoutNewListeners(() => activate(script.core, 'wasm'));
  registerWasmKernels(script.core);
  return {
    ...synchronousDevice,
    tf: script.tf,
    core: script.core,
    tfjsName: 'wasm',
    version: found.version,
    description: `${origin(found)} ${found.name} ${found.version} on the CPU, one thread`,
    usesGpu: false,
    deviceName: null,
    warnings: [],
  };
}

const endingEvents = ['uncaughtException', 'unhandledRejection'] as const;

/**
 * Emscripten's start-up code listens for errors of the whole process, only to throw them again: Node would then show
 * its minified file above every error of the user's script. What it adds is removed.
 */
async function withoutNewListeners(start: () => Promise<void>): Promise<void> {
  const earlier = endingEvents.map((event) => new Set(process.listeners(event as 'uncaughtException')));
  await start();
  for (const [index, event] of endingEvents.entries()) {
    for (const listener of process.listeners(event as 'uncaughtException')) {
      if (earlier[index]?.has(listener) === false) process.off(event, listener);
    }
  }
}
