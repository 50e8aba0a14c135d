// The choice of a backend: order, reasons, what is asked for by name, and what the parts of it say.
import { mkdtempSync, rmSync, mkdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chooseBackend, NoBackendError, type Starters } from '../../../src/engine/backends/choose';
import { classifyDeviceError, DeviceErrors, type GpuDevice } from '../../../src/engine/backends/deviceErrors';
import { loadFailure } from '../../../src/engine/backends/native';
import { restoreRemovedUtil } from '../../../src/engine/backends/nodeShim';
import { canMix, findPackage } from '../../../src/engine/backends/packages';
import { adapterName, isSoftwareAdapter, startWebgpu } from '../../../src/engine/backends/startWebgpu';
import { substituteModule } from '../../../src/engine/backends/substitute';
import { PassedOver, synchronousDevice, type StartedBackend } from '../../../src/engine/backends/types';
import { backendReport } from '../../../src/protocol/backend';
import { engineEnvironment } from '../../../src/protocol/engineEnvironment';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'batch-planner-choose-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const running = (tfjsName: string): StartedBackend => ({
  ...synchronousDevice,
  tf,
  core: tf,
  tfjsName,
  version: '4.22.0',
  description: `a stand-in for ${tfjsName}`,
  usesGpu: false,
  deviceName: null,
  warnings: [],
});

/** Starters of which only some work; what was tried is recorded. */
function starters(works: readonly string[], tried: string[] = []): Starters {
  const start = (name: string) => () => {
    tried.push(name);
    if (!works.includes(name)) throw new PassedOver(`${name} does not work.`);
    return Promise.resolve(running('cpu'));
  };
  return {
    'tfjs-node-gpu': start('tfjs-node-gpu'),
    'tfjs-node': start('tfjs-node'),
    webgpu: start('webgpu'),
    wasm: start('wasm'),
    cpu: start('cpu'),
  };
}

