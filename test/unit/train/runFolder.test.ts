// The run folder and its lock: names, rights, takeover of a dead process's lock, and readers that survive anything.
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { Control } from '../../../src/engine/train/control';
import type { RunRecord } from '../../../src/protocol/runEvents';
import {
  createRunFolder,
  listRunFolders,
  openRunFolder,
  RunFolderError,
  runName,
  runPaths,
  type RunPaths,
} from '../../../src/supervise/runs/runFolder';
import {
  readRunProgress,
  readRunRecord,
  replaceFile,
  writeControl,
  writeRunRecord,
} from '../../../src/supervise/runs/runFolderFiles';
import { Lines, readRunEvents, RunEventTail } from '../../../src/supervise/runs/runFolderTail';
import { RunLock, RunLockedError, type ProcessFacts } from '../../../src/supervise/runs/runLock';
import { processStartTime } from '../../../src/supervise/runs/runLockProcess';
import { listRuns, runRunsCommand } from '../../../src/supervise/runs/runsCommand';
import { runRecordOf } from '../../support/runRecordOf';

const folders: string[] = [];
function newFolder(): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'batch-planner-run-'));
  folders.push(folder);
  return folder;
}
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const at = new Date(Date.UTC(2026, 10, 22, 17, 5, 9));
const event = (update: number) => ({ type: 'paused', time: at.toISOString(), call: 0, epoch: 0, update });

function record({ name }: RunPaths, change: Partial<RunRecord> = {}): RunRecord {
  return runRecordOf({ name, startedAt: at.toISOString(), microbatchSize: 2, ...change });
}

describe('a run folder', () => {
  test.each([
    ['/a/train.js', '2026-11-22T17-05-09-train'],
    ['/a/übung 1 (neu).mjs', '2026-11-22T17-05-09-übung-1-neu'],
    ['/a/$(rm -rf).ts', '2026-11-22T17-05-09-rm-rf'],
    ['C:\\a:b*?.js', '2026-11-22T17-05-09-C-a-b'],
  ])('of %s is called %s', (entry, name) => {
    expect(runName(at, entry)).toBe(name);
  });

  test('two begun in the same second are two', async () => {
    const config = newFolder();
    const [one, other] = [
      await createRunFolder(config, 'train.js', at),
      await createRunFolder(config, 'train.js', at),
    ];
    expect(other.name).toBe(`${one.name}-2`);
    expect((await listRunFolders(config)).map(({ name }) => name).sort()).toEqual(
      [one.name, other.name].sort(),
    );
    expect(readFileSync(path.join(config, '.batch-planner/.gitignore'), 'utf8')).toBe('*\n');
  });

  test('where a file is in the way is refused with a sentence', async () => {
    const config = newFolder();
    writeFileSync(path.join(config, '.batch-planner'), '');
    await expect(createRunFolder(config, 'train.js', at)).rejects.toThrow(RunFolderError);
    await expect(openRunFolder(path.join(config, '.batch-planner'))).rejects.toThrow(/cannot be written/);
  });

  test('a record, a control file and progress that are torn, missing or rubbish are not there', async () => {
    const paths = runPaths(newFolder());
    expect(await readRunRecord(paths)).toBeNull();
    expect(await readRunProgress(paths)).toBeNull();
    await writeRunRecord(paths, record(paths));
    expect(await readRunRecord(paths)).toEqual(record(paths));
    const text = readFileSync(paths.record, 'utf8');
    for (const length of [0, 1, text.length / 2, text.length - 3]) {
      writeFileSync(paths.record, text.slice(0, length));
      expect(await readRunRecord(paths)).toBeNull();
    }
    writeFileSync(paths.record, JSON.stringify({ ...record(paths), version: 2 }));
    expect(await readRunRecord(paths)).toBeNull();
  });

  test('a file is replaced whole or not at all, and nothing is left beside it', async () => {
    const folder = newFolder();
    const file = path.join(folder, 'run.json');
    await Promise.all(['a', 'b', 'c'].map((letter) => replaceFile(file, letter.repeat(1e5))));
    expect(new Set(readFileSync(file, 'utf8')).size).toBe(1);
    expect(readdirSync(folder)).toEqual(['run.json']);
    await expect(replaceFile(path.join(folder, 'missing/run.json'), '')).rejects.toThrow('ENOENT');
  });
});

describe('events', () => {
  test('come whole, in order, however the writer cuts them, with rubbish passed over', async () => {
    const file = path.join(newFolder(), 'events.ndjson');
    const tail = new RunEventTail(file);
    expect(await tail.read()).toEqual([]);
    const text = `${JSON.stringify(event(0))}\nrubbish {{{\n\n${JSON.stringify({ type: 'unknown' })}\n${JSON.stringify(event(1))}\n`;
    const seen: unknown[] = [];
    for (let start = 0; start < text.length; start += 7) {
      appendFileSync(file, text.slice(start, start + 7));
      seen.push(...(await tail.read()));
    }
    await tail.close();
    expect(seen).toEqual([event(0), event(1)]);
    appendFileSync(file, '{"type":"pau');
    expect(await readRunEvents(file)).toEqual([event(0), event(1)]);
    expect(await readRunEvents(`${file}.missing`)).toEqual([]);
  });

  test('lines are the same whatever the pieces', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (pieces) => {
        const lines = new Lines();
        const all = [...pieces.flatMap((piece) => lines.add(piece)), lines.end()];
        expect(all.join('\n').replaceAll('\r', '')).toBe(pieces.join('').replaceAll('\r', ''));
      }),
    );
  });
});

