// A training of 10,000 updates: it takes no more memory at its end than after its warm-up, and its run is read whole.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runPaths } from '../../src/supervise/runs/runFolder';
import { RunWatcher } from '../../src/supervise/runs/runWatcher';
import { tensorflowLane } from '../support/lanes';
import { buildTrainProgram, type Project, type TrainProgram } from '../support/trainProgram';

let program: TrainProgram;
beforeAll(async () => {
  program = await buildTrainProgram();
});
afterAll(() => program.remove());

const updates = 10_000;
const epochs = 20;
const batch = 4;
/** Updates between two looks at the memory. */
const pause = 500;
/** By then everything is compiled, and the backend's pools are as large as they will be. */
const warmUp = 2_000;

/**
 * A model of three weights, so that 10,000 updates take seconds and anything that is kept of one shows. It looks at its
 * memory at every 500th update, after collecting what is garbage.
 */
function script(tensorflow: string): string {
  return `
const fs = require('node:fs');
const tf = require('${tensorflow}');
require('node:v8').setFlagsFromString('--expose-gc');
const collect = require('node:vm').runInNewContext('gc');
const supervisor = () => {
  const file = '/proc/' + process.ppid + '/status';
  return fs.existsSync(file) ? Number(/VmRSS:\\s*(\\d+)/.exec(fs.readFileSync(file, 'utf8'))[1]) * 1024 : 0;
};
async function main() {
  const x = tf.randomUniform([${(updates / epochs) * batch}, 2]);
  const y = tf.tidy(() => x.sum(1, true));
  const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });
  model.compile({ optimizer: tf.train.adam(0.001), loss: 'meanSquaredError', metrics: ['mae'] });
  const looks = [];
  let done = 0;
  const look = async () => {
    if (++done % ${pause} !== 0) return;
    // Twice, with a turn of the loop between them: finalizers run in one of their own.
    collect();
    await new Promise((resolve) => setTimeout(resolve, 20));
    collect();
    const { numTensors, numBytes } = tf.memory();
    const { heapUsed, rss } = process.memoryUsage();
    looks.push({ done, numTensors, numBytes, heapUsed, rss, supervisor: supervisor() });
  };
  await model.fit(x, y, {
    epochs: ${epochs}, batchSize: ${batch}, validationData: [x.slice([0, 0], [8, 2]), y.slice([0, 0], [8, 1])],
    verbose: 0, callbacks: { onBatchEnd: look },
  });
  fs.writeFileSync('looks.json', JSON.stringify(looks));
}
main();
`;
}

/** What is in use after an update; the tensors' number, all else in bytes. */
interface Look {
  readonly done: number;
  readonly numTensors: number;
  readonly numBytes: number;
  readonly heapUsed: number;
  readonly rss: number;
  readonly supervisor: number;
}

/** The looks after the warm-up. */
function looksOf(project: Project): Look[] {
  const looks = JSON.parse(project.read('looks.json')) as Look[];
  expect(looks).toHaveLength(updates / pause);
  return looks.filter(({ done }) => done > warmUp);
}

/** From the median of the first half of the looks to that of the second: over 4,000 updates. */
function growth(looks: readonly Look[], what: 'heapUsed' | 'rss' | 'supervisor'): number {
  const half = looks.length / 2;
  const median = (part: readonly Look[]): number =>
    part.map((look) => look[what]).sort((a, b) => a - b)[Math.floor(part.length / 2)] ?? NaN;
  return median(looks.slice(half)) - median(looks.slice(0, half));
}

/** About 125 bytes an update: an event that was kept would be more. Garbage is collected before each look. */
const heapNoise = 500_000;
/**
 * An allocator gives pages back as it likes, and the supervisor collects its garbage when it likes: single looks at the
 * plain script differ by as much.
 */
const residentNoise = 16_000_000;
/** Most bytes of the events for each update; one of them has at most ten figures of twenty letters, and its names. */
const bytesAnUpdate = 400;

const backends = [
  { backend: 'cpu', tensorflow: '@tensorflow/tfjs', missing: undefined },
  {
    backend: 'tfjs-node-gpu',
    tensorflow: '@tensorflow/tfjs-node-gpu',
    missing: tensorflowLane().missing,
  },
] as const;

describe.each(backends)('10,000 updates on $backend', ({ backend, tensorflow, missing }) => {
  const why = missing === undefined ? '' : ` (${missing})`;

  test.skipIf(missing !== undefined)(
    `memory stays what it is after the warm-up, and the events are read as they were written${why}`,
    { timeout: 900_000 },
    async () => {
      const project = program.project({
        script: script(tensorflow),
        backend,
        targetBatchSize: batch,
        microbatchSize: batch / 2,
      });
      expect(await project.run('--checkpoint-seconds', '2')).toMatchObject({ code: 0, err: '' });
      const looks = looksOf(project);
      expect(await project.plain()).toMatchObject({ code: 0 });
      const plain = looksOf(project);

      // tfjs keeps the logs of each epoch for its History, as it does without the product; nothing else may stay.
      const kept = ({ numTensors, numBytes }: Look): [number, number] => [numTensors, numBytes];
      const extra = (of: readonly Look[], first = of[0]): number[][] =>
        of.map((look) => kept(look).map((value, index) => value - (first ? (kept(first)[index] ?? 0) : 0)));
      expect(extra(looks)).toEqual(extra(plain));
      expect(growth(looks, 'heapUsed') - growth(plain, 'heapUsed')).toBeLessThan(heapNoise);
      expect(growth(looks, 'rss') - Math.max(0, growth(plain, 'rss'))).toBeLessThan(residentNoise);
      expect(growth(looks, 'supervisor')).toBeLessThan(residentNoise);

      await expectEvents(project);
    },
  );
});

async function expectEvents(project: Project): Promise<void> {
  const lines = readFileSync(path.join(project.runFolder, 'events.ndjson'), 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  const values = lines.map((line) => JSON.parse(line) as { type: string; loss: number });
  const done = values.filter(({ type }) => type === 'update');
  expect(done).toHaveLength(updates);
  // Checkpoints were written all along, so that what they cost is in the figures above.
  expect(values.filter(({ type }) => type === 'checkpoint').length).toBeGreaterThan(5);

  const bytes = lines.map((line) => Buffer.byteLength(line) + 1);
  const sum = (from: number, to: number): number =>
    bytes.slice(from, to).reduce((all, each) => all + each, 0);
  expect(sum(0, bytes.length) / updates).toBeLessThan(bytesAnUpdate);
  expect(sum(-1_000 + bytes.length, bytes.length) / sum(0, 1_000)).toBeLessThan(1.2);

  const watcher = new RunWatcher(runPaths(project.runFolder), { onChange: () => undefined });
  try {
    await watcher.look();
    const points = [...watcher.history.parts(0)].flatMap((part) => part.points.loss);
    expect(points).toEqual(done.map(({ loss }) => loss));
    expect(watcher.history.epochs).toHaveLength(epochs);
    expect(watcher.view()).toMatchObject({ state: 'completed' });
  } finally {
    await watcher.dispose();
  }
}
