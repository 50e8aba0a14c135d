// The parts of a watcher: the state that is shown, the script's last lines, how far a training is, and the list of runs.
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { RunEvent, RunRecord } from '../../../src/protocol/runEvents';
import { RunList } from '../../../src/supervise/runs/entryRuns';
import { runPaths, runsFolder } from '../../../src/supervise/runs/runFolder';
import { TrainingProgress } from '../../../src/supervise/runs/trainingProgress';
import { OutputTail } from '../../../src/supervise/runs/runWatcherOutput';
import { stateNow, type StateFacts } from '../../../src/supervise/runs/runWatcherState';
import { runRecordOf } from '../../support/runRecordOf';
import { bruteForce, TrainingStory } from './trainingStory';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function newFolder(): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'batch-planner-runs-'));
  folders.push(folder);
  return folder;
}

test.each<[Partial<StateFacts>, string]>([
  [{ attempt: 0 }, 'starting'],
  [{ isReplaying: true }, 'replaying'],
  [{ isReplaying: true, asked: 'pause' }, 'pausing'],
  [{ isReplaying: true, recorded: 'interrupted' }, 'interrupted'],
  [{}, 'training'],
  [{ asked: 'run' }, 'training'],
  [{ asked: 'pause' }, 'pausing'],
  [{ asked: 'pause', attempt: 0 }, 'pausing'],
  [{ asked: 'pause', isPaused: true }, 'paused'],
  [{ isPaused: true }, 'paused'],
  [{ asked: 'run', isPaused: true }, 'resuming'],
  [{ asked: 'stop' }, 'stopping'],
  [{ asked: 'end', isPaused: true }, 'stopping'],
  [{ asked: 'stop', recorded: 'interrupted' }, 'interrupted'],
  // A resumed run was paused before: its new process has not begun to train.
  [{ asked: 'run', isPaused: true, record: runRecordOf({ attempts: 2 }) }, 'starting'],
  [
    { asked: 'stop', recorded: 'stopped', record: runRecordOf({ endedAt: '2026-11-22T18:00:00Z' }) },
    'stopped',
  ],
])('the state of %j is %s', (facts, state) => {
  const usual: StateFacts = {
    record: runRecordOf(),
    recorded: 'training',
    asked: null,
    isPaused: false,
    isReplaying: false,
    attempt: 1,
  };
  expect(stateNow({ ...usual, ...facts })).toBe(state);
});

describe('the last lines of a script', () => {
  async function tailOf(...pieces: (string | Buffer)[]): Promise<string> {
    const file = path.join(newFolder(), 'trainer.log');
    const tail = new OutputTail(file);
    await tail.read();
    for (const piece of pieces) {
      appendFileSync(file, piece);
      await tail.read();
    }
    return tail.text;
  }

  test('bars as they stand, no colours, no cut letters', async () => {
    const umlaut = Buffer.from('ü');
    expect(await tailOf('a\n\u001B[32m10 %', '\r20 %', '\r')).toBe('a\n20 %');
    expect(await tailOf('a\r\nb\r', '\nc')).toBe('a\nb\nc');
    expect(
      await tailOf(Buffer.concat([Buffer.from('gr'), umlaut.subarray(0, 1)]), umlaut.subarray(1), 'n'),
    ).toBe('grün');
  });

  test('at most 200 lines and 16 KB, whatever is written at once', async () => {
    const lines = Array.from({ length: 5_000 }, (_, index) => `line ${index} ${'x'.repeat(index % 40)}`);
    const text = await tailOf(`${lines.slice(0, 100).join('\n')}\n`, `${lines.slice(100).join('\n')}\n`);
    expect(text).toBe(lines.slice(-200).join('\n'));
    const long = await tailOf(`${'y'.repeat(1_000)}\n`.repeat(300));
    expect(long.split('\n')).toHaveLength(16);
    expect((await tailOf('z'.repeat(200_000))).length).toBe(16_384);
  });
});

describe('how far a training is', () => {
  function progressOf(events: readonly RunEvent[]): TrainingProgress {
    const progress = new TrainingProgress();
    for (const event of events) progress.add(event);
    return progress;
  }

  test('is told at once when it goes on from a checkpoint', () => {
    const events = new TrainingStory(1, 3, 4).tell([
      ...Array<'none'>(5).fill('none'),
      'checkpoint',
      'none',
      'death',
    ]);
    const resumed = events.findIndex(({ type }) => type === 'resumed');
    expect(progressOf(events.slice(0, resumed))).toMatchObject({ epoch: 1, updateOfEpoch: 4 });
    expect(progressOf(events.slice(0, resumed + 1))).toMatchObject({ epoch: 1, updateOfEpoch: 2 });
    expect(progressOf(events.slice(0, resumed + 3))).toMatchObject({ epoch: 1, updateOfEpoch: 3 });
  });

  test('begins at nothing where there is no checkpoint to go on from', () => {
    const events = new TrainingStory(1, 3, 4).tell(['none', 'none', 'none', 'death']);
    const again = events.findLastIndex(({ type }) => type === 'started');
    expect(progressOf(events.slice(0, again + 2))).toMatchObject({ epoch: 0, updateOfEpoch: 0 });
    expect(progressOf(events.slice(0, again + 3))).toMatchObject({ epoch: 0, updateOfEpoch: 1 });
  });
});

