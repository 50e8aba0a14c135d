// Ending a child with all that it started, for each platform's answers.
import { expect, test } from 'vitest';
import { descendantsOf, endTree } from '../../../src/supervise/processTree';

const processes = [
  { pid: 1, parentPid: 0 },
  { pid: 10, parentPid: 1 },
  { pid: 11, parentPid: 10 },
  { pid: 12, parentPid: 11 },
  { pid: 20, parentPid: 1 },
];

test('descendants are found at every depth, and nobody else', () => {
  expect(descendantsOf(10, processes)).toEqual([11, 12]);
  expect(descendantsOf(20, processes)).toEqual([]);
});

test.each(['linux', 'darwin'] as const)(
  'on %s the group is ended, and descendants in other groups',
  (platform) => {
    const ended: string[] = [];
    endTree(10, {
      platform,
      listProcesses: () => processes,
      killGroup: (pid) => ended.push(`group ${pid}`),
      kill: (pid) => ended.push(`${pid}`),
    });
    expect(ended).toEqual(['group 10', '11', '12']);
  },
);

test('on Windows taskkill ends the whole tree', () => {
  const ended: string[] = [];
  endTree(10, {
    platform: 'win32',
    listProcesses: () => expect.unreachable('taskkill looks for itself'),
    killGroup: (pid) => ended.push(`tree ${pid}`),
    kill: (pid) => ended.push(`${pid}`),
  });
  expect(ended).toEqual(['tree 10']);
});
