// How scripts are started, for each platform and Node that users have.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import {
  quoteOption,
  scriptCommand,
  ScriptCommandError,
  type NodeFacts,
} from '../../../src/supervise/scriptCommand';

const request = {
  main: '/home/me/my project/train.js',
  arguments: ['--epochs', '3'],
  folder: '/home/me/my project',
  nodeArguments: ['--max-old-space-size=8192'],
  jobFile: '/tmp/job.json',
  preloadFile: '/opt/batch planner/dist/preload.cjs',
  environment: { PATH: '/bin', NODE_OPTIONS: '--no-warnings' },
};
const node = (nodeVersion: string, tsx: string | null = null): NodeFacts => ({
  nodePath: '/usr/bin/node',
  nodeVersion,
  resolve: (name) => (name === 'tsx' ? tsx : null),
});

test('the script keeps its arguments, folder and environment, and its own NODE_OPTIONS come first', () => {
  const command = scriptCommand(request, node('20.20.2'));
  expect(command.arguments).toEqual(['--max-old-space-size=8192', request.main, '--epochs', '3']);
  expect(command.folder).toBe(request.folder);
  expect(command.environment).toMatchObject({ PATH: '/bin', BATCH_PLANNER_JOB: '/tmp/job.json' });
  expect(command.environment.NODE_OPTIONS).toMatch(
    /^--no-warnings --require "\/opt\/batch planner\/dist\/preload.cjs" --import "/,
  );
});

test.each(['20.20.2', '22.6.0', '24.1.0'])(
  'TypeScript runs through the tsx of its project on Node %s',
  (version) => {
    const command = scriptCommand(
      { ...request, main: '/p/train.ts' },
      node(version, '/p/node_modules/tsx/dist/loader.mjs'),
    );
    expect(command.arguments).toContain('--import');
    expect(command.arguments).toContain('file:///p/node_modules/tsx/dist/loader.mjs');
  },
);

test.each([
  ['22.6.0', ['--experimental-strip-types']],
  ['22.18.0', []],
  ['23.5.0', ['--experimental-strip-types']],
  ['23.6.0', []],
  ['24.0.0', []],
])('without tsx, Node %s strips the types itself', (version, added) => {
  const command = scriptCommand({ ...request, nodeArguments: [], main: '/p/train.mts' }, node(version));
  expect(command.arguments).toEqual([...added, '/p/train.mts', '--epochs', '3']);
});

test.each([
  ['20.20.2', '/p/train.ts'],
  ['22.5.1', '/p/train.cts'],
  ['24.0.0', '/p/train.tsx'],
])('what Node %s cannot run is refused with what helps (%s)', (version, main) => {
  const start = () => scriptCommand({ ...request, main }, node(version));
  expect(start).toThrow(ScriptCommandError);
  expect(start).toThrow(/install tsx/);
});

test('a loader that the user names is left alone', () => {
  const command = scriptCommand(
    { ...request, main: '/p/a.ts', nodeArguments: ['--loader=ts-node/esm'] },
    node('20.20.2'),
  );
  expect(command.arguments[0]).toBe('--loader=ts-node/esm');
  expect(command.arguments).toHaveLength(4);
});

test('Windows paths survive the quoting', () => {
  expect(quoteOption(String.raw`C:\Users\Jo "x"\a b.cjs`)).toBe(String.raw`"C:\\Users\\Jo \"x\"\\a b.cjs"`);
});

test('Node reads the quoted option as it was meant, and waits for what the preloaded file prepares', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'batch planner "quoted" '));
  try {
    const preloadFile = path.join(folder, 'pre load.cjs');
    writeFileSync(
      preloadFile,
      `globalThis[Symbol.for('batch-planner.ready')] = async () => {
        await new Promise((resolve) => setTimeout(resolve, 50));
        globalThis.prepared = true;
      };`,
    );
    const main = path.join(folder, 'main.cjs');
    writeFileSync(main, 'console.log(globalThis.prepared, require.main === module, process.argv[2]);');
    const command = scriptCommand({
      ...request,
      main,
      arguments: ['an argument'],
      folder,
      nodeArguments: [],
      preloadFile,
      environment: { PATH: process.env['PATH'] },
    });
    const { stdout } = spawnSync(command.command, [...command.arguments], {
      env: command.environment,
      encoding: 'utf8',
    });
    expect(stdout).toBe('true true an argument\n');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