describe('what a process that goes on has to go over', () => {
  function replayOf(events: readonly RunEvent[], at?: { call: number; update: number }): unknown {
    const progress = new TrainingProgress();
    for (const event of events) progress.add(event);
    if (at) progress.addProgress({ ...at, epoch: 0, microbatch: 0, of: 1 });
    return progress.replay;
  }
  const lastStart = (events: readonly RunEvent[]): number =>
    events.findLastIndex(({ type }) => type === 'started') + 1;

  test('is what was done before the last checkpoint, in all calls', () => {
    const turns = [...Array<'none'>(16).fill('none'), 'checkpoint', 'none', 'death'] as const;
    const events = new TrainingStory(2, 3, 4).tell(turns);
    const begun = lastStart(events);
    const saved = bruteForce(
      events.slice(
        0,
        events.findLastIndex(({ type }) => type === 'checkpoint'),
      ),
    );
    expect(saved.updates).toHaveLength(17);
    expect(replayOf(events.slice(0, begun - 1))).toBeNull();
    expect(replayOf(events.slice(0, begun))).toEqual({ done: 0, of: 17 });
    expect(replayOf(events.slice(0, begun), { call: 0, update: 4 })).toEqual({ done: 5, of: 17 });
    expect(replayOf(events.slice(0, begun), { call: 1, update: 2 })).toEqual({ done: 15, of: 17 });
    expect(replayOf(events.slice(0, begun + 1), { call: 1, update: 5 })).toBeNull();
  });

  test('is what was gone on from, where the last checkpoint was damaged', () => {
    const turns = ['none', 'checkpoint', 'none', 'checkpoint', 'deathAndDamage', 'death'] as const;
    const events = new TrainingStory(1, 3, 4).tell(turns);
    expect(replayOf(events.slice(0, lastStart(events)))).toEqual({ done: 0, of: 2 });
  });

  test('is nothing in a first process, and where nothing was saved', () => {
    const events = new TrainingStory(1, 3, 4).tell(['none', 'none', 'death', 'none']);
    expect(replayOf(events.slice(0, 1))).toBeNull();
    expect(replayOf(events.slice(0, lastStart(events)))).toBeNull();
  });
});

describe('the runs of a config', () => {
  function addRun(
    configFolder: string,
    name: string,
    facts: Partial<RunRecord>,
    events: readonly RunEvent[],
  ): string {
    const paths = runPaths(path.join(runsFolder(configFolder), name));
    mkdirSync(paths.folder, { recursive: true });
    writeFileSync(paths.record, JSON.stringify(runRecordOf({ name, ...facts })));
    writeFileSync(paths.events, events.map((event) => `${JSON.stringify(event)}\n`).join(''));
    return paths.folder;
  }

  test('are those of this config alone, newest first, and follow what is added and deleted', async () => {
    const folder = newFolder();
    const configPath = path.join(folder, 'train.accumulation.json');
    const endedAt = '2026-11-23T00:00:00Z';
    const story = new TrainingStory(2, 3, 4).tell(['checkpoint', 'none', 'death', 'none', 'deathAndDamage']);
    const facts = { configPath, endedAt, state: 'completed' as const };
    const first = addRun(folder, '2026-11-22T17-00-00-train', facts, story);
    const part = story.slice(0, 9);
    const second = addRun(
      folder,
      '2026-11-23T17-00-00-train',
      { ...facts, startedAt: '2026-11-23T17:00:00Z', state: 'failed' },
      part,
    );
    addRun(
      folder,
      '2026-11-24T17-00-00-other',
      { ...facts, configPath: path.join(folder, 'other.json') },
      story,
    );
    mkdirSync(path.join(runsFolder(folder), '2026-11-25T17-00-00-train'));
    const list = new RunList(configPath);
    const { updates, epochs } = bruteForce(story);
    const whole = { updates: updates.length, epochs: epochs.length };
    expect(await list.read()).toMatchObject([
      {
        name: path.basename(second),
        state: 'failed',
        updates: bruteForce(part).updates.length,
        epochs: null,
      },
      { name: path.basename(first), state: 'completed', ...whole },
    ]);
    const more = story
      .slice(9)
      .map((event) => `${JSON.stringify(event)}\n`)
      .join('');
    appendFileSync(path.join(second, 'events.ndjson'), more.slice(0, 500));
    await list.read();
    appendFileSync(path.join(second, 'events.ndjson'), more.slice(500));
    expect((await list.read())[0]).toMatchObject(whole);
    rmSync(second, { recursive: true });
    expect((await list.read()).map(({ name }) => name)).toEqual([path.basename(first)]);
    expect(await new RunList(path.join(newFolder(), 'train.accumulation.json')).read()).toEqual([]);
  });
});
