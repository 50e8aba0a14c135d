// `train --background` and `follow`: a training that outlives its terminal, shown, stopped and told as one that does not.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runEvent, runRecord, type RunEvent, type RunRecord } from '../../src/protocol/runEvents';
import { type Ended, type Running } from '../support/childRun';
import { openCommandProject, type CommandProject } from '../support/commandLine';
import { cliFile } from '../support/planStreamProject';
import { until } from '../support/trainProgram';
import { mlp } from '../support/trainScripts';

let project: CommandProject;
beforeEach(() => {
  project = openCommandProject();
});
afterEach(async () => {
  // What a test that failed left running would train on.
  const left = project.processes();
  for (const pid of left) process.kill(pid, 'SIGKILL');
  await until(() => project.processes().length === 0, 'the end of what was left');
  project.remove();
  expect(left).toEqual([]);
});

const configName = 'train.accumulation.json';
/** What stands before all else: how the run is shown again, and how it is stopped. */
const firstLines = (folder: string): string =>
  `The training goes on when this terminal is closed. See it with: batch-planner follow ${folder}\n` +
  'Ctrl-C here or there stops it after its update and saves.\n';
const ownFolder = '.batch-planner/runs/<run>';
/** An update takes at least this long in a slow script, in ms. */
const updatePause = 60;

const slow = (epochs: number): string =>
  mlp({
    epochs,
    callbacks: `{ onBatchEnd: () => new Promise((go) => setTimeout(go, ${updatePause})) }`,
  });
/** Trains no further than to its second update until it is let go, however long what happens meanwhile takes. */
const held = mlp({
  epochs: 4,
  callbacks: `{ onBatchEnd: async () => {
    globalThis.ended = (globalThis.ended ?? 0) + 1;
    while (globalThis.ended > 2 && !fs.existsSync('go')) await new Promise((go) => setTimeout(go, 20));
  } }`,
});
const letGo = (): unknown => project.write('go', '');
/** The second update never ends. */
const hanging = mlp({
  epochs: 5,
  callbacks: '{ onBatchEnd: (batch) => { if (batch === 1) for (;;); } }',
});
const neverTrains = 'setInterval(() => {}, 1000);\n';

function write(script: string, change: Record<string, unknown> = {}): void {
  project.write('train.cjs', script);
  const config = {
    version: 1,
    entry: 'train.cjs',
    backend: 'cpu',
    targetBatchSize: 32,
    microbatchSize: 16,
    training: { kind: 'script', arguments: [], folder: '.' },
    ...change,
  };
  project.write(configName, JSON.stringify(config));
}

function start(...options: string[]): Running {
  return project.start(['train', configName, '--background', ...options]);
}

function runFolders(): string[] {
  const runs = project.path('.batch-planner/runs');
  return existsSync(runs)
    ? readdirSync(runs)
        .sort()
        .map((name) => path.join(runs, name))
    : [];
}

function file(name: string): string {
  return path.join(runFolders().at(-1) ?? project.path('no-run'), name);
}

function events(): RunEvent[] {
  if (!existsSync(file('events.ndjson'))) return [];
  const lines = readFileSync(file('events.ndjson'), 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => runEvent.parse(JSON.parse(line)));
}

function updates(): number {
  return events().filter(({ type }) => type === 'update').length;
}

function record(): RunRecord {
  return runRecord.parse(JSON.parse(readFileSync(file('run.json'), 'utf8')));
}

function signal({ child }: Running, name: NodeJS.Signals): void {
  // Of a terminal, it goes to the whole group.
  process.kill(-(child.pid ?? NaN), name);
}

function ask(request: string): void {
  writeFileSync(file('control.json'), JSON.stringify({ request }));
}

/** Waits until the run has ended and its processes are gone. */
async function untilEnded(): Promise<void> {
  await until(() => project.processes().length === 0, 'the end of the training');
}

/** What differs from one run to the next. */
function withoutFigures(text: string): string {
  return (
    text
      .replace(/\d+-\d\d-\d\dT[\d-]+-train(-\d+)?/g, '<run>')
      .replace(/[\d.,]+(?: ms| s| m \d+ s)/g, '<duration>')
      .replace(/[\d.,]+ examples\/s/g, '<speed>')
      // An epoch's end is saved where that is cheap.
      .replace(/Saved (?:once|\d+ times) \([\d.,]+ % of the time\)/g, '<saved>')
  );
}

const hasPython = spawnSync('python3', ['-c', 'import pty']).status === 0;

