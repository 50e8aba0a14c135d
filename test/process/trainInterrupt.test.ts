// Trainings that are interrupted: Ctrl-C once and twice, a supervisor that dies, a second training in the same folder.
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mlp } from '../support/trainScripts';
import { type Running } from '../support/childRun';
import { buildTrainProgram, until, type Project, type TrainProgram } from '../support/trainProgram';
import { unwritable } from '../support/unwritable';

let program: TrainProgram;
beforeAll(async () => {
  program = await buildTrainProgram();
});
afterAll(() => program.remove());

/** A script whose epochs take long enough to be interrupted: each callback waits a moment. */
function slow(epochs: number): string {
  return mlp({
    epochs,
    callbacks: '{ onBatchEnd: () => new Promise((resolve) => setTimeout(resolve, 30)) }',
  });
}

function startedProject(epochs = 400): { project: Project; running: Running } {
  const project = program.project({ script: slow(epochs), targetBatchSize: 32, microbatchSize: 16 });
  return { project, running: project.start() };
}

function updatesOf(project: Project): number {
  if (!existsSync(path.join(project.folder, '.batch-planner/runs'))) return 0;
  if (!existsSync(path.join(project.runFolder, 'events.ndjson'))) return 0;
  return project.events().filter(({ type }) => type === 'update').length;
}

