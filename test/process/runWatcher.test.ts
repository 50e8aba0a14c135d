// Real trainings followed from outside, as the editor does: started elsewhere, paused, killed, resumed, deleted.
import { appendFileSync, existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { RunView } from '../../src/protocol/page';
import { RunList, watchRuns } from '../../src/supervise/runs/entryRuns';
import { followRun, type FollowedRun } from '../support/followRun';
import { mlp } from '../support/trainScripts';
import { buildTrainProgram, until, type Project, type TrainProgram } from '../support/trainProgram';
import { bruteForce } from '../unit/runs/trainingStory';

let program: TrainProgram;
beforeAll(async () => {
  program = await buildTrainProgram();
});
afterAll(() => program.remove());

/** Each update takes a moment, so that something can happen in between. */
function slow(epochs: number, extra = ''): string {
  const callbacks = '{ onBatchEnd: () => new Promise((resolve) => setTimeout(resolve, 30)) }';
  return mlp({ epochs, callbacks, extra });
}

function projectOf(script: string): Project {
  return program.project({ script, targetBatchSize: 32, microbatchSize: 16 });
}

/** Starts a training that is killed with all its processes when the test ends. */
function start(project: Project, ...more: string[]): ReturnType<Project['start']> {
  const running = project.start(...more);
  onTestFinished(() => killAll(project, running.child.pid));
  return running;
}

function killAll(project: Project, supervisor: number | undefined): void {
  const runs = path.join(project.folder, '.batch-planner/runs');
  const hasEvents = existsSync(runs) && existsSync(path.join(project.runFolder, 'events.ndjson'));
  const started = hasEvents ? project.events().findLast((event) => event.type === 'started') : undefined;
  for (const pid of [supervisor, started?.type === 'started' ? started.pid : undefined]) {
    if (pid === undefined) continue;
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

async function newRun(project: Project): Promise<string> {
  const record = (): boolean =>
    existsSync(path.join(project.folder, '.batch-planner/runs')) &&
    existsSync(path.join(project.runFolder, 'run.json'));
  await until(record, 'the record of the run');
  return project.runFolder;
}

function expectHistoryOf(project: Project, { watcher }: FollowedRun): void {
  const { updates, epochs } = bruteForce(project.events());
  const losses = [...watcher.history.parts(0, 7)].flatMap(({ points }) => points.loss);
  expect(losses).toEqual(updates.map(({ loss }) => loss));
  expect(watcher.history.epochs.map(({ epoch, logs }) => ({ epoch, logs }))).toEqual(
    epochs.map(({ epoch, logs }) => ({ epoch, logs })),
  );
}

test('a run that is started elsewhere is noticed, paused, gone on with, and followed to its end', async () => {
  const project = projectOf(slow(12, "process.stdout.write('10 %\\r20 %\\r100 %\\nlast words');"));
  let changes = 0;
  const watch = watchRuns(project.configPath, { onChange: () => changes++, pauseMs: 50 });
  onTestFinished(() => watch.dispose());
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(changes).toBe(0);
  const running = start(project);
  await until(() => changes > 0, 'the notice of the run');
  const followed = followRun(project.runFolder);
  await until(() => (followed.watcher.view()?.updates ?? 0) >= 4, 'the fourth update');
  expect(followed.view()).toMatchObject({
    state: 'training',
    backend: 'cpu',
    targetBatchSize: 32,
    microbatchSize: 16,
    budgetBytes: null,
    call: { method: 'fit', call: 0, epochs: 12, updatesPerEpoch: 3, passThrough: null },
    attempts: 1,
    failure: null,
    endedAt: null,
  });
  expect(followed.view().memoryBytes).toBeGreaterThan(0);
  expect(followed.view().examplesPerSecond).toBeGreaterThan(0);
  expect(followed.view().leftMs).toBeGreaterThan(0);

  await followed.watcher.request('pause');
  expect(followed.state()).toBe('pausing');
  await until(() => followed.state() === 'paused', 'the pause');
  const { updates, savedUpdate } = followed.view();
  expect(savedUpdate).toBe(updates);
  // Another window, opened now, shows all of it at once.
  const other = followRun(project.runFolder);
  await other.watcher.look();
  expect(other.view()).toEqual(followed.view());
  expect([...other.watcher.history.parts(0)]).toEqual([...followed.watcher.history.parts(0)]);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(followed.view().updates).toBe(updates);

  await followed.watcher.request('run');
  expect(followed.state()).toBe('resuming');
  await running.end;
  await until(() => followed.state() === 'completed', 'the end');
  expect(followed.states.slice(-5)).toEqual(['pausing', 'paused', 'resuming', 'training', 'completed']);
  expectHistoryOf(project, followed);
  const view = followed.view();
  expect(view).toMatchObject({ updates: 36, epoch: 12, leftMs: null, microbatch: null });
  expect(view.output).toMatch(/the model is saved\n100 %\nlast words$/);
  expect(view.output).not.toContain('10 %');
  expect(view.endedAt).toBe(project.record().endedAt);
  // Nothing is asked of a run that has ended.
  await followed.watcher.request('pause');
  expect(followed.state()).toBe('completed');

  expect(changes).toBe(1);
  rmSync(project.runFolder, { recursive: true });
  await until(() => changes === 2, 'the notice that it is gone');
});

test('killed with its supervisor, it is interrupted; resumed, it is followed on, with nothing twice', async () => {
  const project = projectOf(slow(24));
  const running = start(project, '--checkpoint-seconds', '0.1');
  const folder = await newRun(project);
  const followed = followRun(folder);
  const isSaved = (view: RunView | null): boolean =>
    view !== null && view.savedAt !== null && view.updates >= 5;
  await until(() => isSaved(followed.watcher.view()), 'a checkpoint');
  killAll(project, running.child.pid);
  await running.end;
  await until(() => followed.state() === 'interrupted', 'the interruption');
  expect(followed.states).not.toContain('gone');
  const interrupted = followed.view();
  expect(interrupted.endedAt).toBeNull();
  expect(interrupted.savedUpdate).toBeGreaterThan(0);
  const list = new RunList(project.configPath);
  expect(await list.read()).toMatchObject([
    { state: 'interrupted', updates: interrupted.updates, startedAt: interrupted.startedAt },
  ]);

  const again = start(project, '--resume');
  // On a quick machine it may have ended before it is looked at again.
  await until(() => followed.view().attempts === 2, 'the resumed run');
  expect((await again.end).code).toBe(0);
  await until(() => followed.state() === 'completed', 'the end');
  expectHistoryOf(project, followed);
  expect(followed.view()).toMatchObject({ updates: 72, epoch: 24, attempts: 2 });
  expect(followed.watcher.history.marks.map(({ kind }) => kind)).toContain('resumed');
  const { last, best } = followed.view();
  const figure = { name: 'val_loss', last: last.val_loss, best: best.val_loss?.value };
  expect(await list.read()).toMatchObject([{ state: 'completed', updates: 72, epochs: 24, figure }]);
  expect(await new RunList(project.configPath).read()).toEqual(await list.read());
});

test('while a resumed run goes over what is done, it tells how far that is, and counts no time', async () => {
  const callbacks = `{ onBatchEnd: async () => {
    const pause = () => new Promise((resolve) => setTimeout(resolve, 30));
    do await pause(); while (require('node:fs').existsSync(__dirname + '/hold'));
  } }`;
  const project = projectOf(mlp({ epochs: 400, callbacks }));
  const running = start(project);
  const followed = followRun(await newRun(project));
  await until(() => (followed.watcher.view()?.updates ?? 0) >= 5, 'the fifth update');
  await followed.watcher.request('stop');
  await running.end;
  await until(() => followed.state() === 'stopped', 'the stop');
  const stopped = followed.view();
  expect(stopped.replay).toBeNull();
  const hold = path.join(project.folder, 'hold');
  writeFileSync(hold, '');
  start(project, '--resume');
  await until(() => followed.view().replay?.done === 1, 'the first update that is gone over');
  expect(followed.view()).toMatchObject({
    state: 'replaying',
    replay: { done: 1, of: stopped.savedUpdate },
    updates: stopped.updates,
    trainingSince: null,
    microbatch: null,
    leftMs: null,
  });
  rmSync(hold);
  await until(() => followed.state() === 'training', 'the training');
  await until(() => followed.view().updates > stopped.updates, 'more updates');
  expect(followed.view()).toMatchObject({ state: 'training', replay: null });
  expect(followed.states.slice(-2)).toEqual(['replaying', 'training']);
});

test('a folder that is deleted while the run goes on is gone, and one that comes back is found again', async () => {
  const project = projectOf(slow(400));
  start(project);
  const folder = await newRun(project);
  const followed = followRun(folder);
  await until(() => (followed.watcher.view()?.updates ?? 0) >= 3, 'the third update');
  const trainer = project.events().find((event) => event.type === 'started');
  const pid = trainer?.type === 'started' ? trainer.pid : NaN;
  // Stopped meanwhile: it would make the folder anew for its next checkpoint.
  process.kill(pid, 'SIGSTOP');
  const elsewhere = `${project.folder}-moved`;
  renameSync(folder, elsewhere);
  await until(() => followed.state() === 'gone', 'the loss');
  const { updates } = followed.view();
  renameSync(elsewhere, folder);
  process.kill(pid, 'SIGCONT');
  await until(() => followed.state() === 'training', 'its return');
  await until(() => followed.view().updates > updates, 'more updates');
  const { length } = bruteForce(project.events()).updates;
  await until(() => followed.view().updates >= length, 'the same updates');
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  await until(() => followed.state() === 'gone', 'the deletion');
  // What was known of it stays on the page, and nothing is asked of it any more.
  expect(followed.view().updates).toBeGreaterThanOrEqual(length);
  await expect(followed.watcher.request('pause')).resolves.toBeUndefined();
  process.kill(pid, 'SIGKILL');
});

test('asked to stop, it saves and stops', async () => {
  const project = projectOf(slow(400));
  const running = start(project);
  const followed = followRun(await newRun(project));
  await until(() => (followed.watcher.view()?.updates ?? 0) >= 3, 'the third update');
  await followed.watcher.request('stop');
  expect(followed.state()).toBe('stopping');
  await running.end;
  await until(() => followed.state() === 'stopped', 'the stop');
  expect(followed.view().savedUpdate).toBe(followed.view().updates);
  expect(followed.states.slice(-2)).toEqual(['stopping', 'stopped']);
});

describe('a run that fails says why', () => {
  test('in the training, with the place in the script', async () => {
    const callbacks = "{ onBatchEnd: () => { throw new Error('no such thing'); } }";
    const project = projectOf(mlp({ epochs: 2, callbacks }));
    await project.run();
    const followed = followRun(project.runFolder);
    await followed.watcher.look();
    expect(followed.view()).toMatchObject({
      state: 'failed',
      failure: {
        message: expect.stringContaining('no such thing') as string,
        line: expect.any(Number) as number,
      },
    });
    expect(followed.view().failure?.file).toBe(path.join(project.folder, 'train.cjs'));
  });

  test('before it', async () => {
    const project = projectOf("require('@tensorflow/tfjs');\nthrow new Error('no data here');\n");
    await project.run();
    const followed = followRun(project.runFolder);
    await followed.watcher.look();
    expect(followed.state()).toBe('failed');
    const file = path.join(project.folder, 'train.cjs');
    expect(followed.view().failure).toEqual({ message: 'Error: no data here', file, line: 2 });
    expect(followed.view().output).toContain('no data here');
  });
});

describe('what is not a run', () => {
  function emptyFolder(): string {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'batch-planner-watch-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    return folder;
  }

  test('has no view, and is no error', async () => {
    for (const folder of [emptyFolder(), path.join(emptyFolder(), 'missing')]) {
      const { watcher } = followRun(folder);
      await watcher.look();
      expect(watcher.view()).toBeNull();
      expect([...watcher.history.parts(0)]).toEqual([]);
    }
  });

  test('a record that becomes unreadable leaves the last one; another run in the folder replaces all', async () => {
    const project = projectOf(mlp({ epochs: 1 }));
    await project.run();
    const folder = project.runFolder;
    const followed = followRun(folder);
    await followed.watcher.look();
    const view = followed.view();
    const text = project.read(path.relative(project.folder, path.join(folder, 'run.json')));
    writeFileSync(path.join(folder, 'run.json'), text.slice(0, 50));
    await followed.watcher.look();
    expect(followed.view()).toEqual(view);
    const { revision } = followed.watcher.history;
    writeFileSync(path.join(folder, 'run.json'), text.replace(view.startedAt, '2026-01-01T00:00:00.000Z'));
    appendFileSync(path.join(folder, 'events.ndjson'), '{"type":"upd');
    await followed.watcher.look();
    expect(followed.view()).toMatchObject({ startedAt: '2026-01-01T00:00:00.000Z', updates: view.updates });
    expect(followed.watcher.history.revision).toBeGreaterThan(revision);
  });
});