/** Runs a command in a terminal that is closed under it once it trains, as an editor's is. Resolves to its exit code. */
async function inClosedTerminal(...argv: string[]): Promise<string> {
  const closing = [
    'import os, pty, sys',
    'pid, fd = pty.fork()',
    'if pid == 0: os.execvp(sys.argv[1], sys.argv[1:])',
    "seen = b''",
    "while b'On cpu' not in seen: seen += os.read(fd, 65536)",
    'os.close(fd)',
    'print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))',
  ].join('\n');
  const child = spawn('python3', ['-c', closing, process.execPath, cliFile, ...argv], {
    cwd: project.folder,
    env: { ...process.env, NODE_OPTIONS: '', TERM: 'xterm' },
  });
  let code = '';
  child.stdout.on('data', (piece: Buffer) => (code += piece.toString()));
  await new Promise((resolve) => child.once('close', resolve));
  return code.trim();
}

describe('in the background', () => {
  test('a training is shown as one in the foreground is, and ends with its exit code', async () => {
    write(mlp({ epochs: 2 }));
    const foreground = await project.run(['train', configName]);
    const background = await start().end;
    expect(background).toMatchObject({ code: 0, err: '' });
    expect(withoutFigures(background.out)).toBe(firstLines(ownFolder) + withoutFigures(foreground.out));
    expect(record()).toMatchObject({ state: 'completed', attempts: 1 });
    expect(existsSync(file('run.lock'))).toBe(false);
  });

  test('a script that fails is told on stderr, with exit code 1', async () => {
    write(mlp({ epochs: 1, extra: "throw new Error('the disk is gone');" }));
    const foreground = await project.run(['train', configName]);
    const background = await start().end;
    expect(background.code).toBe(1);
    expect(background.err).toContain('the disk is gone');
    expect(withoutFigures(background.err)).toBe(withoutFigures(foreground.err));
    expect(record().state).toBe('failed');
  });

  test.skipIf(process.platform === 'win32').each(['SIGHUP', 'SIGTERM'] as const)(
    '%s ends the showing, and the training goes on to its end',
    async (name) => {
      write(held);
      const running = start();
      await until(() => updates() >= 2, 'the second update');
      signal(running, name);
      const ended = await running.end;
      expect(ended).toMatchObject({ code: 130, signal: null, err: '' });
      expect(ended.out).toContain('The training goes on. See it with: batch-planner follow');
      expect(record().endedAt).toBeNull();
      letGo();
      await untilEnded();
      expect(record().state).toBe('completed');
      expect(updates()).toBe(12);
      expect(JSON.parse(project.read('history.json'))).toMatchObject({ epoch: [0, 1, 2, 3] });
    },
  );

  test('a terminal that is gone does not end the training', async (context) => {
    if (!hasPython) context.skip('there is no Python to make a terminal with');
    write(held);
    const code = await inClosedTerminal('train', configName, '--background');
    expect(code).toBe('130');
    expect(record().endedAt).toBeNull();
    letGo();
    await until(() => record().endedAt !== null, 'the end of the training');
    expect(record().state).toBe('completed');
  });

  test.skipIf(process.platform === 'win32')('Ctrl-C stops after the update, and saves', async () => {
    write(slow(50));
    const running = start();
    await until(() => updates() >= 2, 'the second update');
    signal(running, 'SIGINT');
    const ended = await running.end;
    expect(ended).toMatchObject({ code: 130, err: '' });
    expect(ended.out).toContain('Stopping after this update, and saving. Once more ends at once.');
    expect(ended.out).toMatch(/Stopped after update \d+ \(epoch \d+\); the state is saved\./);
    expect(ended.out).toContain(`Go on with: batch-planner train ${configName} --resume\n`);
    expect(events().at(-1)).toMatchObject({ type: 'ended', how: 'stopped' });

    const done = updates();
    const resumed = start('--resume');
    await until(() => updates() > done, 'an update more');
    signal(resumed, 'SIGINT');
    expect((await resumed.end).out).toContain('Going on from epoch');
    expect(runFolders()).toHaveLength(1);
    expect(record()).toMatchObject({ state: 'stopped', attempts: 2 });
  });

  test.skipIf(process.platform === 'win32')('Ctrl-C twice ends an update that hangs', async () => {
    write(hanging);
    const running = start();
    await until(() => updates() >= 2, 'the second update');
    signal(running, 'SIGINT');
    await sleep(500);
    expect(running.child.exitCode).toBeNull();
    signal(running, 'SIGINT');
    const ended = await running.end;
    expect(ended.code).toBe(130);
    expect(ended.out).toContain('Ended at once, after update 2');
    expect(record().state).toBe('stopped');
  });

  test.skipIf(process.platform === 'win32')('Ctrl-C while the script starts ends it', async () => {
    write(neverTrains);
    const running = start();
    await until(() => running.printed().includes('Training train.cjs'), 'the start');
    signal(running, 'SIGINT');
    const ended = await running.end;
    expect(ended).toMatchObject({ code: 130, err: '' });
    expect(ended.out).toContain('Ended at once, before the first update.');
    expect(record().state).toBe('stopped');
  });

  test('a stop that is asked before the supervisor is there counts', async () => {
    write(neverTrains);
    const running = start();
    await until(() => existsSync(file('control.json')), 'the run folder');
    ask('stop');
    expect(await running.end).toMatchObject({ code: 130, err: '' });
    expect(record().state).toBe('stopped');
  });

  test('a pause that is asked before the first update holds', async () => {
    write(slow(2));
    const running = start();
    await until(() => existsSync(file('control.json')), 'the run folder');
    ask('pause');
    await until(() => events().some(({ type }) => type === 'paused'), 'the pause');
    await sleep(5 * updatePause);
    expect(updates()).toBeLessThanOrEqual(1);
    expect(running.child.exitCode).toBeNull();
    ask('run');
    expect(await running.end).toMatchObject({ code: 0 });
    expect(updates()).toBe(6);
  });

  test('an end that is asked ends an update that hangs', async () => {
    write(hanging);
    const running = start();
    await until(() => updates() >= 2, 'the second update');
    ask('end');
    expect((await running.end).code).toBe(130);
    expect(record().state).toBe('stopped');
  });

  test.skipIf(process.platform === 'win32')('a supervisor that is killed is told', async () => {
    write(slow(50));
    const running = start();
    await until(() => updates() >= 1, 'the first update');
    process.kill(record().supervisorPid, 'SIGKILL');
    const ended = await running.end;
    expect(ended.code).toBe(1);
    expect(ended.err).toMatch(
      /was ended by SIGKILL: .* Go on with: batch-planner train \S+ --resume --run-dir/,
    );
    await untilEnded();
  });
});