/** As a terminal sends it: to every process of the foreground group. */
function interrupt({ child }: Running, signal: NodeJS.Signals = 'SIGINT'): void {
  process.kill(-(child.pid ?? NaN), signal);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function trainerPid(project: Project): number {
  const started = project.events().findLast((event) => event.type === 'started');
  return started?.type === 'started' ? started.pid : NaN;
}

describe('Ctrl-C', () => {
  test('once: the update is finished, the state saved, exit code 130, one sentence how to go on', async () => {
    const { project, running } = startedProject();
    await until(() => updatesOf(project) >= 4, 'the fourth update');
    interrupt(running);
    const ended = await running.end;
    expect(ended).toMatchObject({ code: 130, err: '' });
    const events = project.events();
    expect(events.at(-1)).toMatchObject({ type: 'ended', how: 'stopped', exitCode: 130 });
    const last = events.findLast((event) => event.type === 'update');
    const checkpoint = events.findLast((event) => event.type === 'checkpoint');
    expect(checkpoint?.update).toBe((last?.update ?? NaN) + 1);
    expect(ended.out).toMatch(/Stopped after update \d+ \(epoch \d+\); the state is saved\./);
    expect(ended.out).toContain('Go on with: batch-planner train train.accumulation.json --resume');
    expect(project.record().state).toBe('stopped');
    expect(existsSync(path.join(project.folder, 'history.json'))).toBe(false);
    expect(isAlive(trainerPid(project))).toBe(false);
    expect(existsSync(path.join(project.runFolder, 'run.lock'))).toBe(false);
  });

  test('twice: everything is ended at once, exit code 130', async () => {
    const script = mlp({
      epochs: 5,
      // An update that hangs: nothing is ever looked at again.
      callbacks:
        '{ onBatchEnd: (batch) => { if (batch === 1) { const end = Date.now() + 600000; while (Date.now() < end); } } }',
    });
    const project = program.project({ script, targetBatchSize: 32, microbatchSize: 16 });
    const running = project.start();
    await until(() => updatesOf(project) >= 2, 'the second update');
    interrupt(running);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(running.child.exitCode).toBeNull();
    const pid = trainerPid(project);
    interrupt(running);
    const ended = await running.end;
    expect(ended.code).toBe(130);
    expect(isAlive(pid)).toBe(false);
    expect(project.record().state).toBe('stopped');
  });

  test('before anything is trained: ended at once', async () => {
    const project = program.project({
      script: 'setInterval(() => {}, 1000);',
      targetBatchSize: 4,
      microbatchSize: 2,
    });
    const running = project.start();
    await until(
      () =>
        existsSync(path.join(project.folder, '.batch-planner/runs')) &&
        existsSync(path.join(project.runFolder, 'trainer.log')),
      'the log',
    );
    await new Promise((resolve) => setTimeout(resolve, 300));
    interrupt(running);
    expect((await running.end).code).toBe(130);
  });

  test('while the script works after its training: the run is stopped, and nothing is left', async () => {
    const script = mlp({ epochs: 1, extra: 'setInterval(() => {}, 1000);' });
    const project = program.project({ script, targetBatchSize: 32, microbatchSize: 16 });
    const running = project.start();
    await until(() => existsSync(path.join(project.folder, 'weights.json')), 'the saved weights');
    interrupt(running);
    expect((await running.end).code).toBe(130);
    expect(isAlive(trainerPid(project))).toBe(false);
  });

  test.runIf(process.platform !== 'win32').each(['SIGTERM', 'SIGHUP'] as const)(
    '%s does as Ctrl-C',
    async (signal) => {
      const { project, running } = startedProject();
      await until(() => updatesOf(project) >= 2, 'the second update');
      interrupt(running, signal);
      expect((await running.end).code).toBe(130);
      expect(project.events().at(-1)).toMatchObject({ type: 'ended', how: 'stopped' });
    },
  );
});

test('a supervisor that is killed: the training saves, tells it and ends', async () => {
  const { project, running } = startedProject();
  await until(() => updatesOf(project) >= 3, 'the third update');
  const pid = trainerPid(project);
  process.kill(running.child.pid ?? NaN, 'SIGKILL');
  await running.end;
  await until(() => !isAlive(pid), 'the end of the training process', 20_000);
  const events = project.events();
  expect(events.at(-1)).toMatchObject({ type: 'ended', how: 'interrupted' });
  expect(events.at(-2)).toMatchObject({ type: 'checkpoint' });
  // run.json still says that it trains: nobody was there to change it. A new training takes the lock over.
  expect(project.record().state).toBe('training');
  const resumed = project.start('--resume');
  await until(() => project.events().some(({ type }) => type === 'resumed'), 'the resumed training');
  interrupt(resumed);
  expect((await resumed.end).code).toBe(130);
});

test('pause: the state is saved and nothing is trained until it goes on', async () => {
  const { project, running } = startedProject();
  await until(() => updatesOf(project) >= 2, 'the second update');
  const control = path.join(project.runFolder, 'control.json');
  writeFileSync(control, '{"request":"pause"}');
  await until(() => project.events().some(({ type }) => type === 'paused'), 'the pause');
  const updates = updatesOf(project);
  await until(() => project.record().state === 'paused', 'the paused state');
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(updatesOf(project)).toBe(updates);
  writeFileSync(control, '{"request":"run"}');
  await until(() => updatesOf(project) > updates, 'the next update');
  writeFileSync(control, '{"request":"stop"}');
  expect((await running.end).code).toBe(130);
});

test('a run folder that is deleted: the training ends, says so, and makes nothing of it again', async () => {
  const { project, running } = startedProject(4000);
  await until(() => updatesOf(project) >= 3, 'the third update');
  const pid = trainerPid(project);
  const folder = project.runFolder;
  // A checkpoint may be written into it at this very moment.
  rmSync(folder, { recursive: true, maxRetries: 10 });
  const { code, out, err } = await running.end;
  expect(code).toBe(1);
  expect(out + err).toContain('The run folder was deleted, so the training was ended after update');
  expect(isAlive(pid)).toBe(false);
  expect(existsSync(folder)).toBe(false);
});

describe('a run folder', () => {
  test('in which a training runs: a second one is told so with exit code 2, and touches nothing', async () => {
    const { project, running } = startedProject();
    await until(() => updatesOf(project) >= 1, 'the first update');
    const folder = project.runFolder;
    const before = readdirSync(folder).sort();
    for (const more of [['--resume'], ['--run-dir', folder], ['--run-dir', folder, '--resume']]) {
      const second = await project.run(...more);
      expect(second).toMatchObject({ code: 2, out: '' });
      expect(second.err).toMatch(
        /^The run folder .* is in use by another training \(process \d+\)\. [^\n]*\n$/,
      );
    }
    expect(readdirSync(folder).filter((name) => !before.includes(name) && name !== 'checkpoints')).toEqual(
      [],
    );
    expect(project.runFolders()).toHaveLength(1);
    interrupt(running);
    expect((await running.end).code).toBe(130);
  });

  test('that cannot be written, because a file is in the way: one sentence, exit code 2', async () => {
    const project = program.project({ script: slow(1), targetBatchSize: 32, microbatchSize: 16 });
    const file = path.join(project.folder, 'in-the-way');
    writeFileSync(file, '');
    const ended = await project.run('--run-dir', path.join(file, 'run'));
    expect(ended).toMatchObject({ code: 2, out: '' });
    expect(ended.err).toMatch(/^The run folder .* cannot be written: [^\n]*\n$/);
  });

  test('that may not be written: one sentence, exit code 2', async () => {
    const project = program.project({ script: slow(1), targetBatchSize: 32, microbatchSize: 16 });
    const ended = await project.run('--run-dir', path.join(unwritable(project.folder), 'run'));
    expect(ended).toMatchObject({ code: 2, out: '' });
    expect(ended.err).toMatch(/^The run folder .* cannot be written: [^\n]*\n$/);
  });

  test('that holds something else is left alone', async () => {
    const project = program.project({ script: slow(1), targetBatchSize: 32, microbatchSize: 16 });
    const ended = await project.run('--run-dir', project.folder);
    expect(ended).toMatchObject({ code: 2, out: '' });
    expect(ended.err).toContain('holds other files and no run');
  });

  test('that holds a run: it is not written over', async () => {
    const project = program.project({ script: mlp({ epochs: 1 }), targetBatchSize: 32, microbatchSize: 16 });
    expect((await project.run('--run-dir', 'mine')).code).toBe(0);
    const again = await project.run('--run-dir', 'mine');
    expect(again.code).toBe(2);
    expect(again.err).toContain('holds a run already');
    const resumed = await project.run('--run-dir', 'mine', '--resume');
    expect(resumed.code).toBe(2);
    expect(resumed.err).toContain('is completed');
  });
});
