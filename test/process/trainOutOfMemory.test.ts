// Memory that runs out while a training runs: the update is done again in smaller parts, and the result is the same.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tensorflowLane } from '../support/lanes';
import { buildTrainProgram, type Project, type TrainProgram } from '../support/trainProgram';

let program: TrainProgram;
beforeAll(async () => {
  program = await buildTrainProgram();
});
afterAll(() => program.remove());

const lane = tensorflowLane();
const missingPrlimit = spawnSync('prlimit', ['--version']).status === 0 ? null : 'there is no prlimit here';

interface Case {
  readonly backend: 'tfjs-node-gpu' | 'wasm';
  readonly tensorflow: string;
  readonly missing: string | null;
  /** Code with a function `before(update)`, which takes memory away before the fourth update. */
  readonly take: string;
  /** As `take`, so that not even one example fits from the fifth update on. */
  readonly takeAll: string;
  /** Values that the loss makes of each step of a sequence, in each of a dozen tensors. */
  readonly width: number;
  /** Steps of the sequences in the fourth update, and in one that is to fail. Elsewhere they have four. */
  readonly longer: number;
  readonly tooLong: number;
}

const cases: Case[] = [
  {
    // A limit of the address space that holds a usual batch, and not one of long sequences: TensorFlow refuses it.
    backend: 'tfjs-node-gpu',
    tensorflow: '@tensorflow/tfjs-node-gpu',
    missing: lane.missing ?? missingPrlimit,
    width: 1 << 14,
    longer: 32,
    tooLong: 2048,
    take: limitBefore(3, 600e6),
    takeAll: limitBefore(4, 450e6),
  },
  {
    // WebAssembly's own 4 GB, filled by something else and given back later.
    backend: 'wasm',
    tensorflow: '@tensorflow/tfjs',
    missing: null,
    width: 1 << 10,
    longer: 4,
    tooLong: 4,
    take: `
const hog = [];
function before(update) {
  if (update === 3) {
    try { for (;;) hog.push(tf.fill([1 << 24], 1)); } catch { /* full but for 64 MB */ }
    try { for (;;) hog.push(tf.fill([1 << 17], 1)); } catch { tf.dispose(hog.splice(-4)); }
  }
  if (update === 8) tf.dispose(hog.splice(0));
}`,
    takeAll: `
const hog = [];
function before(update) {
  if (update !== 4) return;
  for (const size of [1 << 24, 1 << 18, 1 << 12]) {
    try { for (;;) hog.push(tf.fill([size], 1)); } catch { /* full */ }
  }
}`,
  },
];

function limitBefore(first: number, spare: number): string {
  return `
function before(update) {
  if (update !== ${first}) return;
  const [pages] = fs.readFileSync('/proc/self/statm', 'utf8').split(' ');
  const limit = '--as=' + (Number(pages) * 4096 + ${spare}) + ':unlimited';
  require('node:child_process').execFileSync('prlimit', ['--pid', String(process.pid), limit]);
}`;
}

/** Sixteen sequences an update, small as data; what the backward pass keeps of them is large. */
function script(
  { tensorflow, width }: Pick<Case, 'tensorflow' | 'width'>,
  { updates, lengths = {}, before = 'function before() {}' }: ScriptOptions,
): string {
  return `
const fs = require('node:fs');
const tf = require('${tensorflow}');
const wide = tf.ones([1, 1, ${width}]);
const loss = (truth, prediction) => {
  let h = tf.mul(wide, tf.sub(prediction, truth));
  for (let i = 0; i < 5; i++) h = tf.mul(tf.square(h), 0.5);
  return tf.mean(h, [1, 2]);
};
${before}
const lengths = ${JSON.stringify(lengths)};
function* batches() {
  for (let update = 0; update < ${updates}; update++) {
    before(update);
    const xs = tf.tidy(() => {
      const rows = tf.linspace(-1 + update / 50, 1, 16).reshape([16, 1, 1]);
      return rows.mul(tf.ones([1, lengths[update] ?? 4, 1]));
    });
    yield { xs, ys: tf.tidy(() => xs.mul(2)) };
  }
}
async function main() {
  const model = tf.sequential({ layers: [
    tf.layers.dense({ units: 1, inputShape: [null, 1], kernelInitializer: 'ones' }),
  ] });
  model.compile({ optimizer: tf.train.adam(0.01), loss });
  await model.fitDataset(tf.data.generator(batches), { epochs: 1, verbose: 0 });
  fs.writeFileSync('tensors.json', String(tf.memory().numTensors));
  fs.writeFileSync('weights.json', JSON.stringify(model.getWeights().map((w) => [...w.dataSync()])));
}
main();
`;
}

