// A run folder with any content: its readers pass over what they do not know, never fail on it, and write nothing.
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { newestSound } from '../../src/engine/train/checkpointReader';
import { Control } from '../../src/engine/train/control';
import { RunList } from '../../src/supervise/runs/entryRuns';
import { runPaths, runsFolder } from '../../src/supervise/runs/runFolder';
import { readRunProgress, readRunRecord } from '../../src/supervise/runs/runFolderFiles';
import { readRunEvents } from '../../src/supervise/runs/runFolderTail';
import { RunWatcher } from '../../src/supervise/runs/runWatcher';
import { listRuns } from '../../src/supervise/runs/runsCommand';
import { damagedText, fuzzedJson, fuzzRuns, mutationsOf } from './jsonTexts';

const project = mkdtempSync(path.join(os.tmpdir(), 'batch-planner-runs-'));
const configPath = path.join(project, 'train.accumulation.json');
const paths = runPaths(path.join(runsFolder(project), '2026-11-22T17-05-09-train'));
const checkpoint = path.join(paths.checkpoints, '000001');
afterAll(() => rmSync(project, { recursive: true, force: true }));

const time = '2026-11-22T17:05:09.000Z';
const backend = {
  name: 'cpu',
  version: '4.22.0',
  reason: 'It is asked for.',
  usesGpu: false,
  deviceName: null,
  passedOver: [],
};
const place = { call: 0, epoch: 0, update: 3 };
const record = {
  version: 1,
  name: paths.name,
  entry: path.join(project, 'train.js'),
  configPath,
  config: {
    version: 1,
    entry: 'train.js',
    backend: 'cpu',
    targetBatchSize: 8,
    microbatchSize: 4,
    training: { kind: 'script', arguments: [], folder: '.' },
  },
  startedAt: time,
  endedAt: null,
  state: 'training',
  supervisorPid: 1,
  microbatchSize: 4,
  targetBatchSize: 8,
  backend,
  device: { name: 'A GPU', memoryTotalBytes: 8e9 },
  nodeVersion: '20.0.0',
  productVersion: '0.1.0',
  seed: 1,
  attempts: 1,
};
const events = [
  { type: 'started', time, pid: 2, attempt: 1, backend, tfjsVersion: '4.22.0', nodeVersion: '20.0.0' },
  {
    type: 'call',
    time,
    call: 0,
    method: 'fit',
    modelName: 'm',
    targetBatchSize: 8,
    microbatchSize: 4,
    examples: 64,
    epochs: 2,
    updatesPerEpoch: 8,
    passThrough: null,
  },
  {
    type: 'update',
    time,
    ...place,
    examples: 8,
    microbatches: 2,
    ms: 5,
    loss: 0.5,
    metrics: { acc: 0.5 },
    memoryBytes: 1e6,
  },
  { type: 'epoch', time, call: 0, epoch: 0, logs: { loss: 0.5 }, ms: 50 },
  { type: 'paused', time, ...place },
  { type: 'checkpoint', time, ...place, path: 'checkpoints/000001', ms: 3, best: true },
];
const state = {
  version: 1,
  time,
  position: { call: 0, epoch: 0, update: 3, updateOfEpoch: 3, callEnded: false },
  seed: 1,
  random: [1, 2, 3, 4],
  epochRandom: [1, 2, 3, 4],
  monitored: null,
  models: [{ index: 0, name: 'm', file: 'model-0.safetensors', bytes: 8, sha256: 'a'.repeat(64) }],
};
const keys = [
  ...Object.keys(record),
  ...events.flatMap((event) => Object.keys(event)),
  ...Object.keys(state),
];

const lines = fc
  .array(
    fc.oneof(
      ...events.map((event) => damagedText(mutationsOf(event))),
      ...events.map((event) => fc.constant(JSON.stringify(event))),
    ),
    {
      maxLength: 12,
    },
  )
  .map((each) => each.join('\n') + '\n');
/** With a checksum that holds, so that what is behind it is looked at. */
const states = mutationsOf(state).map((changed) => {
  const sha256 = createHash('sha256')
    .update(JSON.stringify(changed) ?? '')
    .digest('hex');
  return JSON.stringify({ sha256, state: changed });
});

