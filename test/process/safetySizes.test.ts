// Files that claim to be huge are refused before memory is taken: measured, in a process that may have little of it.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { buildSync } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { npyHeader } from '../unit/data/npyBytes';
import type { Refusal } from './safetySizesProgram';

/** The old space of the process, in MB: what is beyond it ends the process. */
const heap = 96;
/** What a refusal may take: a piece of a file, a sentence. */
const mayTake = 48 * 2 ** 20;

let folder: string;
let program: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'batch-planner-sizes-'));
  program = path.join(folder, 'program.cjs');
  const entryPoints = [path.join(import.meta.dirname, 'safetySizesProgram.ts')];
  buildSync({ entryPoints, bundle: true, platform: 'node', outfile: program, logLevel: 'error' });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A file of any length, of which only the beginning takes room on the disk. */
function sparse(name: string, bytes: number, beginning: string | Buffer = ''): string {
  const file = path.join(folder, name);
  writeFileSync(file, beginning);
  truncateSync(file, bytes);
  return file;
}

function refusal(...words: string[]): Refusal {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [`--max-old-space-size=${heap}`, program, ...words],
    {
      encoding: 'utf8',
      timeout: 60_000,
    },
  );
  const line = stdout.split('\n').find((each) => each.startsWith('REFUSED '));
  if (line === undefined) throw new Error(`nothing told:\n${stdout}\n${stderr}`);
  const told = JSON.parse(line.slice('REFUSED '.length)) as Refusal;
  expect(told.grownBytes).toBeLessThan(mayTake);
  return told;
}

const manifest = (shape: readonly number[]): string =>
  JSON.stringify([{ paths: ['weights.bin'], weights: [{ name: 'a', shape, dtype: 'float32' }] }]);

test('a weights manifest that asks for more than its file has', () => {
  const model = sparse('model.json', 2);
  sparse('weights.bin', 1000);
  for (const shape of [[2 ** 31, 2 ** 20], [2 ** 53 - 1, 2 ** 53 - 1, 2 ** 53 - 1, 2 ** 53 - 1], [2 ** 30]]) {
    expect(refusal('weights', model, manifest(shape))).toMatchObject({
      name: 'ModelFileError',
      message: expect.stringContaining('has 1,000 bytes, but model.json needs') as string,
    });
  }
});

test('a weight file that agrees with its manifest, and is larger than the memory', () => {
  const model = sparse('model.json', 2);
  sparse('weights.bin', 2 ** 42);
  expect(refusal('weights', model, manifest([2 ** 40]))).toMatchObject({
    name: 'ModelFileError',
    message: expect.stringContaining('of memory here') as string,
  });
});

test('a model.json that is too large to be one', () => {
  expect(refusal('text', sparse('large.json', 2 ** 40, '{')).message).toContain('larger than 64.0 MB');
});

test('an array whose header asks for more than there is, or than can be held', () => {
  const short = npyHeader({ descr: '<f4', shape: [2 ** 40, 2 ** 10] });
  expect(refusal('npy', sparse('short.npy', short.length, short)).message).toContain('is truncated');
  const wide = npyHeader({ descr: '<f4', shape: [1, 2 ** 38] });
  expect(refusal('npy', sparse('wide.npy', wide.length + 2 ** 40, wide)).message).toContain('examples of');
  const long = npyHeader({ descr: '|u1', shape: [2 ** 40, 1] });
  expect(refusal('npy', sparse('long.npy', long.length + 2 ** 40, long)).message).toContain(
    '1099511627776 examples',
  );
});

test('a CSV file that is one line without an end', () => {
  expect(refusal('csv', sparse('line.csv', 2 ** 40, '1,2\n3,')).message).toContain(
    'line 2: a line is longer than',
  );
});
