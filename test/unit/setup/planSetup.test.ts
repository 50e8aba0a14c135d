// The plan of the setup for each kind of machine, as data.
import { describe, expect, it } from 'vitest';
import { planSetup } from '../../../src/supervise/tensorflowSetup/planSetup';
import type { SetupFacts, SetupPlan, SetupRequest } from '../../../src/supervise/tensorflowSetup/types';

const folder: SetupFacts['folder'] = {
  path: '/project',
  writable: true,
  hasPackageJson: false,
  needsPackages: false,
  hasNodeModules: false,
  plugAndPlay: false,
  freeBytes: 50e9,
};
const linux: SetupFacts = {
  platform: 'linux',
  arch: 'x64',
  glibc: '2.36',
  gpus: [],
  cuda11: false,
  npm: true,
  python: { command: '/usr/bin/python3', pip: true },
  compiler: { command: '/usr/bin/g++', problem: null },
  folder,
  present: { state: 'absent' },
};
const ampere = { name: 'NVIDIA RTX A4000', computeCapability: 8.6 };
const hopper = { name: 'NVIDIA H100', computeCapability: 9 };
const anything: SetupRequest = { from: null, pipPackage: null };

function planFor(facts: Partial<SetupFacts>, request: Partial<SetupRequest> = {}): SetupPlan {
  const plan = planSetup({ ...linux, ...facts }, { ...anything, ...request });
  if (plan.kind !== 'plan') throw new Error(`refused: ${plan.message}`);
  return plan;
}

function refusalFor(facts: Partial<SetupFacts>, request: Partial<SetupRequest> = {}) {
  const plan = planSetup({ ...linux, ...facts }, { ...anything, ...request });
  if (plan.kind === 'plan') throw new Error('was not refused');
  return plan;
}

/** Attempts as short words: source, package, and whether a GPU is expected. */
const ways = (plan: SetupPlan) =>
  plan.attempts.map(({ source, pipPackage, withCuda, expectsGpu }) =>
    [source, pipPackage, withCuda && 'cuda', expectsGpu && 'gpu'].filter(Boolean).join(' '),
  );

describe('where TensorFlow comes from', () => {
  it('is pip without CUDA on Linux without an NVIDIA GPU, then the stock binary', () => {
    expect(ways(planFor({}))).toEqual(['pip tensorflow-cpu', 'stock']);
  });
  it('is the stock binary where CUDA 11 is installed and the GPU is of its time, then pip with CUDA', () => {
    expect(ways(planFor({ gpus: [ampere], cuda11: true }))).toEqual(['stock gpu', 'pip tensorflow cuda gpu']);
  });
  it('is pip with CUDA where the GPU is of its time and CUDA 11 is missing', () => {
    expect(ways(planFor({ gpus: [ampere] }))).toEqual(['pip tensorflow cuda gpu', 'stock']);
  });
  it('is pip with CUDA for a GPU that CUDA 11.2 does not know, even with CUDA 11 installed', () => {
    expect(ways(planFor({ gpus: [hopper], cuda11: true }))[0]).toBe('pip tensorflow cuda gpu');
  });
  it('is the stock binary where no compiler is there', () => {
    const plan = planFor({ compiler: null });
    expect(ways(plan)).toEqual(['stock']);
    expect(plan.notes.join(' ')).toContain('apt install g++');
  });
  it('is what was asked for, and nothing else', () => {
    expect(ways(planFor({ gpus: [ampere], cuda11: true }, { from: 'pip' }))).toEqual([
      'pip tensorflow cuda gpu',
    ]);
    expect(ways(planFor({}, { from: 'stock' }))).toEqual(['stock']);
    expect(ways(planFor({ gpus: [ampere], cuda11: true }, { pipPackage: 'tensorflow-cpu' }))).toEqual([
      'pip tensorflow-cpu',
    ]);
    expect(ways(planFor({}, { pipPackage: 'tensorflow' }))).toEqual(['pip tensorflow']);
  });
  it('is pip alone on 64-bit Arm Linux, without CUDA', () => {
    expect(ways(planFor({ arch: 'arm64', gpus: [ampere] }))).toEqual(['pip tensorflow']);
  });
  it('is the stock binary on Windows and macOS', () => {
    const windows: Partial<SetupFacts> = { platform: 'win32', glibc: null, compiler: null };
    expect(ways(planFor({ ...windows, gpus: [ampere], cuda11: true }))).toEqual(['stock gpu']);
    expect(ways(planFor({ platform: 'darwin', arch: 'arm64', glibc: null, compiler: null }))).toEqual([
      'stock',
    ]);
  });
});

