// Exported Python programs, run as generated in the real frameworks: their own selftest holds, and a wrong listing fails it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exportForms, type ExportForm, type ExportTarget } from '../../src/export/exportedPlan';
import { exportPlan } from '../../src/export/exportPlan';
import { runPython, whyWithout } from '../support/python';
import { runWorkers } from '../support/tensorflowWorkers';

/** Several interpreters start in most of these tests, each of which takes seconds to import its framework. */
const limit = 540_000;
const selftests = path.resolve(import.meta.dirname, '../support/pythonSelftests.py');
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'batch-planner-export-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Tests that need these frameworks; skipped by name, with the reason, where pip could not get them. */
function withFrameworks(name: string, frameworks: readonly string[], tests: () => void): void {
  const missing = whyWithout(...frameworks);
  describe.skipIf(missing !== undefined)(missing === undefined ? name : `${name} (${missing})`, tests);
}

function textOf(target: ExportTarget, worldSize: number, form: ExportForm): string {
  const sizes = form === 'equal' ? { targetBatchSize: 64, microbatchSize: 16 } : unequalSizes;
  const { files } = exportPlan({ entry: 'train.js', ...sizes, worldSize }, target, form);
  return files.find(({ name }) => name.endsWith('.py'))?.text ?? '';
}
const unequalSizes = { targetBatchSize: 61, microbatchSize: 11 };

/** Writes the program of each form; gives their files. */
function write(
  target: ExportTarget,
  worldSize: number,
  forms: readonly ExportForm[] = exportForms,
): string[] {
  return forms.map((form) => {
    const file = path.join(folder, `${target}_${form}_${worldSize}.py`);
    writeFileSync(file, textOf(target, worldSize, form));
    return file;
  });
}

/** All ended well; four comparisons for each program, each within its bound. */
function expectSound(ends: readonly { code: number | null; output: string }[], programs = 1): void {
  for (const { code, output } of ends) expect(code, output).toBe(0);
  const told = ends.map(({ output }) => output).join('');
  expect(told.match(/off, at most/g)).toHaveLength(4 * programs);
}

for (const [name, target, env, frameworks] of [
  ['PyTorch', 'pytorch', {}, ['torch']],
  ['TensorFlow', 'tensorflow', {}, ['tensorflow', 'keras']],
  ['Keras on TensorFlow', 'keras', { KERAS_BACKEND: 'tensorflow' }, ['tensorflow', 'keras']],
  ['Keras on PyTorch', 'keras', { KERAS_BACKEND: 'torch' }, ['torch', 'keras']],
  ['Keras on JAX', 'keras', { KERAS_BACKEND: 'jax' }, ['jax', 'keras']],
] as const) {
  withFrameworks(name, frameworks, () => {
    test(
      'gradient and weights are those of the whole batch, in all forms',
      async () => expectSound([await runPython([selftests, ...write(target, 1)], env)], exportForms.length),
      limit,
    );
  });
}

withFrameworks('torchrun', ['torch'], () => {
  test.each([
    [2, exportForms],
    [4, ['unequal', 'counted'] as const],
  ])(
    '%i processes give the weights of one with the whole batch: %j',
    async (worldSize, forms) => {
      const torchrun = ['-m', 'torch.distributed.run', '--standalone', '--nproc-per-node', String(worldSize)];
      for (const form of forms) {
        const [file = ''] = write('ddp', worldSize, [form]);
        expectSound([await runPython([...torchrun, file, '--selftest'])]);
      }
    },
    limit,
  );
});

withFrameworks('MultiWorkerMirroredStrategy', ['tensorflow', 'keras'], () => {
  test.each(exportForms)(
    'two workers give the weights of one with the whole batch, %s',
    async (form) => {
      const [file = ''] = write('multiworker', 2, [form]);
      // Both compare; the first one tells it.
      expectSound(await runWorkers(2, [file, '--selftest']));
    },
    limit,
  );

  test(
    'three replicas in one worker, as of three GPUs, do too',
    async () => {
      const file = path.join(folder, 'replicas.py');
      // No GPU is here: devices of one processor stand for them, with the strategy that one worker has by itself.
      const program = textOf('multiworker', 3, 'unequal')
        .replace(
          'strategy = tf.distribute.MultiWorkerMirroredStrategy()',
          `devices = [tf.config.LogicalDeviceConfiguration()] * 3
tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], devices)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1", "CPU:2"])`,
        )
        .replace('strategy.cluster_resolver.task_id == 0', 'strategy.num_replicas_in_sync == 3');
      writeFileSync(file, program);
      expectSound([await runPython([file, '--selftest'])]);
    },
    limit,
  );
});

withFrameworks('accelerate', ['torch', 'accelerate'], () => {
  test.each(['unequal', 'counted'] as const)(
    'launches the program with the config that was written: %s',
    async (form) => {
      const plan = { entry: 'train.js', ...unequalSizes, worldSize: 2 };
      for (const { name, text } of exportPlan(plan, 'accelerate', form).files)
        writeFileSync(path.join(folder, name), text);
      const config = path.join(folder, 'accelerate.yaml');
      const launch = ['-m', 'accelerate.commands.launch', '--config_file', config];
      const program = path.join(folder, 'train_accelerate.py');
      expectSound([await runPython([...launch, program, '--selftest'])]);
    },
    limit,
  );
});

withFrameworks('the widely copied listing', ['tensorflow', 'keras'], () => {
  test.each(['equal', 'unequal'] as const)(
    'which divides the running sum at each step, fails the same check: %s',
    async (form) => {
      const right = 'gradient = [g + p for g, p in zip(gradient, part)]';
      const text = textOf('tensorflow', 1, form);
      expect(text).toContain(right);
      const wrong = text
        .replace('tf.constant(total, tf.float32)', 'tf.constant(count(ys), tf.float32)')
        .replace('tf.constant(count(ys) / total, tf.float32)', 'tf.constant(1.0)')
        .replace(right, 'gradient = [(g + p) / len(cut(x)) for g, p in zip(gradient, part)]');
      const file = path.join(folder, `wrong_${form}.py`);
      writeFileSync(file, wrong);
      const { code, output } = await runPython([file, '--selftest']);
      expect(code, output).toBe(1);
      const [, off = '0'] = /gradient, whole batch: (\S+) off/.exec(output) ?? [];
      expect(Number(off)).toBeGreaterThan(0.5);
    },
    limit,
  );
});

withFrameworks('black', ['black'], () => {
  test(
    'leaves every program as it is',
    async () => {
      const alone = (['pytorch', 'tensorflow', 'keras'] as const).flatMap((target) => write(target, 1));
      const many = (['ddp', 'multiworker', 'accelerate'] as const).flatMap((target) => write(target, 2));
      const { code, output } = await runPython(['-m', 'black', '--check', ...alone, ...many]);
      expect(code, output).toBe(0);
    },
    limit,
  );
});
