// What a setup did to a folder can all be taken back; staging folders of killed setups go.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeStaging, Undo } from '../../../src/supervise/tensorflowSetup/staging';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'batch-planner-staging-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (...parts: string[]) => {
  const file = path.join(folder, ...parts);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, parts.join('/'));
  return file;
};

it('puts back what was replaced, and removes what was added, with the folders that were made', () => {
  write('package', 'lib', 'old');
  const undo = new Undo();
  undo.makeFolder(path.join(folder, 'a', 'b'));
  const staging = makeStaging(folder);
  const made = path.join(staging, 'made');
  mkdirSync(made);
  writeFileSync(path.join(made, 'new'), '');
  undo.moveIn(made, path.join(folder, 'package', 'lib'), path.join(staging, 'before', 'lib'));
  expect(readdirSync(path.join(folder, 'package', 'lib'))).toEqual(['new']);
  undo.run(staging);
  expect(readdirSync(folder)).toEqual(['package']);
  expect(readFileSync(path.join(folder, 'package', 'lib', 'old'), 'utf8')).toBe('package/lib/old');
});

it('keeps a folder that it made and in which somebody else put something', () => {
  const undo = new Undo();
  undo.makeFolder(path.join(folder, 'a', 'b'));
  const other = write('a', 'other');
  undo.run(null);
  expect(existsSync(other)).toBe(true);
  expect(existsSync(path.join(folder, 'a', 'b'))).toBe(false);
});

it('removes the staging folder of a process that is gone, and refuses beside one that is alive', () => {
  const gone = spawnSync(process.execPath, ['-e', '']).pid;
  mkdirSync(path.join(folder, `.batch-planner-setup-${gone}-abcdef`));
  const staging = makeStaging(folder);
  expect(readdirSync(folder)).toEqual([path.basename(staging)]);
  rmSync(staging, { recursive: true });
  mkdirSync(path.join(folder, `.batch-planner-setup-${process.ppid}-abcdef`));
  expect(() => makeStaging(folder)).toThrow(`process ${process.ppid}`);
});
