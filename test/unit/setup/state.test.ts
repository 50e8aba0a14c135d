// What is told of a folder's TensorFlow from its files.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findTensorflow, nativePartPath } from '../../../src/supervise/tensorflowSetup/state';

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'batch planner state ')));
});
afterEach(() => rmSync(folder, { recursive: true }));

const manifest = {
  version: '4.22.0',
  binary: {
    module_name: 'tfjs_binding',
    module_path: './lib/napi-v{napi_build_version}',
    napi_versions: [3, 4, 5, 6, 7, 8],
  },
};

function addPackage(name: string, parts: { native?: boolean; library?: boolean } = {}, at = folder): string {
  const home = path.join(at, 'node_modules', name);
  mkdirSync(home, { recursive: true });
  writeFileSync(path.join(home, 'package.json'), JSON.stringify(manifest));
  if (parts.native) {
    mkdirSync(path.join(home, 'lib/napi-v8'), { recursive: true });
    writeFileSync(path.join(home, 'lib/napi-v8/tfjs_binding.node'), '');
  }
  if (parts.library) {
    mkdirSync(path.join(home, 'deps/lib'), { recursive: true });
    writeFileSync(path.join(home, 'deps/lib/libtensorflow.so.2'), '');
  }
  return home;
}

it('tells absent, without its native part, without its library, and complete apart', () => {
  expect(findTensorflow(folder, { ancestors: false })).toEqual({ state: 'absent' });
  const home = addPackage('@tensorflow/tfjs-node-gpu');
  const installed = { packageName: '@tensorflow/tfjs-node-gpu', version: '4.22.0', packageFolder: home };
  expect(findTensorflow(folder)).toEqual({ state: 'withoutNativePart', ...installed });
  addPackage('@tensorflow/tfjs-node-gpu', { native: true });
  expect(findTensorflow(folder)).toMatchObject({ state: 'broken', ...installed });
  addPackage('@tensorflow/tfjs-node-gpu', { native: true, library: true });
  expect(findTensorflow(folder)).toEqual({ state: 'complete', ...installed });
});

it('looks upwards as Node does, unless told not to', () => {
  const home = addPackage('@tensorflow/tfjs-node');
  const inner = path.join(folder, 'scripts/train');
  mkdirSync(inner, { recursive: true });
  expect(findTensorflow(inner)).toMatchObject({ state: 'withoutNativePart', packageFolder: home });
  expect(findTensorflow(inner, { ancestors: false })).toEqual({ state: 'absent' });
});

it('follows links, as pnpm lays packages out', () => {
  const store = path.join(folder, 'store');
  const home = addPackage('@tensorflow/tfjs-node-gpu', {}, store);
  mkdirSync(path.join(folder, 'node_modules/@tensorflow'), { recursive: true });
  symlinkSync(home, path.join(folder, 'node_modules/@tensorflow/tfjs-node-gpu'));
  expect(findTensorflow(folder)).toMatchObject({ packageFolder: home });
});

it('names the native part of the newest Node-API version that both know', () => {
  const home = addPackage('@tensorflow/tfjs-node-gpu');
  const file = (version: number) => path.join(home, `lib/napi-v${version}/tfjs_binding.node`);
  expect(nativePartPath(home, 10)).toBe(file(8));
  expect(nativePartPath(home, 6)).toBe(file(6));
});

it('says which file is no package.json', () => {
  const home = addPackage('@tensorflow/tfjs-node-gpu');
  writeFileSync(path.join(home, 'package.json'), '{');
  expect(() => findTensorflow(folder)).toThrow(path.join(home, 'package.json'));
});
