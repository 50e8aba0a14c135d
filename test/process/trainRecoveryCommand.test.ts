// How often to save, on the command line as a user has it: in the foreground, in the background, and mistyped.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { trainJob, type TrainJob } from '../../src/protocol/job';
import { parseRunEvent, type RunEvent } from '../../src/protocol/runEvents';
import { type Ended } from '../support/childRun';
import { openCommandProject, type CommandProject } from '../support/commandLine';
import { mlp, stopsAfter } from '../support/trainScripts';

let project: CommandProject;
beforeEach(() => {
  project = openCommandProject();
  project.write('train.cjs', mlp({ epochs: 2 }));
  const config = {
    version: 1,
    entry: 'train.cjs',
    backend: 'cpu',
    targetBatchSize: 32,
    microbatchSize: 16,
    training: { kind: 'script', arguments: [], folder: '.' },
  };
  project.write('train.accumulation.json', JSON.stringify(config));
});
afterEach(() => project.remove());

function inRunFolder(name: string): string {
  const runs = project.path('.batch-planner/runs');
  return readFileSync(path.join(runs, readdirSync(runs)[0] ?? '', name), 'utf8');
}

function job(): TrainJob {
  return trainJob.parse(JSON.parse(inRunFolder('job.json')));
}

function events(): RunEvent[] {
  return inRunFolder('events.ndjson')
    .split('\n')
    .map(parseRunEvent)
    .filter((event) => event !== null);
}

describe.each([[], ['--background']])('train %j', (...more: string[]) => {
  test('saves after as many updates as it is told, and tells what that took', async () => {
    const intervals = ['--checkpoint-updates', '2', '--checkpoint-seconds', '900'];
    const { code, out, err } = await project.run(['train', 'train.accumulation.json', ...intervals, ...more]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(job()).toMatchObject({ checkpointUpdates: 2, checkpointSeconds: 900 });
    const saved = events().filter(({ type }) => type === 'checkpoint');
    const due = saved.flatMap((event) => (event.type === 'checkpoint' ? [event.update] : []));
    // Three updates an epoch: at the ends of epochs it is saved as well.
    expect(due).toEqual(expect.arrayContaining([2, 5]));
    expect(out).toMatch(new RegExp(`^Saved ${saved.length} times(?: \\([\\d.]+ % of the time\\))?\\.$`, 'm'));
  });
});

test.each([[[]], [['--background']]])(
  'train --resume %j saves as often as was chosen at first, and one number can be changed',
  async (more) => {
    project.write('train.cjs', mlp({ epochs: 4, callbacks: stopsAfter(4) }));
    const train = (...options: string[]): Promise<Ended> =>
      project.run(['train', 'train.accumulation.json', ...options]);
    const chosen = ['--checkpoint-updates', '2', '--checkpoint-seconds', '900'];
    expect((await train(...chosen, ...more)).code).toBe(130);
    const before = events().length;
    expect(await train('--resume', ...more)).toMatchObject({ code: 0, err: '' });
    expect(job()).toMatchObject({ checkpointUpdates: 2, checkpointSeconds: 900 });
    const since = events().slice(before);
    const saved = since.flatMap((event) => (event.type === 'checkpoint' ? [event.update] : []));
    // Three updates an epoch; at the ends of epochs it may be saved as well, and is counted anew from there.
    expect(saved.some((update) => update % 3 !== 0)).toBe(true);

    rmSync(project.path('.batch-planner'), { recursive: true });
    rmSync(project.path('stopped'));
    expect((await train(...chosen, ...more)).code).toBe(130);
    expect((await train('--resume', '--checkpoint-updates', '5', ...more)).code).toBe(0);
    expect(job()).toMatchObject({ checkpointUpdates: 5, checkpointSeconds: 900 });
  },
);

test.each([
  ['--checkpoint-seconds', 'often'],
  ['--checkpoint-seconds', '0'],
  ['--checkpoint-updates', '1.5'],
  ['--checkpoint-updates', '-3'],
])('%s %s: one sentence, exit code 2, nothing made', async (option, value) => {
  const before = project.files();
  const ended = await project.run(['train', 'train.accumulation.json', `${option}=${value}`]);
  expect(ended).toMatchObject({ code: 2, out: '' });
  expect(ended.err).toMatch(
    /^The (?:seconds|updates) between checkpoints, "[^"]*", cannot be used: [^\n]*\n$/,
  );
  expect(project.files()).toEqual(before);
});

test('train --help tells of both', async () => {
  const { out } = await project.run(['train', '--help']);
  expect(out).toContain('--checkpoint-seconds');
  expect(out).toContain('--checkpoint-updates');
});

test('a training that not even one example fits is followed to the same exit code', async () => {
  const failing = `loss: (truth, prediction) => {
    globalThis.losses = (globalThis.losses ?? 0) + 1;
    if (globalThis.losses > 60) throw new Error('OOM when allocating tensor (thrown by the test)');
    return tf.metrics.binaryCrossentropy(truth, prediction);
  }`;
  project.write('train.cjs', mlp({ epochs: 100 }).replace("loss: 'binaryCrossentropy'", failing));
  const trained = await project.run(['train', 'train.accumulation.json']);
  expect(trained.code).toBe(3);
  const [run = ''] = readdirSync(project.path('.batch-planner/runs'));
  const followed = await project.run(['follow', path.join('.batch-planner/runs', run)]);
  expect(followed.code).toBe(3);
});