describe('in the terminal of an editor', () => {
  const inEditor = (...options: string[]): Running =>
    project.start(['train', configName, '--background', '--in-editor', ...options]);

  test('a stop that was asked for elsewhere is no failure, and what can be done there is told', async () => {
    write(slow(50));
    const running = inEditor();
    await until(() => updates() >= 2, 'the second update');
    ask('stop');
    const ended = await running.end;
    expect(ended).toMatchObject({ code: 0, err: '' });
    expect(ended.out).toMatch(/Stopped after update \d+ \(epoch \d+\); the state is saved\./);
    expect(ended.out).toContain('Go on with the command "Batch Planner: Resume".');
    expect(ended.out).toContain('with the command "Batch Planner: Stop" or with Ctrl-C here.');
    expect(ended.out).not.toContain('batch-planner ');
    expect(record().state).toBe('stopped');
  });

  test.skipIf(process.platform === 'win32')('Ctrl-C in it is told as in any other', async () => {
    write(slow(50));
    const running = inEditor();
    await until(() => updates() >= 2, 'the second update');
    signal(running, 'SIGINT');
    expect(await running.end).toMatchObject({ code: 130, err: '' });
  });

  test('a mistake and a failure keep their exit codes, and name what the editor has', async () => {
    write(mlp({ epochs: 1, extra: "throw new Error('the disk is gone');" }));
    expect(await inEditor().end).toMatchObject({ code: 1 });
    rmSync(project.path(configName));
    const mistake = await inEditor().end;
    expect(mistake.code).toBe(2);
    expect(mistake.err).toContain('with the command "Batch Planner: Plan Batch Size".');
  });
});

test('in the foreground, a terminal that is gone stops the training, which saves', async (context) => {
  if (!hasPython) context.skip('there is no Python to make a terminal with');
  write(slow(50));
  expect(await inClosedTerminal('train', configName)).toBe('130');
  expect(record().state).toBe('stopped');
  expect(events().at(-1)).toMatchObject({ type: 'ended', how: 'stopped' });
});

