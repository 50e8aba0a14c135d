// A lock that a dead process left: one of many takes it over, whatever else was left and whatever the clock says.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { claimOf, RunLock } from '../../src/supervise/runs/runLock';
import { processStartTime } from '../../src/supervise/runs/runLockProcess';
import { openLockRace, type LockRace } from '../support/faultsLock';
import { until } from '../support/trainProgram';

let race: LockRace;
beforeEach(async () => {
  race = await openLockRace();
});
afterEach(() => race.remove());

const racers = 20;
const noLinks = ['--import', path.join(import.meta.dirname, '../support/faultsNoLinks.mjs')];

/** The lock of a process that has ended. */
async function deadLock(): Promise<string> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  const pid = child.pid ?? Number.NaN;
  const startTime = await processStartTime(pid);
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('close', resolve));
  return JSON.stringify({ pid, startTime, host: os.hostname(), trainer: null });
}

function expectOneWinner(said: readonly string[]): void {
  expect(said.filter((word) => word === 'won')).toHaveLength(1);
  const others = said.filter((word) => word !== 'won');
  expect(others).toHaveLength(racers - 1);
  for (const word of others) expect(word).toMatch(/is in use by another training \(process \d+\)/);
  expect(readdirSync(race.folder).sort()).toEqual(['main.cjs', 'run.lock', 'start']);
}

test('wanted by twenty processes at once goes to one', async () => {
  writeFileSync(race.lock, await deadLock());
  expectOneWinner(await race.run(racers));
});

test('whose taking over died too, wanted by twenty at once, goes to one, with any clock', async () => {
  const dead = await deadLock();
  writeFileSync(race.lock, dead);
  const claim = claimOf(race.lock, dead);
  writeFileSync(claim, await deadLock());
  // Written, by the clock of now, a day from now.
  const later = new Date(Date.now() + 86_400_000);
  utimesSync(claim, later, later);
  expectOneWinner(await race.run(racers));
});

test('where a torn taking over is left, from a clock that was ahead, is taken in the end', async () => {
  const dead = await deadLock();
  writeFileSync(race.lock, dead);
  const claim = claimOf(race.lock, dead);
  writeFileSync(claim, '');
  const later = new Date(Date.now() + 86_400_000);
  utimesSync(claim, later, later);
  await (await RunLock.acquire(race.lock, 'folder')).release();
  expect(readdirSync(race.folder)).toEqual(['main.cjs']);
});

test('on a disk without hard links (a stand-in), wanted by twenty at once, goes to one', async () => {
  writeFileSync(race.lock, await deadLock());
  expectOneWinner(await race.run(racers, noLinks));
});

test.runIf(process.platform === 'linux')(
  'of a number that a living process has by now is taken over',
  async () => {
    const startTime = await processStartTime(process.pid);
    const ticks = Number(startTime?.split(' ')[1]);
    const earlier = startTime?.replace(String(ticks), String(ticks - 1)) ?? null;
    const lock = { pid: process.pid, startTime: earlier, host: os.hostname(), trainer: null };
    writeFileSync(race.lock, JSON.stringify(lock));
    await (await RunLock.acquire(race.lock, 'folder')).release();
    writeFileSync(race.lock, JSON.stringify({ ...lock, startTime }));
    await expect(RunLock.acquire(race.lock, 'folder')).rejects.toThrow('is in use');
  },
);

const hasPython = spawnSync('python3', ['--version']).status === 0;
test.skipIf(!hasPython || process.platform !== 'linux')(
  'of a dead process whose parent never asks how it ended is taken over',
  async () => {
    const script =
      'import os, sys, time\nif os.fork() == 0: os.execvp(sys.argv[1], sys.argv[1:])\ntime.sleep(600)';
    const held = spawn('python3', ['-c', script, process.execPath, ...lockHolder()], { stdio: 'ignore' });
    try {
      await until(() => existsSync(race.lock), 'the lock', 20_000);
      const { pid } = JSON.parse(readFileSync(race.lock, 'utf8')) as { pid: number };
      await expect(RunLock.acquire(race.lock, 'folder')).rejects.toThrow(`process ${pid}`);
      process.kill(pid, 'SIGKILL');
      await until(() => /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')), 'the zombie', 10_000);
      await (await RunLock.acquire(race.lock, 'folder')).release();
    } finally {
      held.kill('SIGKILL');
    }
  },
);

/** Arguments of a process that takes the lock at once. */
function lockHolder(): string[] {
  writeFileSync(path.join(race.folder, 'start'), '');
  return [path.join(race.folder, 'main.cjs'), race.lock, path.join(race.folder, 'start')];
}

test('that is another one’s by now is not removed by its former holder', async () => {
  const lock = await RunLock.acquire(race.lock, 'folder');
  const other = await deadLock();
  writeFileSync(race.lock, other);
  await lock.release();
  expect(readFileSync(race.lock, 'utf8')).toBe(other);
});
