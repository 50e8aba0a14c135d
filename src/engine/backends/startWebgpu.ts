// Starts WebGPU in Node: Dawn from the npm package `webgpu`, kernels from @tensorflow/tfjs-backend-webgpu.
import os from 'node:os';
import { pathToFileURL } from 'node:url';
import { activate, firstLine } from './activate';
import { DeviceErrors, type GpuDevice } from './deviceErrors';
import { loadBackendPackage } from './mixing';
import { origin } from './native';
import { findFirst } from './packages';
import { PassedOver, type StartContext, type StartedBackend } from './types';

/** What is used of the npm package `webgpu`. */
interface DawnModule {
  create(flags: string[]): Gpu;
  readonly globals: object;
}
interface Gpu {
  requestAdapter(options: { powerPreference: 'high-performance' }): Promise<Adapter | null>;
}
interface Adapter {
  readonly info: AdapterInfo;
}
/** As far as it tells an adapter; every text may be empty. */
export interface AdapterInfo {
  readonly vendor?: string;
  readonly architecture?: string;
  readonly device?: string;
  readonly description?: string;
  readonly isFallbackAdapter?: boolean;
}

/** Vulkan and Direct3D drivers that compute on the CPU. */
const softwareNames = /swiftshader|llvmpipe|lavapipe|softpipe|basic render|warp/i;

/** Whether an adapter computes on the CPU: then TensorFlow or WASM is faster. */
export function isSoftwareAdapter(info: AdapterInfo): boolean {
  if (info.isFallbackAdapter === true) return true;
  return softwareNames.test([info.vendor, info.architecture, info.device, info.description].join(' '));
}

/** The adapter's name for people. */
export function adapterName(info: AdapterInfo): string {
  const name = info.description || info.device || [info.vendor, info.architecture].filter(Boolean).join(' ');
  return name === '' ? 'an unnamed adapter' : name;
}

/**
 * Whether the Vulkan loader is there. Without it Dawn prints a warning with its own source lines and finds nothing,
 * so this is asked first.
 */
export function hasVulkanLoader(): boolean {
  try {
    process.dlopen({ exports: {} }, 'libvulkan.so.1', os.constants.dlopen.RTLD_LAZY);
  } catch (error) {
    // A library that could be opened is refused only for not being an addon of Node.
    return !/cannot open shared object|no such file|not found/i.test(firstLine(error));
  }
  return true;
}

async function loadDawn(context: StartContext): Promise<DawnModule> {
  const found = findFirst('webgpu', context.sources);
  if (found === null) throw new PassedOver('the npm package "webgpu" is not installed.');
  try {
    const url = pathToFileURL(found.main).href;
    const loaded = (await import(/* @vite-ignore */ url)) as Partial<DawnModule>;
    if (typeof loaded.create === 'function' && typeof loaded.globals === 'object')
      return loaded as DawnModule;
  } catch (error) {
    throw new PassedOver(`the npm package "webgpu" ${found.version} does not load (${firstLine(error)}).`, {
      cause: error,
    });
  }
  throw new PassedOver(`${found.place} is not WebGPU for Node.`);
}

/** Puts `navigator.gpu` and WebGPU's classes where a browser has them; returns the function that takes them away. */
function publish(gpu: Gpu, globals: object): () => void {
  const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
  if (before === undefined) {
    // Node 20 has no navigator.
    Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true, writable: true });
  }
  const navigator: object = Reflect.get(globalThis, 'navigator');
  Object.defineProperty(navigator, 'gpu', { value: gpu, configurable: true, writable: true });
  Object.assign(globalThis, globals);
  return () => {
    Reflect.deleteProperty(navigator, 'gpu');
    if (before === undefined) Reflect.deleteProperty(globalThis, 'navigator');
  };
}

/**
 * @throws PassedOver where there is no adapter, where it is a software adapter that was not asked for by name, and
 * where a package is missing or does not fit
 */
export async function startWebgpu(
  context: StartContext,
  vulkanLoader: () => boolean = hasVulkanLoader,
): Promise<StartedBackend> {
  if (context.platform === 'linux' && !vulkanLoader()) {
    throw new PassedOver('there is no Vulkan driver on this machine (libvulkan.so.1).');
  }
  const { create, globals } = await loadDawn(context);
  const gpu = create([]);
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter === null) throw new PassedOver('WebGPU finds no adapter on this machine.');
  const name = adapterName(adapter.info);
  const software = isSoftwareAdapter(adapter.info);
  if (software && !context.byName) {
    throw new PassedOver(`its only adapter (${name}) is software that computes on the CPU; WASM is faster.`);
  }
  const unpublish = publish(gpu, globals);
  try {
    const { found, script } = loadBackendPackage('@tensorflow/tfjs-backend-webgpu', context);
    await activate(script.core, 'webgpu');
    const device = (script.core.backend() as unknown as { device: GpuDevice }).device;
    const errors = new DeviceErrors(device);
    return {
      tf: script.tf,
      core: script.core,
      tfjsName: 'webgpu',
      version: found.version,
      description: `${origin(found)} ${found.name} ${found.version} on ${name}${software ? ', which computes on the CPU' : ''}`,
      usesGpu: !software,
      deviceName: name,
      warnings: [],
      // The backend asks for the adapter's own maximum of both (tfjs-backend-webgpu/src/base.ts).
      maxTensorBytes: Math.min(
        device.limits.maxBufferSize ?? Infinity,
        device.limits.maxStorageBufferBindingSize ?? Infinity,
      ),
      onDeviceError: (listener) => errors.listen(listener),
      settle: () => settle(script.core, device),
      dispose: () => {
        errors.end();
        device.destroy();
        unpublish();
      },
    };
  } catch (error) {
    unpublish();
    throw error;
  }
}

async function settle(
  core: {
    tensor1d(values: number[]): { square(): { data(): Promise<unknown>; dispose(): void }; dispose(): void };
  },
  device: GpuDevice,
): Promise<void> {
  // Reading a result submits whatever the backend still holds back.
  const one = core.tensor1d([1]);
  const squared = one.square();
  await squared.data();
  one.dispose();
  squared.dispose();
  await device.queue.onSubmittedWorkDone();
  // Events arrive in tasks of their own.
  await new Promise((resolve) => setImmediate(resolve));
}
