// Processes that are killed, stopped and left alone: nothing that was saved is lost, and the result is the undisturbed one.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  endAll,
  expectToComplete,
  halfCheckpoints,
  isAlive,
  savedUpdates,
  useFaultProgram,
  type FaultProject,
} from '../support/faults';
import { followRun } from '../support/followRun';
import { type Running } from '../support/childRun';
import { until } from '../support/trainProgram';

const epochs = 8;
const faults = useFaultProgram(epochs);

async function startedProject(
  updates = 5,
): Promise<{ fault: FaultProject; running: Running; trainer: number }> {
  const fault = faults.project();
  const running = fault.start({ updatePause: 60 });
  await fault.untilDone(updates);
  const trainer = fault.trainerPid();
  onTestFinished(() => {
    for (const pid of [running.child.pid ?? Number.NaN, trainer, fault.trainerPid()]) {
      if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    }
  });
  return { fault, running, trainer };
}

/** What is on the disk is whole, and no older than the interval, which is one update. */
function expectSaved(fault: FaultProject): void {
  expect(savedUpdates(fault.folder)).toBeGreaterThanOrEqual(fault.done() - 1);
  expect(halfCheckpoints(fault.folder).filter((name) => !name.startsWith('.unfinished-'))).toEqual([]);
}

test.each(['SIGKILL', 'SIGSEGV'] as const)('a trainer that ends by %s', async (signal) => {
  const { fault, running, trainer } = await startedProject();
  process.kill(trainer, signal);
  expect(await running.end).toMatchObject({ code: 0, err: '' });
  expect(fault.project.read('weights.json')).toBe(faults.weights);
  // What it had saved is where the next one went on: no older than the interval, which is one update.
  const events = fault.events();
  const at = events.findIndex(({ type }) => type === 'resumed');
  const done = events.slice(0, at).filter(({ type }) => type === 'update').length;
  const resumed = events[at];
  expect(resumed?.type === 'resumed' ? resumed.update : -1).toBeGreaterThanOrEqual(done - 1);
  expect(halfCheckpoints(fault.folder)).toEqual([]);
});

test('supervisor and trainer killed in one moment', async () => {
  const { fault, running } = await startedProject();
  await endAll(fault, running);
  expectSaved(fault);
  await expectToComplete(fault, faults.weights);
});

test('a supervisor that is killed: its trainer saves, and holds the run folder until it has', async () => {
  const { fault, running, trainer } = await startedProject();
  const followed = followRun(fault.folder);
  // Long enough for a look at the folder.
  process.kill(trainer, 'SIGSTOP');
  process.kill(running.child.pid ?? Number.NaN, 'SIGKILL');
  await running.end;
  const refused = await fault.run({ arguments: ['--resume'] });
  expect(refused).toMatchObject({ code: 2, out: '' });
  expect(refused.err).toMatch(/is in use by another training/);
  process.kill(trainer, 'SIGCONT');
  await until(() => !isAlive(trainer), 'the end of the trainer', 20_000);
  expect(fault.events().at(-1)).toMatchObject({ type: 'ended', how: 'interrupted' });
  expect(savedUpdates(fault.folder)).toBe(fault.done());
  await until(() => followed.states.at(-1) === 'interrupted', 'the interruption', 10_000);
  await expectToComplete(fault, faults.weights);
});

const hasPython = spawnSync('python3', ['--version']).status === 0;
test.skipIf(!hasPython || process.platform !== 'linux')(
  'a supervisor that is killed, and whose parent never asks how it ended',
  async () => {
    const script =
      'import os, sys, time\nif os.fork() == 0: os.execvp(sys.argv[1], sys.argv[1:])\ntime.sleep(600)';
    const fault = faults.project({ prefix: ['python3', '-c', script] });
    const running = fault.start({ updatePause: 60 });
    onTestFinished(() => {
      process.kill(-(running.child.pid ?? Number.NaN), 'SIGKILL');
    });
    await fault.untilDone(5);
    const trainer = fault.trainerPid();
    const { supervisorPid } = fault.project.record(fault.folder);
    process.kill(supervisorPid, 'SIGKILL');
    await until(() => !isAlive(trainer), 'the end of the trainer', 20_000);
    expect(readFileSync(`/proc/${supervisorPid}/stat`, 'utf8')).toMatch(/\) Z /);
    expect(savedUpdates(fault.folder)).toBe(fault.done());
    await expectToComplete(fault, faults.weights, { prefix: [] });
  },
);

