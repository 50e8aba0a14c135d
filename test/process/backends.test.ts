// The backend is chosen in a process of its own, and every copy of TensorFlow.js that the script loads then uses it.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { engineEnvironment } from '../../src/protocol/engineEnvironment';
import { swiftshaderLane, tensorflowLane } from '../support/lanes';
import { copyPackages, otherTfjs, tfjsPackages } from '../support/otherTfjs';
import type { Outcome, Request } from './backendsProgram';

const root = path.resolve(import.meta.dirname, '../..');
const tensorflow = tensorflowLane();
const swiftshader = swiftshaderLane();
let workshop: string;
let bare: string;

beforeAll(() => {
  mkdirSync(path.join(root, 'test/.lanes'), { recursive: true });
  // Below the project, so that a copied package finds what it depends on.
  workshop = mkdtempSync(path.join(root, 'test/.lanes/backends-'));
  bare = mkdtempSync(path.join(os.tmpdir(), 'batch planner '));
});
afterAll(() => {
  rmSync(workshop, { recursive: true, force: true });
  rmSync(bare, { recursive: true, force: true });
});

interface Ran extends Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | null;
}

function run(request: Request, environment: NodeJS.ProcessEnv = {}): Ran {
  const program = path.join(import.meta.dirname, 'backendsProgram.ts');
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--import', 'tsx', program, JSON.stringify(request)],
    {
      cwd: root,
      encoding: 'utf8',
      timeout: 90_000,
      env: {
        ...process.env,
        VK_DRIVER_FILES: path.join(bare, 'none.json'),
        ...engineEnvironment(process.env),
        ...environment,
      },
    },
  );
  const line = stdout.split('\n').find((each) => each.startsWith('OUTCOME '));
  if (line === undefined) throw new Error(`no outcome (status ${String(status)}):\n${stdout}\n${stderr}`);
  return { ...(JSON.parse(line.slice('OUTCOME '.length)) as Outcome), stdout, stderr, status };
}

/** Losses of the same training on the plain cpu backend of the same copy. */
function cpuLosses(folder: string): number[] {
  return run({ folder, requested: 'cpu', loads: '@tensorflow/tfjs' }).losses ?? [];
}

function expectClose(found: readonly number[] | undefined, expected: readonly number[]): void {
  expect(found).toHaveLength(3);
  expected.forEach((loss, index) => expect(found?.[index]).toBeCloseTo(loss, 5));
}