describe('the lock', () => {
  const processes = (alive: readonly number[], start: Record<number, string> = {}): ProcessFacts => ({
    isAlive: (pid) => alive.includes(pid),
    startTime: (pid) => Promise.resolve(start[pid] ?? 'start'),
  });
  const lockOf = (pid: number, change: object = {}) =>
    JSON.stringify({ pid, startTime: 'start', host: os.hostname(), trainer: null, ...change });

  test('is held once; the second is told by whom, and changes nothing', async () => {
    const file = path.join(newFolder(), 'run.lock');
    const lock = await RunLock.acquire(file, 'folder');
    const text = readFileSync(file, 'utf8');
    await expect(RunLock.acquire(file, 'folder')).rejects.toThrow(RunLockedError);
    await expect(RunLock.acquire(file, 'folder')).rejects.toThrow(`process ${process.pid}`);
    expect(readFileSync(file, 'utf8')).toBe(text);
    await lock.release();
    await (await RunLock.acquire(file, 'folder')).release();
    expect(readdirSync(path.dirname(file))).toEqual([]);
  });

  test.each([
    ['of a dead process', lockOf(999), processes([])],
    ['of a number that is another process now', lockOf(999), processes([999], { 999: 'later' })],
    ['torn by a crash', '{"pid":', processes([999])],
    ['that is empty', '', processes([])],
  ])('%s is taken over', async (_what, text, facts) => {
    const file = path.join(newFolder(), 'run.lock');
    writeFileSync(file, text);
    await (await RunLock.acquire(file, 'folder', facts)).release();
    expect(existsSync(file)).toBe(false);
  });

  test.each([
    [
      'a trainer that outlives its supervisor',
      lockOf(999, { trainer: { pid: 998, startTime: 'start' } }),
      processes([998]),
    ],
    ['another machine', lockOf(999, { host: 'elsewhere' }), processes([])],
    ['a process whose start cannot be told', lockOf(999, { startTime: null }), processes([999])],
  ])('of %s is left alone', async (_what, text, facts) => {
    const file = path.join(newFolder(), 'run.lock');
    writeFileSync(file, text);
    await expect(RunLock.acquire(file, 'folder', facts)).rejects.toThrow(RunLockedError);
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  test('of a dead process, wanted by twenty at once, goes to one', async () => {
    const file = path.join(newFolder(), 'run.lock');
    writeFileSync(file, lockOf(2 ** 30));
    const taken = await Promise.allSettled(Array.from({ length: 20 }, () => RunLock.acquire(file, 'folder')));
    expect(taken.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  test('the start of a process is the same at each look, and null for one that is not there', async (context) => {
    if (process.platform === 'win32') return context.skip('Windows does not tell it');
    expect(await processStartTime(process.pid)).not.toBeNull();
    expect(await processStartTime(process.pid)).toBe(await processStartTime(process.pid));
    expect(await processStartTime(2 ** 30)).toBeNull();
    expect(await processStartTime(process.pid, 'win32')).toBeNull();
  });
});

describe('what is asked of a trainer', () => {
  test('is seen after it was written, not before the pause, and a dead supervisor comes first', async () => {
    const paths = runPaths(newFolder());
    let now = 0;
    let alive = true;
    const control = new Control(
      paths.control,
      1,
      () => now,
      () => alive,
    );
    expect(control.look()).toBe('run');
    await writeControl(paths, 'pause');
    expect(control.look()).toBe('run');
    now += 60;
    expect(control.look()).toBe('pause');
    writeFileSync(paths.control, '{"request":"st');
    now += 60;
    expect(control.look()).toBe('pause');
    await writeControl(paths, 'stop');
    now += 60;
    expect(control.look()).toBe('stop');
    alive = false;
    now += 600;
    expect(control.look()).toBe('leave');
  });
});

describe('the list of runs', () => {
  test('has each with how it ended, newest first; one whose processes are dead is interrupted', async () => {
    const config = newFolder();
    const [first, second, third] = (await Promise.all(
      [0, 1, 2].map((day) => createRunFolder(config, 'train.js', new Date(at.getTime() + day * 86_400_000))),
    )) as [RunPaths, RunPaths, RunPaths];
    await writeRunRecord(first, record(first, { state: 'completed', endedAt: at.toISOString() }));
    await writeRunRecord(second, record(second, { startedAt: '2026-11-23T00:00:00Z' }));
    await writeRunRecord(third, record(third, { startedAt: '2026-11-24T00:00:00Z' }));
    const lock = await RunLock.acquire(third.lock, third.folder);
    // Two calls of two epochs each: figures count per call in the events, and over the whole run in the list.
    const epochs = [0, 1].flatMap((call) =>
      [0, 1].map((epoch) => ({ call, epoch, logs: { loss: 1 - call / 2 - epoch / 10 }, ms: 1 })),
    );
    const lines = epochs.map((each) => JSON.stringify({ type: 'epoch', time: at.toISOString(), ...each }));
    writeFileSync(first.events, `${lines.join('\n')}\n{"type":"upd`);
    const runs = await listRuns(path.dirname(config) === os.tmpdir() ? config : '');
    expect(runs.map(({ state }) => state)).toEqual(['training', 'interrupted', 'completed']);
    expect(runs[2]).toMatchObject({ epochs: 4, updates: null, logs: { loss: 0.4 } });
    await lock.release();
    let out = '';
    const view = { show: () => expect.fail('nothing but JSON is printed') };
    expect(
      await runRunsCommand({
        folder: config,
        json: true,
        out: { write: (text: string) => (out += text) },
        view,
      }),
    ).toBe(0);
    expect((JSON.parse(out) as { version: number; runs: unknown[] }).runs).toHaveLength(3);
  });
});
