// Files of a run that a power cut left torn, empty or full of rubbish: the run is gone on with, to the undisturbed result.
import { appendFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { RunList } from '../../src/supervise/runs/entryRuns';
import { runPaths } from '../../src/supervise/runs/runFolder';
import { RunWatcher } from '../../src/supervise/runs/runWatcher';
import {
  endAll,
  eventsIn,
  expectToComplete,
  savedUpdates,
  useFaultProgram,
  type FaultProject,
} from '../support/faults';
import { until } from '../support/trainProgram';

const epochs = 4;
const faults = useFaultProgram(epochs);

/** A run whose processes were killed after some updates. */
async function killed(runDir: string | null = 'run'): Promise<FaultProject> {
  const fault = faults.project({ runDir });
  // Held there: it is not done before it is killed, however late that is.
  const running = fault.start({ holdAfter: 7 });
  if (runDir === null) await until(() => hasRun(fault), 'the run folder');
  await fault.untilDone(7);
  await endAll(fault, running);
  return fault;
}

function hasRun(fault: FaultProject): boolean {
  try {
    fault.folder = fault.project.runFolder;
    return fault.folder !== '';
  } catch {
    return false;
  }
}

const inFolder = ({ folder }: FaultProject, name: string): string => path.join(folder, name);

describe('events.ndjson', () => {
  const middle = (text: string): number => text.indexOf('\n', text.length / 2) + 1;
  const rubbish = Buffer.from(Array.from({ length: 3000 }, (_, i) => (i * 167 + 13) % 256));

  test.each<[string, (text: Buffer, at: number) => Buffer]>([
    ['a block of zeros over its end', (text) => Buffer.concat([text.subarray(0, -700), Buffer.alloc(4096)])],
    [
      'a block of zeros in the middle',
      (text, at) => Buffer.concat([text.subarray(0, at), Buffer.alloc(4096), text.subarray(at)]),
    ],
    [
      'half a line in the middle',
      (text, at) => Buffer.concat([text.subarray(0, at), text.subarray(0, 60), text.subarray(at)]),
    ],
    ['binary rubbish', (text, at) => Buffer.concat([text.subarray(0, at), rubbish, text.subarray(at)])],
    ['every line twice', (text) => Buffer.from(text.toString().replace(/[^\n]*\n/g, '$&$&'))],
    [
      'a huge line',
      (text, at) =>
        Buffer.concat([
          text.subarray(0, at),
          Buffer.alloc(5 << 20, 'x'),
          Buffer.from('\n'),
          text.subarray(at),
        ]),
    ],
    ['nothing at all', () => Buffer.alloc(0)],
  ])('with %s', async (_what, damage) => {
    const fault = await killed();
    const file = inFolder(fault, 'events.ndjson');
    const text = readFileSync(file);
    writeFileSync(file, damage(text, middle(text.toString('latin1'))));
    const saved = savedUpdates(fault.folder);
    expect(saved).toBeGreaterThanOrEqual(6);
    const ended = await expectToComplete(fault, faults.weights);
    expect(ended.err).toBe('');
    expect(fault.project.record(fault.folder).state).toBe('completed');
    // After the damage only what was not saved is done.
    const told = eventsIn(fault.folder);
    const since = told.slice(told.findLastIndex(({ type }) => type === 'resumed'));
    const done = since.flatMap((event) => (event.type === 'update' ? [event.update] : []));
    expect(done).toEqual(Array.from({ length: fault.updates - saved }, (_, i) => saved + i));
    const watcher = new RunWatcher(runPaths(fault.folder), {
      onChange: () => undefined,
      onError: (error) => {
        throw error;
      },
    });
    await watcher.look();
    expect(watcher.view()).toMatchObject({ state: 'completed' });
    await watcher.dispose();
  });
});

describe('run.json', () => {
  test.each<[string, (text: string) => string | null]>([
    ['half of it', (text) => text.slice(0, text.length / 2)],
    ['empty', () => ''],
    ['zeros', (text) => '\0'.repeat(text.length)],
    ['gone', () => null],
  ])('%s', async (_what, damage) => {
    const fault = await killed(null);
    const file = inFolder(fault, 'run.json');
    const text = damage(readFileSync(file, 'utf8'));
    if (text === null) rmSync(file);
    else writeFileSync(file, text);
    await expectToComplete(fault, faults.weights);
    expect(fault.project.runFolders()).toHaveLength(1);
    expect(fault.project.record()).toMatchObject({ state: 'completed', attempts: 2, seed: 77 });
    expect(await new RunList(fault.project.configPath).read()).toMatchObject([{ state: 'completed' }]);
  });

  test('torn, and the folder named for a new training: refused, nothing is mixed', async () => {
    const fault = await killed();
    writeFileSync(inFolder(fault, 'run.json'), '');
    const before = readFileSync(inFolder(fault, 'events.ndjson'), 'utf8');
    const ended = await fault.run();
    expect(ended).toMatchObject({ code: 2, out: '' });
    expect(ended.err).toContain('holds a run already');
    expect(readFileSync(inFolder(fault, 'events.ndjson'), 'utf8')).toBe(before);
  });
});

describe('a checkpoint', () => {
  const beside = 'another half made beside it';
  const newest = (fault: FaultProject): string => {
    const checkpoints = inFolder(fault, 'checkpoints');
    const names = readdirSync(checkpoints).filter((name) => /^\d+$/.test(name));
    return path.join(checkpoints, names.sort().at(-1) ?? '');
  };

  test.each<[string, (place: string) => void]>([
    ['half a state.json', (place) => halve(path.join(place, 'state.json'))],
    ['an empty state.json', (place) => writeFileSync(path.join(place, 'state.json'), '')],
    ['no state.json', (place) => rmSync(path.join(place, 'state.json'))],
    ['half a model', (place) => halve(path.join(place, 'model-0.safetensors'))],
    ['a file in its place', (place) => (rmSync(place, { recursive: true }), writeFileSync(place, ''))],
    [beside, (place) => writeFileSync(path.join(place, '../.unfinished-9'), '')],
  ])('with %s', async (what, damage) => {
    const fault = await killed();
    const saved = savedUpdates(fault.folder);
    damage(newest(fault));
    // At most one interval older, which is an update: at the end of an epoch it is saved once more.
    expect(savedUpdates(fault.folder)).toBeGreaterThanOrEqual(saved - 1);
    const ended = await expectToComplete(fault, faults.weights);
    expect(ended.err).toBe('');
    if (what !== beside)
      expect(ended.out).toMatch(/Checkpoint \d+ cannot be used \(.*the one before it is taken/);
    expect(readdirSync(inFolder(fault, 'checkpoints')).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  test('none left: begun anew, and said so', async () => {
    const fault = await killed();
    rmSync(inFolder(fault, 'checkpoints'), { recursive: true });
    const ended = await expectToComplete(fault, faults.weights);
    expect(ended.out).toContain('There is no checkpoint to go on from: the training begins anew.');
  });
});

test('rubbish in progress.json, job.json and the reports', async () => {
  const fault = await killed();
  for (const name of ['progress.json', 'job.json', 'reports.ndjson']) {
    writeFileSync(inFolder(fault, name), '\0{"call":-1,');
  }
  appendFileSync(inFolder(fault, 'trainer.log'), Buffer.alloc(5000, 255));
  expect((await expectToComplete(fault, faults.weights)).err).toBe('');
});

function halve(file: string): void {
  const content = readFileSync(file);
  writeFileSync(file, content.subarray(0, content.length / 2));
}