/** Missing, an arbitrary text, or a sound one that was changed. */
const files = fc.record(
  {
    'run.json': fuzzedJson(record, keys),
    'events.ndjson': fc.oneof(lines, fuzzedJson(events, keys)),
    'progress.json': fuzzedJson({ ...place, microbatch: 1, of: 4 }, keys),
    'control.json': fuzzedJson({ request: 'pause' }, ['request']),
    'run.lock': fuzzedJson({ pid: 1, host: os.hostname(), startedAt: 'x' }, ['pid', 'host']),
    'reports.ndjson': fuzzedJson({ type: 'failed', failure: { message: 'x' } }, [
      'type',
      'failure',
      'message',
    ]),
    'trainer.log': fc.string({ unit: 'binary' }),
    'checkpoints/000001/state.json': fc.oneof(states, fuzzedJson({ sha256: '', state }, keys)),
    'checkpoints/000001/model-0.safetensors': fc.oneof(
      fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
      fuzzedJson({ x: { dtype: 'F32', shape: [2], data_offsets: [0, 8] } }, [
        'dtype',
        'shape',
        'data_offsets',
      ]),
    ),
  },
  { requiredKeys: ['run.json', 'events.ndjson'] },
);

beforeEach(() => {
  rmSync(project, { recursive: true, force: true });
  mkdirSync(checkpoint, { recursive: true });
});

function write(content: Readonly<Record<string, string | undefined>>): Map<string, string> {
  const written = new Map<string, string>();
  for (const name of readdirSync(paths.folder)) rmSync(path.join(paths.folder, name), { recursive: true });
  mkdirSync(checkpoint, { recursive: true });
  for (const [name, text] of Object.entries(content)) {
    if (text === undefined) continue;
    writeFileSync(path.join(paths.folder, name), text);
    written.set(name, readFileSync(path.join(paths.folder, name), 'latin1'));
  }
  return written;
}

/** Everything that reads a run folder. */
async function readAll(): Promise<void> {
  const checked = await readRunRecord(paths);
  if (checked !== null) expect(checked.version).toBe(1);
  await readRunProgress(paths);
  for (const event of await readRunEvents(paths.events)) expect(event.time).toBeTypeOf('string');
  const watcher = new RunWatcher(paths, {
    onChange: () => JSON.stringify(watcher.view()),
    onError: (error) => {
      throw error;
    },
  });
  await watcher.look();
  for (const part of watcher.history.parts(0, 100)) JSON.stringify(part);
  await watcher.dispose();
  JSON.stringify(await listRuns(project));
  JSON.stringify(await new RunList(configPath).read());
  new Control(paths.control, process.pid).look();
  const { sound, damaged } = newestSound(paths.checkpoints);
  for (const { reason } of damaged) expect(reason).not.toBe('');
  sound?.model(0);
}

test('whatever is in it, everything that reads it goes on, and changes nothing', async () => {
  await fc.assert(
    fc.asyncProperty(files, async (content) => {
      const written = write(content);
      await readAll();
      const there = readdirSync(paths.folder, { recursive: true, encoding: 'utf8' }).sort();
      expect(there).toEqual([...new Set(['checkpoints', 'checkpoints/000001', ...written.keys()])].sort());
      for (const [name, text] of written) {
        expect(readFileSync(path.join(paths.folder, name), 'latin1')).toBe(text);
      }
    }),
    fuzzRuns(150),
  );
  expect(existsSync(configPath)).toBe(false);
  expect(Object.keys(Object.prototype)).toEqual([]);
});

test('a sound folder is read by all of them', async () => {
  write({
    'run.json': JSON.stringify(record),
    'events.ndjson': events.map((event) => JSON.stringify(event)).join('\n') + '\n',
  });
  await readAll();
  expect(await readRunRecord(paths)).not.toBeNull();
  expect((await readRunEvents(paths.events)).map(({ type }) => type)).toEqual(events.map(({ type }) => type));
});

test('links to devices that never end are passed over', async () => {
  for (const name of ['run.json', 'events.ndjson', 'progress.json', 'trainer.log']) {
    symlinkSync('/dev/zero', path.join(paths.folder, name));
  }
  expect(await readRunRecord(paths)).toBeNull();
  expect(await readRunProgress(paths)).toBeNull();
  expect(await readRunEvents(paths.events)).toEqual([]);
  rmSync(paths.record);
  symlinkSync('/dev/zero', paths.reports);
  writeFileSync(paths.record, JSON.stringify({ ...record, state: 'failed' }));
  await readAll();
});
