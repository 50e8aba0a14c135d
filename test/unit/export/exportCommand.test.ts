// `batch-planner export` as a person meets it: what is refused and how, and that no file is lost.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runExportCommand, type ExportCommandOptions } from '../../../src/supervise/exportCommand';

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
  [{ configPath: 'nowhere.json' }, 'There is no file'],
] as const)('%o is refused in one sentence', async (options, sentence) => {
  const { code, out, err } = await run(options);
  expect(code).toBe(2);
  expect(out).toBe('');
  expect(err).toContain(sentence);
  expect(err.trim().split('\n')).toHaveLength(1);
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
