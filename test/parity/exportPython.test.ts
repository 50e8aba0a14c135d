// Exported Python programs, run as generated in the real frameworks: their own selftest holds, and a wrong listing fails it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exportForms, type ExportForm, type ExportTarget } from '../../src/export/exportedPlan';
import { exportPlan } from '../../src/export/exportPlan';
import { pythonLane, runPython } from '../support/python';

const { place, missing } = pythonLane();
const python = place ?? '';
const selftests = path.resolve(import.meta.dirname, '../support/pythonSelftests.py');
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'batch-planner-export-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Writes the program of each form; gives their files. */
function write(
  target: ExportTarget,
  worldSize: number,
  forms: readonly ExportForm[] = exportForms,
): string[] {
  return forms.map((form) => {
    const targetBatchSize = form === 'equal' ? 64 : 61;
    const plan = {
      entry: 'train.js',
      targetBatchSize,
      microbatchSize: form === 'equal' ? 16 : 11,
      worldSize,
    };
    const { text } = exportPlan(plan, target, form).files.find(({ name }) => name.endsWith('.py')) ?? {
      text: '',
    };
    const file = path.join(folder, `${target}_${form}_${worldSize}.py`);
    writeFileSync(file, text);
    return file;
  });
}

const skipped = missing === undefined ? '' : ` (${missing})`;

describe.skipIf(missing !== undefined)(`exported Python programs${skipped}`, () => {
  test.each([
    ['pytorch', {}],
    ['tensorflow', {}],
    ['keras', { KERAS_BACKEND: 'tensorflow' }],
    ['keras', { KERAS_BACKEND: 'torch' }],
  ] as const)(
    '%s: gradient and weights are those of the whole batch, in all forms %o',
    async (target, env) => {
      const { code, output } = await runPython(python, [selftests, ...write(target, 1)], env);
      expect(code, output).toBe(0);
      expect(output.match(/off, at most/g)).toHaveLength(12);
    },
    180_000,
  );

  test.each([2, 4])(
    'torchrun: %i processes give the weights of one with the whole batch',
    async (worldSize) => {
      const torchrun = ['-m', 'torch.distributed.run', '--standalone', '--nproc-per-node', String(worldSize)];
      for (const form of ['unequal', 'counted'] as const) {
        const [file = ''] = write('ddp', worldSize, [form]);
        const { code, output } = await runPython(python, [...torchrun, file, '--selftest']);
        expect(code, output).toBe(0);
        expect(output.match(/off, at most/g)).toHaveLength(4);
      }
    },
    180_000,
  );

  test('accelerate launches the program with the config that was written', async () => {
    const plan = { entry: 'train.js', targetBatchSize: 61, microbatchSize: 11, worldSize: 2 };
    for (const { name, text } of exportPlan(plan, 'accelerate', 'unequal').files)
      writeFileSync(path.join(folder, name), text);
    const launch = [
      '-m',
      'accelerate.commands.launch',
      '--config_file',
      path.join(folder, 'accelerate.yaml'),
    ];
    const program = path.join(folder, 'train_accelerate.py');
    const { code, output } = await runPython(python, [...launch, program, '--selftest']);
    expect(code, output).toBe(0);
    expect(output.match(/off, at most/g)).toHaveLength(4);
  }, 180_000);

  test('the widely copied listing, which divides the running sum at each step, fails the same check', async () => {
    const [file = ''] = write('tensorflow', 1, ['unequal']);
    const { text } = exportPlan(
      { entry: 'train.js', targetBatchSize: 61, microbatchSize: 11, worldSize: 1 },
      'tensorflow',
      'unequal',
    ).files[0];
    const right = 'gradient = [g + p for g, p in zip(gradient, part)]';
    expect(text).toContain(right);
    const wrong = text
      .replace('tf.constant(total, tf.float32)', 'tf.constant(count(ys), tf.float32)')
      .replace('tf.constant(count(ys) / total, tf.float32)', 'tf.constant(1.0)')
      .replace(right, 'gradient = [(g + p) / len(cut(x)) for g, p in zip(gradient, part)]');
    writeFileSync(file, wrong);
    const { code, output } = await runPython(python, [file, '--selftest']);
    expect(code, output).toBe(1);
    const [, off = '0'] = /gradient, whole batch: (\S+) off/.exec(output) ?? [];
    expect(Number(off)).toBeGreaterThan(0.5);
  }, 180_000);

  test('black leaves every program as it is', async () => {
    const files = (['pytorch', 'tensorflow', 'keras'] as const).flatMap((target) => write(target, 1));
    const distributed = (['ddp', 'accelerate'] as const).flatMap((target) =>
      write(target, 2, ['unequal', 'counted']),
    );
    const { code, output } = await runPython(python, ['-m', 'black', '--check', ...files, ...distributed]);
    expect(code, output).toBe(0);
  }, 180_000);
});