test('both stopped for a while, as by a laptop that sleeps: nothing is taken for dead', async () => {
  const { fault, running, trainer } = await startedProject();
  const followed = followRun(fault.folder);
  const pids = [running.child.pid ?? Number.NaN, trainer];
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  // Longer than any of the pauses after which something is looked for.
  await sleep(4000);
  expect((await fault.run({ arguments: ['--resume'] })).err).toContain('is in use by another training');
  for (const pid of pids) process.kill(pid, 'SIGCONT');
  expect(await running.end).toMatchObject({ code: 0, err: '' });
  expect(fault.project.read('weights.json')).toBe(faults.weights);
  expect(fault.events().filter(({ type }) => type === 'started')).toHaveLength(1);
  await until(() => followed.states.at(-1) === 'completed', 'the end');
  expect(followed.states).not.toContain('interrupted');
});

test('a trainer that is stopped for a while under a supervisor that runs', async () => {
  const { fault, running, trainer } = await startedProject();
  process.kill(trainer, 'SIGSTOP');
  await sleep(4000);
  expect(isAlive(running.child.pid ?? Number.NaN)).toBe(true);
  process.kill(trainer, 'SIGCONT');
  expect(await running.end).toMatchObject({ code: 0, err: '' });
  expect(fault.project.read('weights.json')).toBe(faults.weights);
});

describe('an editor that dies', () => {
  test('its task’s processes get SIGHUP: the training stops, saved, and another process sees it', async () => {
    const { fault, running, trainer } = await startedProject();
    const followed = followRun(fault.folder);
    process.kill(-(running.child.pid ?? Number.NaN), 'SIGHUP');
    expect((await running.end).code).toBe(130);
    expect(isAlive(trainer)).toBe(false);
    expect(savedUpdates(fault.folder)).toBe(fault.done());
    await until(() => followed.states.at(-1) === 'stopped', 'the stop');
    await expectToComplete(fault, faults.weights);
  });

  test('nobody reads what is printed any more (EPIPE): what is on the disk can be gone on from', async () => {
    const fault = faults.project();
    // A shell that closes the pipe once it is told to: what follows is written into nothing.
    const closed = path.join(fault.project.folder, 'closed');
    const script = '"$@" | until [ -e "$0" ]; do sleep 0.05; done';
    const running = fault.start({ updatePause: 60, prefix: ['bash', '-c', script, closed] });
    await fault.untilDone(5);
    writeFileSync(closed, '');
    const trainer = fault.trainerPid();
    onTestFinished(() => {
      if (isAlive(trainer)) process.kill(trainer, 'SIGKILL');
    });
    await running.end;
    await until(() => !isAlive(trainer), 'the end of the trainer', 30_000);
    expectSaved(fault);
    const isDone = existsSync(path.join(fault.project.folder, 'weights.json'));
    if (isDone) expect(fault.project.read('weights.json')).toBe(faults.weights);
    else await expectToComplete(fault, faults.weights);
  });
});

test('a trainer that is itself asked to end (SIGTERM): it saves, and the run is stopped', async () => {
  const { fault, running, trainer } = await startedProject();
  process.kill(trainer, 'SIGTERM');
  expect((await running.end).code).toBe(130);
  expect(savedUpdates(fault.folder)).toBe(fault.done());
  await expectToComplete(fault, faults.weights);
});