describe('a mistake is told as in the foreground, and leaves no run folder', () => {
  async function expectSame(...options: string[]): Promise<Ended> {
    const before = runFolders();
    const background = await start(...options).end;
    const left = runFolders();
    const foreground = await project.run(['train', configName, ...options]);
    expect(background).toMatchObject({ code: 2, out: '', err: foreground.err });
    expect(foreground.code).toBe(2);
    expect(left).toEqual(before);
    return background;
  }

  test('in the config', async () => {
    write(neverTrains, { microbatchSize: 64 });
    expect((await expectSame()).err).toContain('"microbatchSize" (64) is larger');
    rmSync(project.path(configName));
    expect((await expectSame()).err).toContain('There is no config');
  });

  test('in the run folder', async () => {
    write(neverTrains);
    expect((await expectSame('--resume')).err).toContain('There is no run of');
    mkdirSync(project.path('mine'));
    writeFileSync(project.path('mine/notes.txt'), '');
    expect((await expectSame('--run-dir', 'mine')).err).toContain('holds other files and no run');
  });

  test('where another training holds it', async () => {
    write(slow(500));
    const running = start('--run-dir', 'mine');
    const log = project.path('mine/events.ndjson');
    await until(() => existsSync(log), 'the training');
    for (const options of [
      ['--run-dir', 'mine'],
      ['--run-dir', 'mine', '--resume'],
    ])
      expect((await expectSame(...options)).err).toContain('is in use by another training');
    writeFileSync(project.path('mine/control.json'), '{"request":"end"}');
    expect((await running.end).code).toBe(130);
    expect((await expectSame('--run-dir', 'mine')).err).toContain('holds a run already');
  });

  test('that only the supervisor meets', async () => {
    // Nothing here runs a file of this kind.
    project.write('train.tsx', '');
    write(neverTrains, { entry: 'train.tsx' });
    project.write('node_modules/tsx/package.json', '{ "name": "tsx", "exports": { "./none": "./none.js" } }');
    for (const options of [[], ['--run-dir', 'mine']]) {
      const ended = await start(...options).end;
      expect(ended.code).toBe(2);
      expect(withoutFigures(ended.out)).toBe(firstLines(options.length === 0 ? ownFolder : 'mine'));
      expect(ended.err).toMatch(/^train\.tsx is TypeScript, which Node [\d.]+ does not run by itself: .*\n$/);
    }
    expect(runFolders()).toEqual([]);
    expect(existsSync(project.path('mine'))).toBe(false);
  });
});

describe('follow', () => {
  test('shows a training that goes on elsewhere, to its end', async () => {
    write(held);
    const running = start();
    await until(() => updates() >= 2, 'the second update');
    const following = project.start(['follow', path.relative(project.folder, file(''))]);
    await until(() => following.printed().includes('stops it after its update'), 'the first lines');
    letGo();
    const followed = await following.end;
    expect(followed).toMatchObject({ code: 0, err: '' });
    expect(withoutFigures(followed.out).startsWith(firstLines(ownFolder))).toBe(true);
    expect(followed.out).toMatch(/epoch 4\/4 · /);
    expect(followed.out).toMatch(/The run \S+ is completed\.\n$/);
    expect((await running.end).code).toBe(0);
    // A run that is over is told so at once.
    expect(await project.run(['follow', file('')])).toMatchObject({ code: 0 });
    expect(await project.run(['follow', path.basename(file(''))])).toMatchObject({ code: 0, err: '' });
  });

  test('of a run whose processes are gone: told with the command that goes on with it, which does', async () => {
    write(held);
    const running = start('--checkpoint-updates', '1');
    await until(() => events().some(({ type }) => type === 'checkpoint'), 'a checkpoint');
    const following = project.start(['follow', file('')]);
    await until(() => following.printed().includes('stops it after its update'), 'the first lines');
    const started = events().findLast((event) => event.type === 'started');
    const pids = [record().supervisorPid, started?.type === 'started' ? started.pid : NaN];
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    await running.end;
    const { code, out } = await following.end;
    expect(code).toBe(1);
    const run = path.relative(project.folder, file(''));
    expect(out).toMatch(/The run \S+ is interrupted\.\n/);
    expect(out.split('Go on with: batch-planner ').slice(1)).toEqual([
      `train ${configName} --resume --run-dir ${run}\n`,
    ]);
    letGo();
    const resumed = await project.run(['train', configName, '--resume', '--run-dir', run]);
    expect(resumed).toMatchObject({ code: 0, err: '' });
    expect(record().state).toBe('completed');
  });

  test('of a run whose folder is deleted, or of none', async () => {
    write(slow(50));
    const running = start();
    await until(() => updates() >= 1, 'the first update');
    const { supervisorPid } = record();
    const following = project.start(['follow', file('')]);
    await until(() => following.printed().includes('stops it after its update'), 'the first lines');
    rmSync(file(''), { recursive: true, force: true });
    expect(await following.end).toMatchObject({ code: 1 });
    process.kill(supervisorPid, 'SIGTERM');
    await running.end;
    await untilEnded();
    const none = await project.run(['follow', 'nothing']);
    expect(none).toMatchObject({ code: 2, out: '' });
    expect(none.err).toMatch(/^There is no run in .*nothing\. See the runs/);
  });
});
