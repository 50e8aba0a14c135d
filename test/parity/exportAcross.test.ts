// The same model, data and plan in TensorFlow.js, TensorFlow and PyTorch: the same weights, for every optimizer of a config.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { exportPlan } from '../../src/export/exportPlan';
import type { ExportForm, ExportTarget } from '../../src/export/exportedPlan';
import { tfjsOptimizer } from '../../src/export/tfjsOptimizer';
import type { ModelOptimizer } from '../../src/planning/modelOptimizer';
import { runPython, whyWithout } from '../support/python';
import { difference, fitScript, onDataOf, startingPoint, type Weights } from '../support/sameTraining';
import { buildTrainProgram, type Project, type TrainProgram } from '../support/trainProgram';

const driver = path.resolve(import.meta.dirname, '../support/pythonTraining.py');
/** After 20 updates, two an epoch, of which the second one is a partial batch. */
const allowed = 1e-4;
const sizes = { targetBatchSize: 61, microbatchSize: 11 };
/** Not the centred RMSprop, which is NaN in TensorFlow.js. */
const optimizers: readonly ModelOptimizer[] = [
  { name: 'sgd', learningRate: 0.05 },
  { name: 'momentum', learningRate: 0.02, momentum: 0.9, useNesterov: true },
  { name: 'adagrad', learningRate: 0.05 },
  { name: 'adadelta', learningRate: 1, rho: 0.9 },
  { name: 'adam' },
  { name: 'adamax', learningRate: 0.01 },
  { name: 'rmsprop', learningRate: 0.002, decay: 0.9, momentum: 0.5 },
];
const weightsSchema = z.array(z.array(z.number()));

let program: TrainProgram;
let project: Project;
/** Of the script as it is, without the product and without microbatches, for each optimizer. */
const expected = new Map<ModelOptimizer, Weights>();
beforeAll(async () => {
  program = await buildTrainProgram();
  project = program.project({ script: '', ...sizes });
  writeFileSync(path.join(project.folder, 'data.json'), JSON.stringify(startingPoint()));
  for (const optimizer of optimizers) {
    writeScript(project, optimizer);
    const { code, err } = await project.plain();
    expect(code, err).toBe(0);
    expected.set(optimizer, written(project));
  }
}, 120_000);
afterAll(() => program.remove());

function writeScript({ folder }: Project, optimizer: ModelOptimizer): void {
  writeFileSync(path.join(folder, 'train.cjs'), fitScript(tfjsOptimizer(optimizer), sizes.targetBatchSize));
}

function written(from: Project): Weights {
  return weightsSchema.parse(JSON.parse(from.read('weights.json')));
}

function exported(target: ExportTarget, form: ExportForm, optimizer: ModelOptimizer): string {
  return exportPlan({ entry: 'train.cjs', ...sizes, worldSize: 1, optimizer }, target, form).files[0].text;
}

function notesOf(target: ExportTarget, optimizer: ModelOptimizer): readonly string[] {
  return exportPlan({ entry: 'train.cjs', ...sizes, worldSize: 1, optimizer }, target, 'unequal').notes;
}

function expectSame(actual: Weights, optimizer: ModelOptimizer): void {
  const off = difference(actual, expected.get(optimizer) ?? []);
  expect(off, `${optimizer.name}: ${off}`).toBeLessThan(allowed);
}

test.each(optimizers)('the product: $name', async (optimizer) => {
  writeScript(project, optimizer);
  writeFileSync(path.join(project.folder, 'weights.json'), '[]');
  const { code, err } = await project.run();
  expect(code, err).toBe(0);
  expectSame(written(project), optimizer);
});

test.each(optimizers)('the exported TensorFlow.js loop: $name', (optimizer) => {
  const file = path.join(project.folder, 'exported.mjs');
  writeFileSync(file, onDataOf(exported('tfjs', 'unequal', optimizer)));
  const { stdout, stderr, status } = spawnSync(process.execPath, [file], { encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  const weights = stdout.trim().split('\n').at(-1) ?? '';
  expectSame(weightsSchema.parse(JSON.parse(weights)), optimizer);
});

describe.each([
  ['tensorflow', 'keras', ['tensorflow', 'keras']],
  ['pytorch', 'torch', ['torch']],
] as const)('the exported programs', (target, engine, frameworks) => {
  const missing = whyWithout(...frameworks);
  test.skipIf(missing !== undefined)(
    `for ${target}, with each optimizer${missing === undefined ? '' : ` (${missing})`}`,
    async () => {
      const same = optimizers.filter((optimizer) => notesOf(target, optimizer).length === 0);
      const files = same.map((optimizer) => {
        const file = path.join(project.folder, `${target}_${optimizer.name}.py`);
        writeFileSync(file, exported(target, 'unequal', optimizer));
        return file;
      });
      const data = path.join(project.folder, 'data.json');
      const { code, output } = await runPython([driver, engine, data, ...files]);
      expect(code, output).toBe(0);
      const lines = output.split('\n').filter((line) => line.startsWith('[['));
      expect(lines).toHaveLength(same.length);
      for (const [index, optimizer] of same.entries())
        expectSame(weightsSchema.parse(JSON.parse(lines[index] ?? '')), optimizer);
    },
    540_000,
  );
});

test('optimizers that are others in TensorFlow.js than elsewhere are told', () => {
  const told = (target: ExportTarget) =>
    optimizers.filter((optimizer) => notesOf(target, optimizer).length > 0).map(({ name }) => name);
  expect(told('tfjs')).toEqual([]);
  expect(told('tensorflow')).toEqual(['adadelta']);
  expect(told('pytorch')).toEqual(['adadelta', 'rmsprop']);
  const centred = { name: 'rmsprop', centered: true } as const;
  expect(notesOf('keras', centred)).toEqual([expect.stringContaining('NaN')]);
});
