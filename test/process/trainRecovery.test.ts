// A training process that dies is followed by another one, without anybody's help, and the result is the same.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { processIsAlive } from '../../src/protocol/processIsAlive';
import { historyOf, updatesOf } from '../support/recoveryRuns';
import { dyingScript, killsItself } from '../support/recoveryScripts';
import { type Running } from '../support/childRun';
import {
  buildTrainProgram,
  until,
  type Project,
  type ProjectOptions,
  type TrainProgram,
} from '../support/trainProgram';

let program: TrainProgram;
beforeAll(async () => {
  program = await buildTrainProgram();
});
afterAll(() => program.remove());

const sizes = { targetBatchSize: 32, microbatchSize: 12 };
const seed = ['--seed', '77'];
const often = [...seed, '--checkpoint-updates', '1'];

function projectWith(script: string, options: Partial<ProjectOptions> = {}): Project {
  return program.project({ script, ...sizes, ...options });
}

/** The same training in one process: its script believes that it has died already. */
async function uninterrupted(script: string, options: Partial<ProjectOptions> = {}): Promise<Project> {
  const project = projectWith(script, options);
  writeFileSync(path.join(project.folder, 'died'), '');
  expect(await project.run(...seed)).toMatchObject({ code: 0, err: '' });
  return project;
}

const deaths: NodeJS.Signals[] = ['SIGKILL', 'SIGSEGV', 'SIGABRT'];

describe.each(deaths)('%s in the middle of the third epoch', (signal) => {
  test('the training ends by itself with the very bits of an uninterrupted one', async () => {
    const script = dyingScript({ epochs: 4, after: 8, death: killsItself(signal) });
    const project = projectWith(script);
    const [died, whole] = await Promise.all([project.run(...often), uninterrupted(script)]);
    expect(died).toMatchObject({ code: 0, err: '' });
    expect(died.out).toContain(
      `The training process was ended by ${signal} after update 8 (epoch 3): going on from update 8.`,
    );
    expect(died.out).toContain('4 epochs, 12 updates.');
    expect(project.read('weights.json')).toBe(whole.read('weights.json'));
    expect(project.read('history.json')).toBe(whole.read('history.json'));
    expect(project.record()).toMatchObject({ state: 'completed', attempts: 2 });
    expect(historyOf(project).totals.updates).toBe(12);
    expect(historyOf(project).length).toBe(12);
    expect(existsSync(path.join(project.runFolder, 'run.lock'))).toBe(false);
  });
});

test('before the first checkpoint: the training begins anew, and nothing is counted twice', async () => {
  const script = dyingScript({ epochs: 2, after: 2, death: killsItself('SIGKILL') });
  const project = projectWith(script);
  const [died, whole] = await Promise.all([project.run(...seed), uninterrupted(script)]);
  expect(died).toMatchObject({ code: 0, err: '' });
  expect(died.out).toContain(
    'The training process was ended by SIGKILL after update 2 (epoch 1): nothing is saved yet, so it begins anew.',
  );
  expect(died.out).toContain('2 epochs, 6 updates.');
  expect(project.read('weights.json')).toBe(whole.read('weights.json'));
  expect(updatesOf(project)).toEqual([0, 1, 0, 1, 2, 3, 4, 5]);
  const history = historyOf(project);
  expect(history.length).toBe(6);
  expect(history.totals.updates).toBe(6);
  expect(history.epochs.map(({ epoch }) => epoch)).toEqual([0, 1]);
});

test('always at the same update: given up after three restarts, with what happened and what can be done', async () => {
  const script = dyingScript({ epochs: 4, after: 5, death: killsItself('SIGSEGV'), once: false });
  const project = projectWith(script);
  const ended = await project.run(...often);
  expect(ended.code).toBe(1);
  expect(ended.err).toMatch(
    /^The training process was ended by SIGSEGV after update 5 \(epoch 2\), 4 times in a row without a new update: it is not started again\. The last of its output is in trainer\.log\.\n/,
  );
  expect(ended.err).toContain('Go on with: batch-planner train train.accumulation.json --resume');
  expect(readFileSync(path.join(project.folder, 'died'), 'utf8')).toBe('xxxx');
  expect(project.record()).toMatchObject({ state: 'failed', attempts: 4 });
  expect(project.events().at(-1)).toMatchObject({ type: 'ended', how: 'failed', exitCode: 1 });
});

test('behind a launcher, which ends with it: the training goes on all the same', async () => {
  const launcher = `
    const { spawnSync } = require('node:child_process');
    const { status } = spawnSync(process.execPath, ['real.cjs'], { stdio: 'inherit' });
    process.exitCode = status ?? 1;`;
  const script = dyingScript({ epochs: 3, after: 5, death: killsItself('SIGKILL') });
  const project = projectWith(launcher);
  writeFileSync(path.join(project.folder, 'real.cjs'), script);
  const [died, whole] = await Promise.all([project.run(...often), uninterrupted(script)]);
  expect(died).toMatchObject({ code: 0, err: '' });
  expect(died.out).toContain('after update 5 (epoch 2): going on from update 5.');
  expect(project.read('weights.json')).toBe(whole.read('weights.json'));
  expect(project.record()).toMatchObject({ state: 'completed', attempts: 2 });
});