describe('which package', () => {
  it('is the one for GPUs, but on macOS and on Windows without a GPU', () => {
    expect(planFor({}).packageName).toBe('@tensorflow/tfjs-node-gpu');
    expect(planFor({ platform: 'win32', gpus: [ampere] }).packageName).toBe('@tensorflow/tfjs-node-gpu');
    expect(planFor({ platform: 'win32' }).packageName).toBe('@tensorflow/tfjs-node');
    expect(planFor({ platform: 'darwin' }).packageName).toBe('@tensorflow/tfjs-node');
  });
  it('is the one that is there, in its version, and gets its native part only', () => {
    const there = {
      packageName: '@tensorflow/tfjs-node',
      version: '4.17.0',
      packageFolder: '/project/node_modules/x',
    } as const;
    const plan = planFor({ present: { state: 'withoutNativePart', ...there } });
    expect([plan.packageName, plan.version, plan.layout]).toEqual([
      there.packageName,
      '4.17.0',
      'nativePart',
    ]);
  });
  it('gets the whole folder where there is nothing, and one folder of its own in a project', () => {
    expect(planFor({}).layout).toBe('whole');
    expect(planFor({ folder: { ...folder, hasPackageJson: true, hasNodeModules: true } }).layout).toBe(
      'inside',
    );
    expect(planFor({ folder: { ...folder, hasNodeModules: true } }).layout).toBe('inside');
  });
});

describe('what is told', () => {
  it('that it will run on the CPU, where it will', () => {
    expect(planFor({}).notes.join(' ')).toContain('No NVIDIA GPU was found');
    expect(planFor({ platform: 'darwin' }).notes.join(' ')).toContain('no GPU build for macOS');
    expect(planFor({ gpus: [ampere] }, { pipPackage: 'tensorflow-cpu' }).notes.join(' ')).toContain(
      'RTX A4000 will not be used',
    );
    expect(planFor({ platform: 'win32', gpus: [ampere] }).notes.join(' ')).toContain(
      'CUDA 11.2 and cuDNN 8.1',
    );
    expect(planFor({ gpus: [ampere] }).notes).toEqual([]);
  });
});

describe('what is refused, with the remedy', () => {
  const pip: Partial<SetupRequest> = { from: 'pip' };
  it.each<[string, Partial<SetupFacts>, Partial<SetupRequest>, 'unavailable' | 'usage', string]>([
    ['no Python', { python: null }, pip, 'unavailable', 'apt install python3'],
    [
      'Python without pip',
      { python: { command: 'python3', pip: false } },
      pip,
      'unavailable',
      'apt install python3-pip',
    ],
    ['no compiler', { compiler: null }, pip, 'unavailable', 'apt install g++'],
    [
      'an old compiler',
      { compiler: { command: 'g++', problem: 'bad -std' } },
      pip,
      'unavailable',
      'bad -std',
    ],
    ['musl', { glibc: null }, pip, 'unavailable', 'musl'],
    ['an old glibc', { glibc: '2.17' }, pip, 'unavailable', 'glibc 2.27'],
    ['another processor', { arch: 'riscv64' }, {}, 'unavailable', 'riscv64'],
    ['pip on Windows', { platform: 'win32' }, pip, 'unavailable', '--from stock'],
    ['pip on macOS', { platform: 'darwin' }, { pipPackage: 'tensorflow' }, 'unavailable', '--from stock'],
    ['stock on Arm Linux', { arch: 'arm64' }, { from: 'stock' }, 'unavailable', 'no stock binary'],
    ['Windows on Arm', { platform: 'win32', arch: 'arm64' }, {}, 'unavailable', 'no stock binary'],
    ['no npm', { npm: false }, {}, 'unavailable', 'npm'],
    ['too little disk', { folder: { ...folder, freeBytes: 1.2e9 } }, {}, 'usage', '1.2 GB free'],
    [
      'too little disk for CUDA',
      { gpus: [hopper], folder: { ...folder, freeBytes: 6e9 } },
      {},
      'usage',
      '12 GB',
    ],
    ['a read-only folder', { folder: { ...folder, writable: false } }, {}, 'usage', 'cannot be written'],
    ["Plug'n'Play", { folder: { ...folder, plugAndPlay: true } }, {}, 'usage', 'nodeLinker: node-modules'],
    [
      'a project that is not installed',
      { folder: { ...folder, hasPackageJson: true, needsPackages: true } },
      {},
      'usage',
      'npm install --ignore-scripts',
    ],
  ])('%s', (_, facts, request, kind, words) => {
    const refusal = refusalFor(facts, request);
    expect(refusal.kind).toBe(kind);
    expect(refusal.message).toContain(words);
  });
  it('names every obstacle where no way is open', () => {
    const { message } = refusalFor({ arch: 'arm64', compiler: null });
    expect(message).toContain('apt install g++');
    expect(message).toContain('no stock binary');
  });
});
