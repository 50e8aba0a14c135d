// Following a file that another process writes: no line lost, none made up.
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { tailLines } from '../../../src/supervise/lineTail';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'batch-planner-tail-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('lines are told as they come, and the rest when asked to finish', async () => {
  const file = path.join(folder, 'lines');
  const lines: string[] = [];
  const tail = tailLines(file, (line) => lines.push(line), { pollMs: 5 });
  appendFileSync(file, 'one\ntw');
  await expect.poll(() => lines).toEqual(['one']);
  appendFileSync(file, 'o – zwei\nthree\n');
  await tail.finish();
  expect(lines).toEqual(['one', 'two – zwei', 'three']);
});

test('a torn last line is dropped, and so is one that is too long', async () => {
  const file = path.join(folder, 'lines');
  appendFileSync(file, `${'x'.repeat(200_000)}\ngood\ntorn`);
  const lines: string[] = [];
  const tail = tailLines(file, (line) => lines.push(line), { longestLine: 1_000 });
  await tail.finish();
  expect(lines).toEqual(['good']);
});

test('a file that never comes is no error', async () => {
  const tail = tailLines(path.join(folder, 'none'), () => expect.unreachable());
  await tail.finish();
});