test('a script that cannot start is not started again', async () => {
  const project = projectWith(killsItself('SIGSEGV'));
  const ended = await project.run();
  expect(ended.code).toBe(1);
  expect(ended.err).toContain('The training process was ended by SIGSEGV before the first update.');
  expect(project.record()).toMatchObject({ state: 'failed', attempts: 1 });
});

test("a script's own exception is not tried again", async () => {
  const script = dyingScript({
    epochs: 4,
    after: 5,
    death: "throw new TypeError('my own bug');",
    once: false,
  });
  const project = projectWith(script);
  const ended = await project.run(...often);
  expect(ended.code).toBe(1);
  expect(ended.err).toContain('my own bug');
  expect(readFileSync(path.join(project.folder, 'died'), 'utf8')).toBe('x');
  expect(project.record()).toMatchObject({ state: 'failed', attempts: 1 });
});

describe('killed from outside', () => {
  const slow = (epochs: number): string =>
    dyingScript({ epochs, after: -1, death: '' }).replace(
      'onBatchEnd: () => {',
      'onBatchEnd: async () => { await new Promise((resolve) => setTimeout(resolve, 30));',
    );

  function started(epochs: number): { project: Project; running: Running } {
    const project = projectWith(slow(epochs));
    return { project, running: project.start(...often) };
  }
  const doneBy = (project: Project): number =>
    existsSync(path.join(project.folder, '.batch-planner/runs')) &&
    existsSync(path.join(project.runFolder, 'events.ndjson'))
      ? updatesOf(project).length
      : 0;
  function trainerOf(project: Project): number {
    const last = project.events().findLast((event) => event.type === 'started');
    return last?.type === 'started' ? last.pid : NaN;
  }

  test('twice: the training ends by itself with the very bits of an uninterrupted one', async () => {
    const { project, running } = started(16);
    const whole = uninterrupted(slow(16));
    for (const count of [5, 16]) {
      await until(() => doneBy(project) >= count, `update ${count}`);
      process.kill(trainerOf(project), 'SIGKILL');
    }
    expect(await running.end).toMatchObject({ code: 0, err: '' });
    expect(project.read('weights.json')).toBe((await whole).read('weights.json'));
    expect(project.record()).toMatchObject({ state: 'completed', attempts: 3 });
    expect(historyOf(project).length).toBe(48);
  });

  test('while it is paused: it is paused again, and goes on when it is asked to', async () => {
    const { project, running } = started(6);
    await until(() => doneBy(project) >= 4, 'the fourth update');
    const control = path.join(project.runFolder, 'control.json');
    writeFileSync(control, '{"request":"pause"}');
    await until(() => project.record().state === 'paused', 'the pause');
    process.kill(trainerOf(project), 'SIGKILL');
    await until(() => project.record().attempts === 2, 'the second process');
    await until(() => project.record().state === 'paused', 'the second pause');
    const updates = doneBy(project);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(doneBy(project)).toBe(updates);
    writeFileSync(control, '{"request":"run"}');
    expect(await running.end).toMatchObject({ code: 0, err: '' });
    expect(historyOf(project).length).toBe(18);
  });

  test('with a stop that nobody obeyed: the run is stopped, and no other process is started', async () => {
    const { project, running } = started(40);
    await until(() => doneBy(project) >= 4, 'the fourth update');
    const pid = trainerOf(project);
    // Held, so that it cannot obey before it is killed.
    process.kill(pid, 'SIGSTOP');
    writeFileSync(path.join(project.runFolder, 'control.json'), '{"request":"stop"}');
    process.kill(pid, 'SIGKILL');
    const ended = await running.end;
    expect(ended).toMatchObject({ code: 130, err: '' });
    expect(ended.out).toContain('before it had saved and stopped as it was asked to.');
    expect(ended.out).toContain('--resume');
    expect(project.record()).toMatchObject({ state: 'stopped', attempts: 1 });
  });

  test('with a request to end at once: no other process is started', async () => {
    const { project, running } = started(40);
    await until(() => doneBy(project) >= 4, 'the fourth update');
    writeFileSync(path.join(project.runFolder, 'control.json'), '{"request":"end"}');
    expect((await running.end).code).toBe(130);
    expect(project.record()).toMatchObject({ state: 'stopped', attempts: 1 });
  });

  test.each(['the supervisor', 'both'])(
    '%s: what is left goes on by --resume, with the very bits of an uninterrupted one',
    async (which) => {
      const { project, running } = started(16);
      const whole = uninterrupted(slow(16));
      await until(() => doneBy(project) >= 7, 'the seventh update');
      const pid = trainerOf(project);
      process.kill(running.child.pid ?? NaN, 'SIGKILL');
      if (which === 'both') process.kill(pid, 'SIGKILL');
      await running.end;
      await until(() => !processIsAlive(pid), 'the end of the training process', 20_000);
      // The lock is there, and nobody's.
      expect(existsSync(path.join(project.runFolder, 'run.lock'))).toBe(true);
      expect(await project.run('--resume')).toMatchObject({ code: 0, err: '' });
      expect(project.read('weights.json')).toBe((await whole).read('weights.json'));
      expect(historyOf(project).length).toBe(48);
      expect(project.record()).toMatchObject({ state: 'completed', attempts: 2 });
    },
  );
});
