// The smaller parts of the setup: what is read from tools, what is asked of the compiler, where files go.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compilerArguments } from '../../../src/supervise/tensorflowSetup/compile';
import { findNpmScript, findOnPath } from '../../../src/supervise/tensorflowSetup/executables';
import { parseGpus } from '../../../src/supervise/tensorflowSetup/facts';
import { whileGrowing } from '../../../src/supervise/tensorflowSetup/growth';
import { gatherDependencies } from '../../../src/supervise/tensorflowSetup/npmPackage';
import { cudaRequirements } from '../../../src/supervise/tensorflowSetup/pipTensorflow';
import { placeWindowsLibraries } from '../../../src/supervise/tensorflowSetup/stockTensorflow';
import { gpuName, missingLibraries } from '../../../src/supervise/tensorflowSetup/trainingCheck';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'batch-planner-parts-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, text = ''): string {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

describe('reading tools', () => {
  it('takes GPUs from nvidia-smi, with and without the compute capability', () => {
    expect(parseGpus('8.6, NVIDIA GeForce RTX 3080\n9.0, NVIDIA H100, 80GB\n')).toEqual([
      { name: 'NVIDIA GeForce RTX 3080', computeCapability: 8.6 },
      { name: 'NVIDIA H100, 80GB', computeCapability: 9 },
    ]);
    expect(parseGpus('[N/A], Tesla K80\n?, Tesla M40')).toEqual([
      { name: 'Tesla K80', computeCapability: null },
      { name: 'Tesla M40', computeCapability: null },
    ]);
    expect(parseGpus('No devices were found\n')).toEqual([]);
  });
  it("takes the GPU's name and missing libraries from TensorFlow's log", () => {
    const made =
      'Created device /job:localhost/replica:0/task:0/device:GPU:0 with 7000 MB memory:  -> device: 0, name: NVIDIA A10G, pci bus id: 0000:00:1e.0, compute capability: 8.6';
    expect(gpuName(made)).toBe('NVIDIA A10G');
    expect(gpuName('nothing')).toBeNull();
    expect(
      missingLibraries("Could not load dynamic library 'libcudnn.so.8'; dlerror: no\n".repeat(2)),
    ).toEqual(['libcudnn.so.8']);
    expect(missingLibraries('Cannot dlopen some GPU libraries. Skipping')).toEqual(['some CUDA libraries']);
  });
  it("takes CUDA's wheels from TensorFlow's requirements, without the compiler", () => {
    expect(
      cudaRequirements([
        'numpy>=1.26.0',
        'nvidia-cublas-cu12<13.0,>=12.5.3.2; extra == "and-cuda"',
        'nvidia-cuda-nvcc-cu12<13.0,>=12.5.82; extra == "and-cuda"',
        'nvidia-cudnn-cu12 (<10.0,>=9.3.0.75) ; extra == "and-cuda"',
        'tensorflow-io; extra == "gcs-filesystem"',
      ]),
    ).toEqual(['nvidia-cublas-cu12<13.0,>=12.5.3.2', 'nvidia-cudnn-cu12<10.0,>=9.3.0.75']);
  });
});

describe('finding programs', () => {
  it('looks through PATH in order, with the endings of Windows there', () => {
    const first = write('a/tool.exe');
    write('b/tool');
    const at = (platform: NodeJS.Platform, separator: string) => ({
      platform,
      nodePath: process.execPath,
      env: { PATH: [path.join(folder, 'a'), path.join(folder, 'b')].join(separator), PATHEXT: '.com;.exe' },
    });
    expect(findOnPath(['tool'], at('linux', ':'))).toBe(path.join(folder, 'b', 'tool'));
    expect(findOnPath(['tool'], at('win32', ';'))).toBe(first);
    expect(findOnPath(['other'], at('linux', ':'))).toBeNull();
  });
  it('takes no batch file, which only a shell can run, and nothing from a folder relative to the current one', () => {
    write('batch/python.cmd');
    write('later/python.exe');
    const env = { PATH: ['', '.', 'a', path.join(folder, 'batch'), path.join(folder, 'later')].join(';') };
    const windows = { platform: 'win32' as const, nodePath: process.execPath };
    const endings = { PATHEXT: '.exe;.cmd' };
    const at = { ...windows, env: { ...env, ...endings } };
    expect(findOnPath(['python'], at)).toBe(path.join(folder, 'later', 'python.exe'));
    expect(findOnPath(['python'], at, 'batch')).toBe(path.join(folder, 'batch', 'python.cmd'));
  });
  it("finds npm's script where each platform's Node.js keeps it", () => {
    const windows = write('win/node_modules/npm/bin/npm-cli.js');
    const unix = write('unix/lib/node_modules/npm/bin/npm-cli.js');
    const at = (platform: NodeJS.Platform, nodePath: string) =>
      findNpmScript({ platform, env: {}, nodePath: path.join(folder, nodePath) });
    expect(at('win32', 'win/node.exe')).toBe(windows);
    expect(at('linux', 'unix/bin/node')).toBe(unix);
    expect(at('linux', 'none/bin/node')).toBeNull();
  });
});