describe('the choice', () => {
  const options = { entryFolder: '.', requested: null, passOver: [] };

  it('takes the first that works, in order, and tries no further', async () => {
    const tried: string[] = [];
    const { report } = await chooseBackend({ ...options, starters: starters(['wasm', 'cpu'], tried) });
    expect(tried).toEqual(['tfjs-node-gpu', 'tfjs-node', 'webgpu', 'wasm']);
    expect(report.name).toBe('wasm');
    expect(report.passedOver.map(({ name }) => name)).toEqual(['tfjs-node-gpu', 'tfjs-node', 'webgpu']);
    expect(backendReport.parse(report)).toEqual(report);
  });

  it('tries only the one asked for by name', async () => {
    const tried: string[] = [];
    const { report } = await chooseBackend({
      ...options,
      requested: 'cpu',
      starters: starters(['wasm', 'cpu'], tried),
    });
    expect({ tried, reason: report.reason }).toEqual({
      tried: ['cpu'],
      reason: 'asked for by name: a stand-in for cpu',
    });
  });

  it('names every reason when none works, and takes an unforeseen error for one', async () => {
    const broken = { ...starters([]), webgpu: () => Promise.reject(new RangeError('boom\nand more')) };
    const error: unknown = await chooseBackend({ ...options, starters: broken }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(NoBackendError);
    const { message } = error as NoBackendError;
    expect(message).toContain('  tfjs-node: tfjs-node does not work.');
    expect(message).toContain('  webgpu: it does not start (boom).');
    expect(message.split('\n')).toHaveLength(6);
  });

  it('tells when the script has made another backend active since', async () => {
    const wrong = { ...starters([]), wasm: () => Promise.resolve(running('wasm')) };
    await tf.setBackend('cpu');
    const chosen = await chooseBackend({ ...options, starters: wrong });
    expect(chosen.replaced()).toContain('from "wasm" to "cpu"');
    const right = await chooseBackend({ ...options, starters: starters(['cpu']) });
    expect(right.replaced()).toBeNull();
  });
});

describe('packages', () => {
  it('are found as a script in the folder would find them', () => {
    const place = path.join(folder, 'node_modules/@tensorflow/tfjs');
    mkdirSync(place, { recursive: true });
    writeFileSync(
      path.join(place, 'package.json'),
      '{"name":"@tensorflow/tfjs","version":"3.9.0","main":"main.js"}',
    );
    writeFileSync(path.join(place, 'main.js'), '');
    const deep = path.join(folder, 'src/deep');
    mkdirSync(deep, { recursive: true });
    const found = findPackage('@tensorflow/tfjs', { origin: 'user', folder: deep });
    expect(found).toMatchObject({ version: '3.9.0', origin: 'user' });
    expect(findPackage('@tensorflow/nothing', { origin: 'user', folder: deep })).toBeNull();
  });

  it('are mixed only where the contract between core and backend is the same', () => {
    const pairs: [string, string, boolean][] = [
      ['4.22.0', '4.22.0', true],
      ['4.0.0', '4.22.0', true],
      ['3.21.0', '4.22.0', true],
      ['3.0.0', '4.22.0', false],
      ['2.8.6', '4.22.0', false],
      ['2.8.6', '2.8.1', true],
      ['3.0.0', '3.0.1', true],
      ['4.23.0-rc.0', '4.22.0', true],
      ['5.0.0', '4.22.0', false],
    ];
    for (const [core, backend, expected] of pairs)
      expect([core, backend, canMix(core, backend)]).toEqual([core, backend, expected]);
  });
});

describe('a native package that does not load', () => {
  it('is told by what the loader says', () => {
    const dlopen = Object.assign(new Error('libcudart.so.11.0: cannot open shared object file\nstack'), {
      code: 'ERR_DLOPEN_FAILED',
    });
    expect(loadFailure(dlopen)).toMatch(
      /^its native part does not load \(libcudart.*file\); run "batch-planner setup tensorflow"\.$/,
    );
    const windows = new Error('The specified module could not be found.\n\\\\?\\C:\\x\\tfjs_binding.node');
    expect(loadFailure(windows)).toContain('its native part does not load');
    const absent = new Error(
      'The Node.js native addon module (tfjs_binding.node) can not be found at path: x',
    );
    expect(loadFailure(absent)).toContain('without its native part');
    const half = Object.assign(new Error("Cannot find module 'long'"), { code: 'MODULE_NOT_FOUND' });
    expect(loadFailure(half)).toContain('not completely installed');
    expect(loadFailure(new TypeError('x is not a function'))).toContain(
      'it does not load (x is not a function)',
    );
  });
});

describe('the functions that Node 23 removed', () => {
  it('are put back where they are missing and left alone where they are not', () => {
    const own = () => true;
    const util: Record<string, unknown> = { isArray: own };
    restoreRemovedUtil(util);
    restoreRemovedUtil(util);
    expect(util.isArray).toBe(own);
    const isNullOrUndefined = util.isNullOrUndefined as (value: unknown) => boolean;
    expect([null, undefined, 0, '', false].map(isNullOrUndefined)).toEqual([true, true, false, false, false]);
  });
});

describe('the environment of TensorFlow', () => {
  it('lets memory grow, numbers devices as nvidia-smi does, and keeps the log level of the user', () => {
    expect(engineEnvironment({ TF_FORCE_GPU_ALLOW_GROWTH: 'false' })).toEqual({
      TF_FORCE_GPU_ALLOW_GROWTH: 'true',
      CUDA_DEVICE_ORDER: 'PCI_BUS_ID',
      TF_CPP_MIN_LOG_LEVEL: '1',
    });
    expect(engineEnvironment({ TF_CPP_MIN_LOG_LEVEL: '3' }).TF_CPP_MIN_LOG_LEVEL).toBe('3');
  });
});

describe('WebGPU adapters', () => {
  it('that compute on the CPU are recognised', () => {
    const software = [
      { vendor: 'google', architecture: 'swiftshader', description: 'SwiftShader driver 5.0.0' },
      { vendor: 'mesa', description: 'llvmpipe (LLVM 15.0.6, 256 bits)' },
      { vendor: 'microsoft', description: 'Microsoft Basic Render Driver' },
      { vendor: 'x', isFallbackAdapter: true },
    ];
    const hardware = [
      { vendor: 'nvidia', architecture: 'hopper', description: 'NVIDIA H100 80GB HBM3' },
      { vendor: 'apple', architecture: 'metal-3', description: '' },
      { vendor: 'intel', architecture: 'xe-lpg', isFallbackAdapter: false },
    ];
    expect(software.map(isSoftwareAdapter)).toEqual([true, true, true, true]);
    expect(hardware.map(isSoftwareAdapter)).toEqual([false, false, false]);
    expect(hardware.map(adapterName)).toEqual(['NVIDIA H100 80GB HBM3', 'apple metal-3', 'intel xe-lpg']);
    expect(adapterName({})).toBe('an unnamed adapter');
  });

  it('are not looked for on Linux without a Vulkan loader', async () => {
    const context = {
      sources: [],
      byName: true,
      tensorflow: () => {
        throw new Error('not needed');
      },
    };
    await expect(startWebgpu({ ...context, platform: 'linux' }, () => false)).rejects.toThrow(
      'no Vulkan driver',
    );
    await expect(startWebgpu({ ...context, platform: 'win32' }, () => false)).rejects.toThrow(
      '"webgpu" is not installed',
    );
  });
});

describe('errors of a WebGPU device', () => {
  it('are out of memory where a buffer is above a limit, and so is what follows from it', () => {
    const classify = (
      className: string,
      message: string,
      before: Parameters<typeof classifyDeviceError>[2] = null,
    ) => classifyDeviceError(className, message, before);
    expect(classify('GPUOutOfMemoryError', '')).toBe('outOfMemory');
    expect(
      classify(
        'GPUValidationError',
        'Buffer size (1258291200) exceeds the max buffer size limit (1073741824).',
      ),
    ).toBe('outOfMemory');
    expect(classify('GPUInternalError', 'vkAllocateMemory failed with VK_ERROR_OUT_OF_DEVICE_MEMORY')).toBe(
      'outOfMemory',
    );
    const follows = '[Invalid Buffer (unlabeled)] is invalid due to a previous error.';
    expect(classify('GPUValidationError', follows, 'outOfMemory')).toBe('outOfMemory');
    expect(classify('GPUValidationError', follows, 'validation')).toBe('validation');
    expect(classify('GPUValidationError', follows)).toBe('validation');
    expect(classify('GPUValidationError', "expected 'f32', got 'i32'", 'outOfMemory')).toBe('validation');
    expect(classify('GPUInternalError', 'device removed')).toBe('internal');
  });

  it('are kept until somebody listens, and the loss of the device is told unless it is our doing', async () => {
    let fire: (event: {
      error: { message: string; constructor: { name: string } };
      preventDefault(): void;
    }) => void = () => undefined;
    let lose: (info: { message: string }) => void = () => undefined;
    let prevented = 0;
    const device = (): GpuDevice => ({
      lost: new Promise((resolve) => (lose = resolve)),
      limits: {},
      queue: { onSubmittedWorkDone: () => Promise.resolve() },
      addEventListener: (_type, listener) => (fire = listener),
      destroy: () => undefined,
    });
    const event = (message: string) => ({
      error: { message, constructor: { name: 'GPUValidationError' } },
      preventDefault: () => prevented++,
    });
    const errors = new DeviceErrors(device());
    fire(event('early'));
    const heard: string[] = [];
    const stop = errors.listen(({ kind, message }) => heard.push(`${kind}: ${message}`));
    fire(event('late'));
    lose({ message: 'unplugged' });
    await new Promise((resolve) => setImmediate(resolve));
    stop();
    fire(event('unheard'));
    expect(heard).toEqual([
      'validation: early',
      'validation: late',
      'lost: The GPU device was lost: unplugged',
    ]);
    expect(prevented).toBe(3);
    const ended = new DeviceErrors(device());
    ended.listen(({ message }) => heard.push(message));
    ended.end();
    lose({ message: 'destroyed' });
    await new Promise((resolve) => setImmediate(resolve));
    expect(heard).toHaveLength(3);
  });
});

describe('a substitute for a package that does not load', () => {
  const chosen = async () => {
    await tf.setBackend('cpu');
    return chooseBackend({ entryFolder: '.', requested: null, passOver: [], starters: starters(['cpu']) });
  };

  it('for tfjs-node trains, saves and loads by file://, and says what needs native TensorFlow', async () => {
    const substitute = substituteModule('@tensorflow/tfjs-node', await chosen());
    const node = substitute?.module as typeof tf & {
      node: Record<string, () => unknown>;
      io: { fileSystem(file: string): tf.io.IOHandler };
    };
    expect(substitute?.warning.message).toMatch(/plain JavaScript.*setup tensorflow/);
    expect(node.getBackend()).toBe('cpu');
    const model = node.sequential({ layers: [node.layers.dense({ units: 1, inputShape: [2] })] });
    const place = path.join(folder, 'saved');
    await model.save(`file://${place}`);
    const loaded = await node.loadLayersModel(node.io.fileSystem(path.join(place, 'model.json')));
    expect(loaded.getWeights()[0]?.arraySync()).toEqual(model.getWeights()[0]?.arraySync());
    expect(() => node.node.tensorBoard?.()).toThrow('tf.node.tensorBoard needs native TensorFlow');
    expect(() => node.node.decodeImage?.()).toThrow('batch-planner setup tensorflow');
  });

  it('is the same module each time, and the chosen TensorFlow itself where that is native', async () => {
    const plain = await chosen();
    expect(substituteModule('@tensorflow/tfjs-node', plain)?.module).toBe(
      substituteModule('@tensorflow/tfjs-node-gpu', plain)?.module,
    );
    const native = { ...plain, report: { ...plain.report, name: 'tfjs-node-gpu' as const } };
    expect(substituteModule('@tensorflow/tfjs-node', native)?.module).toBe(plain.tf);
  });

  it('is there for a TensorFlow.js that is not installed, and for nothing else', async () => {
    const plain = await chosen();
    expect(substituteModule('@tensorflow/tfjs', plain)?.module).toBe(plain.tf);
    expect(substituteModule('@tensorflow/tfjs-core', plain)?.module).toBe(plain.core);
    expect(substituteModule('@tensorflow/tfjs-vis', plain)).toBeUndefined();
    expect(substituteModule('left-pad', plain)).toBeUndefined();
  });
});
