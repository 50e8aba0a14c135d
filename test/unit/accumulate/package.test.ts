// What the package exports: both kinds of modules load it, TypeScript knows its types, and no TensorFlow.js is inside.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '../../..');
const folder = path.join(root, `test/.artifacts/accumulate-package-${process.pid}`);

beforeAll(() => {
  mkdirSync(folder, { recursive: true });
  const built = spawnSync(process.execPath, ['esbuild.mjs', 'accumulate'], { cwd: root, encoding: 'utf8' });
  expect(built.stderr).toBe('');
});
afterAll(() => rmSync(folder, { recursive: true }));

function run(name: string, text: string) {
  const file = path.join(folder, name);
  writeFileSync(file, text);
  return spawnSync(process.execPath, [file], { encoding: 'utf8' });
}

const names = ['accumulate', 'deferUpdates', 'microbatchSizes'];

test('is imported', () => {
  const script = `import * as all from 'batch-planner/accumulate';
console.log(JSON.stringify([Object.keys(all).sort(), all.microbatchSizes(64, 30)]));`;
  const { stdout, stderr } = run('import.mjs', script);
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toEqual([names, [22, 21, 21]]);
});

test('is required', () => {
  const script = `console.log(JSON.stringify(Object.keys(require('batch-planner/accumulate')).sort()));`;
  const { stdout, stderr } = run('require.cjs', script);
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toEqual(names);
});

test('has types for both kinds of modules', () => {
  const importing = `import * as all from 'batch-planner/accumulate';\nimport * as tf from '@tensorflow/tfjs';\n`;
  const requiring = `import all = require('batch-planner/accumulate');\nimport tf = require('@tensorflow/tfjs');\n`;
  const use = `const optimizer = tf.train.adam();
const loss: tf.Scalar = all.accumulate(tf, {
  optimizer,
  batch: { xs: tf.zeros([4, 2]), ys: tf.zeros([4, 1]) },
  microbatchSizes: all.microbatchSizes(4, 3),
  loss: ({ xs, ys }, { size }) => tf.losses.meanSquaredError(ys, tf.mul(xs, size)),
  clip: { globalNorm: 1 },
});
const deferred = all.deferUpdates(tf, optimizer, { examples: 64, count: () => 4 });
const flushed: boolean = deferred.flush();
// @ts-expect-error no such option
all.deferUpdates(tf, optimizer, { often: 4 });
console.log(loss, flushed);
`;
  const files = ['types.mts', 'types.cts'].map((name) => path.join(folder, name));
  files.forEach((file) => writeFileSync(file, (file.endsWith('.mts') ? importing : requiring) + use));
  expect(mistakesIn(files, ['--module', 'node16'])).toBe('');
});

test.each([
  ['node10', ['--module', 'commonjs', '--ignoreDeprecations', '6.0']],
  ['node16', ['--module', 'node16']],
  ['bundler', ['--module', 'esnext']],
])('has types where it is installed and modules are found as %s does', (resolution, options) => {
  // A copy of what is installed: only a package in node_modules is found without "exports".
  const installed = path.join(folder, 'node_modules/batch-planner');
  for (const part of ['package.json', 'dist/accumulate'])
    cpSync(path.join(root, part), path.join(installed, part), { recursive: true });
  const file = path.join(folder, 'types.ts');
  const use = `import { accumulate, deferUpdates, microbatchSizes } from 'batch-planner/accumulate';
const sizes: number[] = microbatchSizes(64, 22);
// @ts-expect-error a number is no list of sizes
accumulate(undefined as never, { microbatchSizes: 22 });
// @ts-expect-error examples without their count
deferUpdates(undefined as never, undefined as never, { examples: 64 });
console.log(sizes);
`;
  writeFileSync(file, use);
  expect(mistakesIn([file], [...options, '--moduleResolution', resolution])).toBe('');
});

function mistakesIn(files: readonly string[], options: readonly string[]): string {
  const compiler = path.join(root, 'node_modules/typescript/bin/tsc');
  const strict = ['--ignoreConfig', '--noEmit', '--strict', '--skipLibCheck', '--types', 'node'];
  const args = [compiler, ...strict, ...options, ...files];
  const { stdout, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  return status === 0 ? '' : stdout || `tsc ended with ${status}`;
}

test('brings no TensorFlow.js, and loads none', () => {
  for (const file of ['index.mjs', 'index.cjs']) {
    const code = readFileSync(path.join(root, 'dist/accumulate', file), 'utf8');
    expect(code).not.toMatch(/\bfrom ["']|require\(/);
    expect(code.length).toBeLessThan(40_000);
  }
});