describe('where files go', () => {
  it('puts tensorflow.dll beside the native part on Windows, wherever the script put it', () => {
    write('deps/lib/tensorflow.dll');
    write('lib/napi-v9/tensorflow.dll');
    write('lib/napi-v8/tfjs_binding.node');
    placeWindowsLibraries(folder, path.join(folder, 'lib/napi-v8'));
    expect(existsSync(path.join(folder, 'lib/napi-v8/tensorflow.dll'))).toBe(true);
  });
  it('moves dependencies into the package, but those that the project has in the same version', () => {
    const add = (modules: string, name: string, version: string) =>
      write(`${modules}/${name}/package.json`, JSON.stringify({ name, version }));
    for (const [name, version] of [
      ['pkg', '1.0.0'],
      ['same', '2.0.0'],
      ['@s/other', '3.0.0'],
      ['absent', '4.0.0'],
    ] as const) {
      add('staged', name, version);
    }
    add('users', 'same', '2.0.0');
    add('users', '@s/other', '3.0.1');
    gatherDependencies(path.join(folder, 'staged'), 'pkg', path.join(folder, 'users'));
    expect(readdirSync(path.join(folder, 'staged/pkg/node_modules')).sort()).toEqual(['@s', 'absent']);
    expect(readdirSync(path.join(folder, 'staged/pkg/node_modules/@s'))).toEqual(['other']);
  });
  it("makes CUDA's libraries needed ones of the binding, found beside it", () => {
    write('binding/tfjs_backend.cc');
    for (const name of [
      'cudart/lib/libcudart.so.12',
      'cudnn/lib/libcudnn.so.9',
      'cudnn/lib/libcudnn_ops.so.9',
    ]) {
      write(`deps/nvidia/${name}`);
    }
    const folders = ['cudart', 'cudnn'].map((part) => path.join(folder, 'deps/nvidia', part, 'lib'));
    const args = compilerArguments(
      folder,
      path.join(folder, 'lib/napi-v8/tfjs_binding.node'),
      folders,
      '/headers',
    );
    expect(args).toContain('-DNAPI_VERSION=8');
    expect(args).toContain(
      '-Wl,-rpath,$ORIGIN/../../deps/lib:$ORIGIN/../../deps/nvidia/cudart/lib:$ORIGIN/../../deps/nvidia/cudnn/lib',
    );
    expect(args.filter((arg) => arg.includes('nvidia') && arg.includes('.so'))).toEqual(
      ['cudart/lib/libcudart.so.12', 'cudnn/lib/libcudnn.so.9'].map((name) =>
        path.join(folder, 'deps/nvidia', name),
      ),
    );
  });
});

describe('watching a download', () => {
  const times = { everyMs: 20, stalledAfterMs: 60 };
  const untilAborted = (signal: AbortSignal) =>
    new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
  it('gives up one that no longer grows', async () => {
    write('file', 'x');
    await expect(
      whileGrowing(folder, new AbortController().signal, times, () => undefined, untilAborted),
    ).rejects.toThrow('nothing came for');
  });
  it('tells how much there is, and returns what the work returns', async () => {
    write('file', '12345');
    const told: number[] = [];
    const untilTold = async () => {
      while (told.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      return 'done';
    };
    const say = (bytes: number) => told.push(bytes);
    const watching = whileGrowing(
      folder,
      new AbortController().signal,
      { everyMs: 10, stalledAfterMs: 1e6 },
      say,
      untilTold,
    );
    expect(await watching).toBe('done');
    expect(told[0]).toBe(5);
  });
});
