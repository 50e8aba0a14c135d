// A plan taken to TensorFlow.js: each program runs as it was written, and its gradient is the full batch's.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { check } from 'prettier';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exportForms, type ExportedPlan, type ExportForm } from '../../src/export/exportedPlan';
import { exportPlan } from '../../src/export/exportPlan';
import type { ModelOptimizer } from '../../src/planning/modelOptimizer';

// Inside the package, so that its own name and TensorFlow.js are found.
const folder = path.resolve(import.meta.dirname, `../.artifacts/tfjs-export-${process.pid}`);
const small: ExportedPlan = { entry: 'train.js', targetBatchSize: 64, microbatchSize: 30, worldSize: 1 };

/** The two programs of a plan. */
function programs(plan: ExportedPlan, form: ExportForm) {
  return (['tfjs', 'tfjs-accumulate'] as const).map((target) => exportPlan(plan, target, form).files[0]);
}

beforeAll(() => mkdirSync(folder, { recursive: true }));
afterAll(() => rmSync(folder, { recursive: true }));

function run(name: string, text: string, ...args: string[]) {
  const file = path.join(folder, name);
  writeFileSync(file, text);
  const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...args], { encoding: 'utf8' });
  const differences = [...stdout.matchAll(/relative difference (\S+)/g)].map(([, number]) => Number(number));
  return { status, stdout, stderr, differences };
}

const plans: readonly ExportedPlan[] = [
  small,
  { ...small, targetBatchSize: 500, microbatchSize: 22 },
  { ...small, targetBatchSize: 7, microbatchSize: 7 },
];

describe.each(exportForms)('the form with %s microbatches', (form: ExportForm) => {
  test.each(plans)('equals the full batch: $targetBatchSize by $microbatchSize', (plan) => {
    for (const { name, text } of programs(plan, form)) {
      const { status, differences, stderr } = run(`${form}-${name}`, text, '--selftest');
      expect(differences, stderr).toHaveLength(2);
      for (const difference of differences) expect(difference).toBeLessThan(1e-6);
      expect(status).toBe(0);
    }
  });

  test('trains on made data', () => {
    for (const { name, text } of programs(small, form)) {
      const { status, stdout, stderr } = run(`${form}-${name}`, text);
      expect(status, stderr).toBe(0);
      expect(stdout).toContain('epoch 3, 39 examples: loss');
    }
  });

  test('fails its own test with the widely copied listing, which divides the sum at each step', () => {
    const [plain] = exportPlan(small, 'tfjs', form).files;
    const wrong = plain.text
      .replace('meanLoss(part).mul(weight)', 'meanLoss(part)')
      .replace(
        'gradients[name] = addTo(gradients[name], gradient);',
        'gradients[name] = addTo(gradients[name], gradient).div(sizesOf(rows).length);',
      );
    expect(wrong).not.toBe(plain.text);
    const { status, differences } = run(`${form}-wrong.mjs`, wrong, '--selftest');
    expect(status).toBe(1);
    expect(Math.min(...differences)).toBeGreaterThan(0.1);
  });

  test('is formatted, whatever the optimizer and the name of the entry', async () => {
    const optimizers: readonly (ModelOptimizer | undefined)[] = [
      undefined,
      { name: 'sgd' },
      { name: 'momentum', learningRate: 0.05, momentum: 0.9, useNesterov: true },
      { name: 'adam', learningRate: 0.003, beta1: 0.8, beta2: 0.99, epsilon: 1e-8 },
      { name: 'rmsprop', learningRate: 0.01, decay: 0.9, momentum: 0.1, epsilon: 1e-7, centered: true },
    ];
    for (const optimizer of optimizers) {
      for (const entry of ['train.js', 'a b\nprocess.exit(1)\u2028/*']) {
        const plan = { ...small, entry, ...(optimizer && { optimizer }) };
        for (const { text } of programs(plan, form)) {
          expect(await check(text, { parser: 'babel' })).toBe(true);
          expect(text).not.toContain('\nprocess.exit(1)');
        }
      }
    }
  });
});

test('says what equal microbatches cost, and that a script’s optimizer is not known', () => {
  const known = { ...small, optimizer: { name: 'sgd' } } as const;
  expect(exportPlan(known, 'tfjs', 'equal').notes).toEqual([
    'Equal microbatches hold 16 examples, the most up to 30 that divide the batch: 4 steps an update instead of 3.',
  ]);
  expect(exportPlan(known, 'tfjs', 'unequal').notes).toEqual([]);
  expect(exportPlan({ ...small, targetBatchSize: 53 }, 'tfjs', 'equal').notes).toEqual([
    'Equal microbatches hold 1 example, the most up to 30 that divide the batch: 53 steps an update instead of 2.',
    expect.stringContaining('tells of no optimizer'),
  ]);
});

test('names the optimizer of the config', () => {
  const optimizer: ModelOptimizer = { name: 'adam', learningRate: 0.01, epsilon: 1e-6 };
  for (const { text } of programs({ ...small, optimizer }, 'unequal'))
    expect(text).toContain('const optimizer = tf.train.adam(0.01, undefined, undefined, 0.000001);');
});