interface ScriptOptions {
  readonly updates: number;
  readonly lengths?: Readonly<Record<number, number>>;
  readonly before?: string;
}

function weightsOf(project: Project): number[] {
  return (JSON.parse(project.read('weights.json')) as number[][]).flat();
}

function updatesOf(project: Project): number[] {
  return project.events().flatMap((event) => (event.type === 'update' ? [event.update] : []));
}

describe.each(cases)('on $backend', { timeout: 180_000 }, (one) => {
  const { backend, missing, longer, tooLong, take, takeAll } = one;
  const open = (options: ScriptOptions, microbatchSize = 16): Project =>
    program.project({ script: script(one, options), backend, targetBatchSize: 16, microbatchSize });

  test('in the fourth update: the same result as with enough memory, and the size grows back', async (context) => {
    if (missing !== null) context.skip(missing);
    const updates = 40;
    const lengths = { 3: longer };
    const whole = open({ updates, lengths });
    expect(await whole.run('--seed', '1')).toMatchObject({ code: 0, err: '' });
    const project = open({ updates, lengths, before: take });
    const ended = await project.run('--seed', '1');
    expect(ended).toMatchObject({ code: 0, err: '' });

    const events = project.events();
    expect(events.find(({ type }) => type === 'outOfMemory')).toMatchObject({ update: 3, microbatch: 16 });
    expect(events.find(({ type }) => type === 'microbatchReduced')).toMatchObject({
      update: 3,
      from: 16,
      to: 8,
    });
    const microbatches = events.flatMap((event) => (event.type === 'update' ? [event.microbatches] : []));
    expect(microbatches.slice(0, 3)).toEqual([1, 1, 1]);
    expect(microbatches[3]).toBeGreaterThan(1);
    expect(microbatches.at(-1)).toBe(1);

    expect(updatesOf(project)).toEqual(updatesOf(whole));
    const [a, b] = [weightsOf(project), weightsOf(whole)];
    expect(Math.max(...a.map((value, i) => Math.abs(value - (b[i] ?? NaN))))).toBeLessThan(1e-5);
    expect(project.read('tensors.json')).toBe(whole.read('tensors.json'));
    // The plan stays as it is; what happened is told.
    expect(JSON.parse(project.read('train.accumulation.json'))).toMatchObject({ microbatchSize: 16 });
    expect(ended.out).toContain('out of memory at microbatch 16');
  });

  test('not even one example fits any more: saved, exit code 3, a plain reason; gone on with later', async (context) => {
    if (missing !== null) context.skip(missing);
    const lengths = { 4: tooLong };
    // TensorFlow waits for seconds before it gives up: two attempts are enough.
    const project = open({ updates: 10, lengths, before: takeAll }, 2);
    const ended = await project.run('--seed', '1');
    expect(ended.code).toBe(3);
    expect(ended.err).toContain('one example at a time');
    expect(project.record()).toMatchObject({ state: 'failed' });
    expect(updatesOf(project)).toEqual([0, 1, 2, 3]);

    writeFileSync(path.join(project.folder, 'train.cjs'), script(one, { updates: 10 }));
    const whole = open({ updates: 10 }, 2);
    expect(await whole.run('--seed', '1')).toMatchObject({ code: 0, err: '' });
    expect(await project.run('--resume')).toMatchObject({ code: 0, err: '' });
    expect(updatesOf(project)).toEqual(updatesOf(whole));
    expect(weightsOf(project)).toEqual(weightsOf(whole));
  });
});
