// Files over 2 GiB, which Node neither reads nor writes in one call: a state of 200 million parameters has as much.
import { createHash } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hashFile, readRange, writeAll } from '../../../src/engine/train/largeFile';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'batch-planner-large-'));
  file = path.join(folder, 'model.safetensors');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('is hashed and read at any place', { timeout: 120_000 }, () => {
  const zeros = 2 ** 31 + 1000;
  // Sparse: it takes next to no room on the disk.
  writeFileSync(file, '');
  truncateSync(file, zeros);
  const descriptor = openSync(file, 'a');
  writeSync(descriptor, 'the end');
  closeSync(descriptor);

  expect(Buffer.from(readRange(file, zeros - 2, 9)).toString()).toBe('\0\0the end');
  expect(() => readRange(file, zeros, 8)).toThrow('ends before');

  const expected = createHash('sha256');
  const megabyte = Buffer.alloc(1 << 20);
  for (let done = 0; done < zeros; done += megabyte.length) {
    expected.update(megabyte.subarray(0, Math.min(megabyte.length, zeros - done)));
  }
  expect(hashFile(file)).toBe(expected.update('the end').digest('hex'));
});

test('is written whole, and shown piece by piece', () => {
  const data = Uint8Array.from({ length: 100_000 }, (_, index) => index);
  const descriptor = openSync(file, 'w');
  let seen = 0;
  writeAll(descriptor, data, (piece) => (seen += piece.length));
  closeSync(descriptor);
  expect(seen).toBe(data.length);
  expect(readRange(file, 0, data.length)).toEqual(data);
});
