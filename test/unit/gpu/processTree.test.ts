// What is asked of each platform to end a process with all that it started.
import { expect, test } from 'vitest';
import { killTree, treeSpawnOptions } from '../../../src/gpu/processTree';

test('POSIX: the whole group that the process leads is killed', () => {
  expect(treeSpawnOptions('linux')).toEqual({ detached: true });
  const signals: unknown[] = [];
  killTree(42, { platform: 'darwin', signal: (...told) => signals.push(told) });
  expect(signals).toEqual([[-42, 'SIGKILL']]);
});

test('Windows: taskkill ends the tree, and no console window is opened', () => {
  expect(treeSpawnOptions('win32')).toEqual({ detached: false });
  const runs: unknown[] = [];
  killTree(42, { platform: 'win32', run: (_program, args) => runs.push(args) });
  expect(runs).toEqual([['/T', '/F', '/PID', '42']]);
});

test('a process that has ended already is no error, one that may not be ended is', () => {
  const failing = (code: string) => (): never => {
    throw Object.assign(new Error(code), { code });
  };
  expect(() => killTree(42, { platform: 'linux', signal: failing('ESRCH') })).not.toThrow();
  expect(() => killTree(42, { platform: 'linux', signal: failing('EPERM') })).toThrow('EPERM');
});