describe('without any native package', () => {
  it('WASM is taken, with a reason for each that was passed over', () => {
    const { report, seen, losses, warnings, replaced, status } = run({
      folder: bare,
      requested: null,
      loads: path.join(root, 'node_modules/@tensorflow/tfjs'),
    });
    expect(report).toMatchObject({ name: 'wasm', usesGpu: false, deviceName: null });
    expect(report?.reason).toMatch(/^the first that works: Batch Planner's @tensorflow\/tfjs-backend-wasm/);
    const reasons = Object.fromEntries((report?.passedOver ?? []).map(({ name, reason }) => [name, reason]));
    expect(reasons['tfjs-node-gpu']).toContain('batch-planner setup tensorflow');
    expect(reasons['tfjs-node']).toBe('it is not installed.');
    expect(reasons.webgpu).toMatch(/Vulkan|adapter/);
    expect({ backend: seen?.backend, warnings, replaced, status }).toEqual({
      backend: 'wasm',
      warnings: [],
      replaced: null,
      status: 0,
    });
    expectClose(losses, cpuLosses(root));
  });

  it('a backend asked for by name is the only one tried, and its reason is the error', () => {
    const { noBackend } = run({ folder: bare, requested: 'tfjs-node', loads: null });
    expect(noBackend).toBe('No TensorFlow.js backend can be used.\n  tfjs-node: it is not installed.');
  });

  it('one that is to be passed over is not tried, and its reason is handed on', () => {
    const passOver = [{ name: 'wasm' as const, reason: 'the layer "x" does not train there.' }];
    const { report } = run({ folder: bare, requested: null, passOver, loads: null });
    expect(report?.name).toBe('cpu');
    expect(report?.passedOver).toContainEqual(passOver[0]);
  });
});

describe("the script's own copy of TensorFlow.js", () => {
  it('of the same version, but another copy, trains on the chosen backend', () => {
    copyPackages(workshop, tfjsPackages);
    const { report, seen, losses, stderr } = run({
      folder: workshop,
      requested: null,
      loads: '@tensorflow/tfjs',
    });
    expect(report?.name).toBe('wasm');
    expect(seen).toMatchObject({ backend: 'wasm', version: '4.22.0' });
    expectClose(losses, cpuLosses(workshop));
    expect(stderr).not.toContain('already');
  });

  it('that is loaded only after the choice, apart from the one chosen for, uses the same backend', () => {
    copyPackages(workshop, tfjsPackages);
    const loads = path.join(workshop, 'node_modules/@tensorflow/tfjs');
    const { seen, losses } = run({ folder: bare, requested: null, loads });
    expect(seen).toEqual({ backend: 'wasm', version: '4.22.0', separateCopy: true });
    expectClose(losses, cpuLosses(workshop));
  });

  for (const version of ['3.21.0', '4.10.0']) {
    it(`of version ${version} trains on our WASM as on its own cpu backend`, (context) => {
      const lane = otherTfjs(version);
      if (lane.place === undefined) return context.skip(lane.missing);
      const { report, seen, losses, tfjsVersion, stderr } = run({
        folder: lane.place,
        requested: null,
        loads: '@tensorflow/tfjs',
      });
      expect(report).toMatchObject({ name: 'wasm', version: '4.22.0' });
      expect({ seen, tfjsVersion }).toEqual({
        seen: { backend: 'wasm', version, separateCopy: false },
        tfjsVersion: version,
      });
      expectClose(losses, cpuLosses(lane.place));
      expect(stderr).not.toContain('already');
    });
  }

  it('of version 2.8.6, with which ours cannot be mixed, keeps to its own packages, and that is said', (context) => {
    const lane = otherTfjs('2.8.6');
    if (lane.place === undefined) return context.skip(lane.missing);
    const { report, seen } = run({ folder: lane.place, requested: null, loads: '@tensorflow/tfjs' });
    expect(report).toMatchObject({ name: 'cpu', version: '2.8.6' });
    expect(seen).toEqual({ backend: 'cpu', version: '2.8.6', separateCopy: false });
    const wasm = report?.passedOver.find(({ name }) => name === 'wasm');
    expect(wasm?.reason).toContain("does not work with the script's TensorFlow.js 2.8.6");
  });
});

describe('real TensorFlow', () => {
  it('is taken first, from the folder of the script, and says where it runs', (context) => {
    if (tensorflow.place === undefined) return context.skip(tensorflow.missing);
    const { report, warnings, seen, losses } = run({
      folder: tensorflow.place,
      requested: null,
      loads: '@tensorflow/tfjs-node-gpu',
    });
    expect(report).toMatchObject({ name: 'tfjs-node-gpu', version: '4.22.0', passedOver: [] });
    expect(report?.reason).toMatch(
      /the project's own @tensorflow\/tfjs-node-gpu 4\.22\.0 with TensorFlow \d+\.\d+/,
    );
    // On a machine without a GPU it runs on the CPU in silence: that must be told.
    if (report?.usesGpu === false) expect(warnings?.join()).toContain('found no GPU that it can drive');
    expect(seen?.backend).toBe('tensorflow');
    expectClose(losses, cpuLosses(root));
  });

  it('whose native part is broken is passed over with what the loader says', () => {
    const place = path.join(workshop, 'broken');
    copyPackages(place, ['@tensorflow/tfjs-node-gpu']);
    const library = path.join(place, 'node_modules/@tensorflow/tfjs-node-gpu/lib/napi-v8');
    mkdirSync(library, { recursive: true });
    writeFileSync(path.join(library, 'tfjs_binding.node'), 'this is no library');
    const { report } = run({ folder: place, requested: null, loads: '@tensorflow/tfjs' });
    expect(report?.name).toBe('wasm');
    expect(report?.passedOver[0]?.reason).toMatch(
      /^its native part does not load \(.+\); run "batch-planner setup/,
    );
  });

  it('without its native part is passed over with the remedy', () => {
    const place = path.join(workshop, 'half');
    copyPackages(place, ['@tensorflow/tfjs-node-gpu']);
    const { report } = run({ folder: place, requested: null, loads: null });
    expect(report?.passedOver[0]).toEqual({
      name: 'tfjs-node-gpu',
      reason:
        'it is installed without its native part (npm did not run its install script); run "batch-planner setup tensorflow".',
    });
  });
});

describe('WebGPU on a software adapter', () => {
  const environment = () => ({
    VK_DRIVER_FILES: swiftshader.place,
    // Chromium brings its own Vulkan loader, for machines that have none.
    LD_LIBRARY_PATH: [path.dirname(swiftshader.place ?? ''), process.env.LD_LIBRARY_PATH]
      .filter(Boolean)
      .join(':'),
  });

  it('is passed over in automatic order, and taken when asked for by name', (context) => {
    if (swiftshader.place === undefined) return context.skip(swiftshader.missing);
    const automatic = run({ folder: bare, requested: null, loads: null }, environment());
    expect(automatic.report?.name).toBe('wasm');
    const passed = automatic.report?.passedOver.find(({ name }) => name === 'webgpu');
    expect(passed?.reason).toMatch(/only adapter \(SwiftShader.*software/);
    const named = run({ folder: root, requested: 'webgpu', loads: '@tensorflow/tfjs' }, environment());
    expect(named.report).toMatchObject({ name: 'webgpu', usesGpu: false });
    expect(named.seen?.backend).toBe('webgpu');
    expect(named.deviceErrors).toEqual([]);
    expect(named.status).toBe(0);
    expectClose(named.losses, cpuLosses(root));
  });

  it('tells a buffer above its limits, which nothing throws, and prints nothing', (context) => {
    if (swiftshader.place === undefined) return context.skip(swiftshader.missing);
    const { deviceErrors, maxTensorBytes, losses, stdout, status } = run(
      { folder: root, requested: 'webgpu', loads: null, overflow: true },
      environment(),
    );
    expect(maxTensorBytes).toBeGreaterThan(2 ** 27);
    expect(deviceErrors).toContain('outOfMemory');
    expect(new Set(deviceErrors)).toEqual(new Set(['outOfMemory']));
    // The silent failure itself: 0 + 3 is not 3.
    expect(losses).toEqual([0]);
    expect(stdout.split('\n').filter((line) => line !== '' && !line.startsWith('OUTCOME'))).toEqual([]);
    expect(status).toBe(0);
  });
});
