// Which run `train --resume` goes on with: the one of its config that began last, whatever its folder is called.
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { TrainJob } from '../../../src/protocol/job';
import type { RunRecord } from '../../../src/protocol/runEvents';
import { runPaths, runsFolder, type RunPaths } from '../../../src/supervise/runs/runFolder';
import { writeRunRecord } from '../../../src/supervise/runs/runFolderFiles';
import {
  readTrainingConfig,
  type TrainingConfig,
} from '../../../src/supervise/train/trainingSupervisorConfig';
import { trainingJob } from '../../../src/supervise/train/trainingSupervisorJob';
import { openRun, startedRecord } from '../../../src/supervise/train/trainingSupervisorRun';

let folder = '';
let training: TrainingConfig;
beforeEach(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'batch-planner-resumed-'));
  writeFileSync(path.join(folder, 'train.js'), '');
  const config = path.join(folder, 'train.accumulation.json');
  const script = { kind: 'script', arguments: [], folder: '.' };
  writeFileSync(
    config,
    JSON.stringify({
      version: 1,
      entry: 'train.js',
      backend: null,
      targetBatchSize: 8,
      microbatchSize: 4,
      training: script,
    }),
  );
  training = await readTrainingConfig(config);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A run as its supervisor left it. */
async function run(name: string, day: number, change: Partial<RunRecord> = {}): Promise<RunPaths> {
  const paths = runPaths(path.join(runsFolder(folder), name));
  await mkdir(paths.folder, { recursive: true });
  await writeRunRecord(paths, { ...recordOf(paths, day), ...change });
  return paths;
}

function recordOf(paths: RunPaths, day: number): RunRecord {
  return startedRecord(training, { paths, earlier: null }, { product: '0.0.0', time: at(day), seed: 1 });
}

function at(day: number): Date {
  return new Date(Date.UTC(2026, 10, day));
}

async function resumed(): Promise<string> {
  const { paths, lock } = await openRun(training, { runDir: null, resume: true, time: at(30) });
  await lock.release();
  return paths.name;
}

test('the one that began last, though its name sorts before the others', async () => {
  await run('2026-11-20T10-00-00-train', 20);
  await run('2026-11-03T10-00-00-train', 22);
  await run('renamed by a person', 21);
  expect(await resumed()).toBe('2026-11-03T10-00-00-train');
});

test('of those that began at the same time, the last by name', async () => {
  for (const name of ['a', 'c', 'b']) await run(name, 20);
  expect(await resumed()).toBe('c');
});

test('none of another config', async () => {
  await run('own', 20);
  await run('other', 25, { configPath: path.join(folder, 'other.accumulation.json') });
  expect(await resumed()).toBe('own');
});

test('not one that was torn before it trained, where another one began after it', async () => {
  const torn = await run('torn', 20);
  const job: TrainJob = trainingJob(
    training,
    torn,
    { seed: 1, attempts: 1 },
    {},
    {
      firstMicrobatchSize: 4,
      mayGrow: true,
      recovery: null,
      resumeFrom: null,
    },
  );
  writeFileSync(torn.job, JSON.stringify(job));
  utimesSync(torn.job, at(20), at(20));
  writeFileSync(torn.record, '{"version":1,"na');
  await run('sound', 21);
  expect(await resumed()).toBe('sound');
});
