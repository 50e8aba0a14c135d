// `batch-planner export` as a person meets it: what is refused and how, and that no file is lost.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { optimizerNotes } from '../../../src/export/python/optimizers';
import { runExportCommand, type ExportCommandOptions } from '../../../src/supervise/exportCommand';
import { unwritable } from '../../support/unwritable';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'batch-planner-export-'));
  const training = { kind: 'script', arguments: [], folder: '.' };
  const sizes = { targetBatchSize: 63, microbatchSize: 10 };
  writeFileSync(
    path.join(folder, 'train.accumulation.json'),
    JSON.stringify({ version: 1, entry: 'train.js', backend: null, ...sizes, training }),
  );
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function run(options: Partial<ExportCommandOptions>) {
  const said = { out: '', err: '' };
  const code = await runExportCommand({
    configPath: path.join(folder, 'train.accumulation.json'),
    to: 'pytorch',
    form: null,
    worldSize: null,
    outputFile: null,
    force: false,
    out: { write: (text) => (said.out += text) },
    err: { write: (text) => (said.err += text) },
    ...options,
  });
  return { code, ...said };
}

test.each([
  [{ to: 'ddp' }, 'needs the number of processes'],
  [{ to: 'ddp', worldSize: '0' }, 'not a whole number'],
  [{ to: 'ddp', worldSize: '64' }, 'cannot share 63 examples'],
  [{ to: 'ddp', worldSize: '2', form: 'equal' }, 'choose the form unequal'],
  [{ to: 'keras', worldSize: '2' }, 'runs in one process'],
  [{ to: 'deepspeed', worldSize: '2', form: 'counted' }, 'equal microbatches only'],
  [{ configPath: 'nowhere.json' }, 'There is no config'],
] as const)('%o is refused in one sentence', async (options, sentence) => {
  const { code, out, err } = await run(options);
  expect(code).toBe(2);
  expect(out).toBe('');
  expect(err).toContain(sentence);
  expect(err.trim().split('\n')).toHaveLength(1);
});

test.each([['0'], ['-1'], ['1.5'], ['abc'], [''], ['1e3'], ['65537']])(
  'a world size of %j is refused',
  async (worldSize) => {
    const { code, out, err } = await run({ to: 'ddp', worldSize });
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(err).toBe(
      `The world size ${JSON.stringify(worldSize)} is not a whole number from 1 to 65,536, like 4.\n`,
    );
  },
);

test('a config with mistakes is refused with the place of each', async () => {
  const configPath = path.join(folder, 'bad.json');
  writeFileSync(configPath, '{\n  "version": 1,\n  "targetBatchSize": -3\n}');
  const { code, err } = await run({ configPath });
  expect(code).toBe(2);
  expect(err).toContain(`${configPath}:3:22: "targetBatchSize" must be a whole number`);
  writeFileSync(configPath, '{ "version": 1,');
  expect((await run({ configPath })).err).toMatch(/bad\.json:1:\d+: /);
});

test.each(['', '.', 'new/', 'old'])(
  'a folder as --output, such as %j, is told with a file to name',
  async (name) => {
    const old = path.join(folder, 'old');
    mkdirSync(old);
    const before = process.cwd();
    process.chdir(folder);
    try {
      const { code, err } = await run({ outputFile: name, force: true });
      expect(code).toBe(2);
      expect(err).toContain(
        `is a folder: name the file, like --output ${path.join(name, 'train_pytorch.py')}.`,
      );
    } finally {
      process.chdir(before);
    }
    expect(readdirSync(folder).sort()).toEqual(['old', 'train.accumulation.json']);
  },
);

test('a folder that is not there is told with what to do', async () => {
  const missing = path.join(folder, 'nowhere');
  const { code, err } = await run({ outputFile: path.join(missing, 'a.py') });
  expect(code).toBe(2);
  expect(err).toBe(`There is no folder ${missing}: make it, or choose another --output.\n`);
});

test.skipIf(process.platform === 'win32')(
  'a folder that may not be written to is told with what to do (POSIX permissions)',
  async () => {
    const { code, err } = await run({ outputFile: path.join(unwritable(folder), 'a.py') });
    expect(code).toBe(2);
    expect(err).toMatch(/a\.py cannot be written: permission denied\. Choose another --output\.\n$/);
  },
);

test('where one of two files is there already, neither is written', async () => {
  const beside = path.join(folder, 'accelerate.yaml');
  writeFileSync(beside, 'mine');
  const outputFile = path.join(folder, 'my.py');
  const { code, err } = await run({ to: 'accelerate', worldSize: '4', outputFile });
  expect(code).toBe(2);
  expect(err).toBe(
    `${beside} is there already: choose an --output in another folder, or add --force to replace it.\n`,
  );
  expect(existsSync(outputFile)).toBe(false);
  const same = await run({ to: 'accelerate', worldSize: '4', outputFile: beside, force: true });
  expect(same.code).toBe(2);
  expect(readFileSync(beside, 'utf8')).toBe('mine');
});

test('a program tells how it is started by the name that was chosen for it', async () => {
  const outputFile = path.join(folder, 'mine.py');
  const { code, err } = await run({ to: 'accelerate', worldSize: '4', outputFile });
  expect(code).toBe(0);
  const started = 'accelerate launch --config_file accelerate.yaml mine.py --selftest';
  expect(readFileSync(outputFile, 'utf8')).toContain(started);
  expect(readFileSync(path.join(folder, 'accelerate.yaml'), 'utf8')).toContain('num_processes: 4');
  expect(err).toContain('tells of no optimizer');
  const odd = path.join(folder, 'a"""b.py');
  expect((await run({ outputFile: odd })).code).toBe(0);
  expect(readFileSync(odd, 'utf8')).toContain('python train_pytorch.py --selftest');
});

test('a share that fits at once is told as such', async () => {
  const { out } = await run({ to: 'ddp', worldSize: '62' });
  expect(out).toContain('# process 0: 2 at once\n# each of processes 1 to 61: 1 at once');
});

test("each process's share is told, larger ones first", async () => {
  const { out } = await run({ to: 'ddp', worldSize: '4' });
  expect(out).toContain('# each of processes 0 to 2: 16 = 2 × 8\n# process 3: 15 = 1 × 8 + 1 × 7');
});

test('a file that is there is replaced only by force', async () => {
  const outputFile = path.join(folder, 'mine.py');
  writeFileSync(outputFile, 'mine');
  const refused = await run({ outputFile });
  expect(refused.code).toBe(2);
  expect(refused.err).toContain('--force');
  expect(readFileSync(outputFile, 'utf8')).toBe('mine');
  expect((await run({ outputFile, force: true })).code).toBe(0);
  expect(readFileSync(outputFile, 'utf8')).toContain('MICROBATCH = 10');
});

test('a decay of Adamax’s rate, which the others do not have, is told', () => {
  const notes = (decay: number) => optimizerNotes({ name: 'adamax', decay }, true);
  expect(notes(0)).toEqual([]);
  expect(notes(0.01)).toEqual([expect.stringContaining('1 + 0.01 · (updates done); PyTorch')]);
});
