// Going on with an interrupted training: nothing that was done is done again, and the result is that of one run.
import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mlp, stopsAfter } from '../support/trainScripts';
import { buildTrainProgram, type Project, type TrainProgram } from '../support/trainProgram';

let program: TrainProgram;
beforeAll(async () => {
  program = await buildTrainProgram();
});
afterAll(() => program.remove());

function weightsOf(project: Project): number[] {
  return (JSON.parse(project.read('weights.json')) as number[][]).flat();
}

function largestDifference(a: readonly number[], b: readonly number[]): number {
  expect(a).toHaveLength(b.length);
  return Math.max(...a.map((value, i) => Math.abs(value - (b[i] ?? NaN))));
}

const optimizers = {
  sgd: 'tf.train.sgd(0.1)',
  momentum: 'tf.train.momentum(0.05, 0.9)',
  adagrad: 'tf.train.adagrad(0.1)',
  adadelta: 'tf.train.adadelta(0.5)',
  adam: 'tf.train.adam(0.01)',
  adamax: 'tf.train.adamax(0.01)',
  rmsprop: 'tf.train.rmsprop(0.01, 0.9, 0.5)',
};

describe('a stopped training that is gone on with in a new process', () => {
  test.each(Object.entries(optimizers))(
    '%s: ends with the weights of an uninterrupted one',
    async (_name, optimizer) => {
      const sizes = { targetBatchSize: 32, microbatchSize: 12 };
      // 3 updates an epoch: the 4th is the first of the second epoch.
      const script = mlp({ epochs: 3, optimizer, callbacks: stopsAfter(4) });
      const whole = program.project({ script: mlp({ epochs: 3, optimizer }), ...sizes });
      const project = program.project({ script, ...sizes });
      const [reference, stopped] = await Promise.all([whole.run(), project.run()]);
      expect(reference.code).toBe(0);
      expect(stopped.code).toBe(130);
      expect(existsSync(path.join(project.folder, 'weights.json'))).toBe(false);

      const resumed = await project.run('--resume');
      expect(resumed).toMatchObject({ code: 0, err: '' });
      expect(largestDifference(weightsOf(project), weightsOf(whole))).toBeLessThan(1e-6);
      const done = project.events().flatMap((event) => (event.type === 'update' ? [event.update] : []));
      expect(done).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
      // The script sees all epochs, those of the interrupted process too.
      const [history, referenceHistory] = [project, whole].map(
        (one) =>
          JSON.parse(one.read('history.json')) as { epoch: number[]; loss: number[]; val_loss: number[] },
      );
      expect(history?.epoch).toEqual([0, 1, 2]);
      for (const name of ['loss', 'val_loss'] as const) {
        expect(largestDifference(history?.[name] ?? [], referenceHistory?.[name] ?? [])).toBeLessThan(1e-5);
      }
      expect(project.record()).toMatchObject({ state: 'completed', attempts: 2 });
    },
  );

  test('with shuffling and dropout, in the middle of the first epoch: the result is the same', async () => {
    const layers = 'model.add(tf.layers.dropout({ rate: 0.3 }));';
    const sizes = { targetBatchSize: 32, microbatchSize: 12 };
    const script = mlp({ epochs: 4, shuffle: true, layers, callbacks: stopsAfter(2) });
    const project = program.project({ script, ...sizes });
    expect((await project.run()).code).toBe(130);
    // The reference has the same seed: it goes on from a copy of the interrupted run whose script never stops.
    const seed = project.record().seed;
    const whole = program.project({
      script: mlp({ epochs: 4, shuffle: true, layers, callbacks: stopsAfter(2) }),
      ...sizes,
    });
    writeFileSync(path.join(whole.folder, 'stopped'), '');
    expect((await whole.run('--seed', String(seed))).code).toBe(0);
    expect((await project.run('--resume')).code).toBe(0);
    expect(largestDifference(weightsOf(project), weightsOf(whole))).toBeLessThan(1e-6);
  });

  test('with shuffling, in the middle of a later epoch: the very bits of an uninterrupted one', async () => {
    const layers = 'model.add(tf.layers.dropout({ rate: 0.3 }));';
    const sizes = { targetBatchSize: 32, microbatchSize: 12 };
    const script = mlp({ epochs: 4, shuffle: true, layers, callbacks: stopsAfter(8) });
    const project = program.project({ script, ...sizes });
    const whole = program.project({ script, ...sizes });
    writeFileSync(path.join(whole.folder, 'stopped'), '');
    const ends = await Promise.all([project.run('--seed', '77'), whole.run('--seed', '77')]);
    expect(ends.map(({ code }) => code)).toEqual([130, 0]);
    const resumed = await project.run('--resume');
    expect(resumed).toMatchObject({ code: 0, err: '' });
    expect(resumed.out).not.toContain('Note:');
    expect(weightsOf(project)).toEqual(weightsOf(whole));
    expect(project.read('history.json')).toBe(whole.read('history.json'));
    const done = project.events().flatMap((event) => (event.type === 'update' ? [event.update] : []));
    expect(done).toEqual(Array.from({ length: 12 }, (_, index) => index));
  });

  test.each([
    // Three updates an epoch. After five the third epoch is the next one; after eleven there is none.
    { stop: 5, after: [5, 6, 7, 8, 9, 10], epochs: [2, 2, 2, 3, 3, 3] },
    { stop: 11, after: [11], epochs: [3] },
  ])(
    'with data that is another one at the second start, after $stop updates: said so, and gone on with',
    async ({ stop, after, epochs }) => {
      const script = mlp({ epochs: 4, callbacks: stopsAfter(stop) }).replace(
        'seeded(1)',
        "seeded(fs.existsSync('stopped') ? 2 : 1)",
      );
      const project = program.project({ script, targetBatchSize: 32, microbatchSize: 12 });
      expect((await project.run()).code).toBe(130);
      const resumed = await project.run('--resume');
      expect(resumed).toMatchObject({ code: 0, err: '' });
      expect(resumed.out).toContain('The data of update 1 is not what it was');
      const events = project.events();
      const told = events.slice(events.findIndex(({ type }) => type === 'resumed'));
      const done = told.flatMap((event) => (event.type === 'update' ? [event] : []));
      expect(done.map(({ update }) => update)).toEqual(after);
      expect(done.map(({ epoch }) => epoch)).toEqual(epochs);
    },
  );

  test('with several calls: those that ended are passed over, with their History', async () => {
    const script = (stop: boolean): string =>
      mlp({ epochs: 1 }).replace(
        /const history = await model\.fit[\s\S]*?\}\);/,
        `const all = [];
        for (let i = 0; i < 5; i++) {
          const result = await model.fit(x, y, { epochs: 1, batchSize: 32, shuffle: false, verbose: 0 });
          all.push(result.history.loss[0]);
          if (${String(stop)} && i === 2 && !fs.existsSync('stopped')) { fs.writeFileSync('stopped', ''); throw new Error('a power cut'); }
        }
        const history = { history: { loss: all }, epoch: [] };`,
      );
    const sizes = { targetBatchSize: 32, microbatchSize: 12 };
    const whole = program.project({ script: script(false), ...sizes });
    const project = program.project({ script: script(true), ...sizes });
    const [reference, failed] = await Promise.all([whole.run(), project.run()]);
    expect(reference.code).toBe(0);
    expect(failed.code).toBe(1);
    expect((await project.run('--resume')).code).toBe(0);
    const losses = [project, whole].map(
      (one) => (JSON.parse(one.read('history.json')) as { loss: number[] }).loss,
    );
    expect(largestDifference(losses[0] ?? [], losses[1] ?? [])).toBeLessThan(1e-6);
    expect(largestDifference(weightsOf(project), weightsOf(whole))).toBeLessThan(1e-6);
  });

  test('a script that failed after its training is not trained again', async () => {
    const extra = "if (!fs.existsSync('fixed')) throw new Error('no place to save');";
    const project = program.project({
      script: mlp({ epochs: 2, extra }),
      targetBatchSize: 32,
      microbatchSize: 16,
    });
    expect((await project.run()).code).toBe(1);
    const weights = weightsOf(project);
    writeFileSync(path.join(project.folder, 'fixed'), '');
    expect((await project.run('--resume')).code).toBe(0);
    expect(weightsOf(project)).toEqual(weights);
    expect(project.events().filter(({ type }) => type === 'update')).toHaveLength(6);
  });
});

describe('a damaged run', () => {
  test('the newest checkpoint damaged: told, set aside, the one before is taken', async () => {
    const project = program.project({
      script: mlp({ epochs: 6, callbacks: stopsAfter(14) }),
      targetBatchSize: 32,
      microbatchSize: 16,
    });
    expect((await project.run('--checkpoint-seconds', '0.001')).code).toBe(130);
    const checkpoints = path.join(project.runFolder, 'checkpoints');
    const names = readdirSync(checkpoints).sort();
    expect(names.length).toBeGreaterThanOrEqual(2);
    const newest = path.join(checkpoints, names.at(-1) ?? '', 'model-0.safetensors');
    const bytes = readFileSync(newest);
    bytes[bytes.length - 3] = (bytes[bytes.length - 3] ?? 0) ^ 1;
    writeFileSync(newest, bytes);
    const resumed = await project.run('--resume');
    expect(resumed).toMatchObject({ code: 0, err: '' });
    expect(resumed.out).toContain('cannot be used (model-0.safetensors is damaged: its checksum differs)');
    expect(readdirSync(checkpoints).some((name) => name.startsWith(`damaged-${names.at(-1) ?? ''}`))).toBe(
      true,
    );
    expect(project.record().state).toBe('completed');
  });

  test('a torn line of events: what follows it is read', async () => {
    const project = program.project({
      script: mlp({ epochs: 3, callbacks: stopsAfter(4) }),
      targetBatchSize: 32,
      microbatchSize: 16,
    });
    expect((await project.run()).code).toBe(130);
    const events = path.join(project.runFolder, 'events.ndjson');
    truncateSync(events, readFileSync(events).length - 20);
    expect((await project.run('--resume')).code).toBe(0);
    const lines = readFileSync(events, 'utf8').trim().split('\n');
    const broken = lines.filter((line) => !line.endsWith('}'));
    expect(broken).toHaveLength(1);
    expect(lines.at(-1)).toContain('"completed"');
  });

  test('another model than the one that was trained: said so, nothing lost', async () => {
    const options = { targetBatchSize: 32, microbatchSize: 16 };
    const project = program.project({ script: mlp({ epochs: 3, callbacks: stopsAfter(4) }), ...options });
    expect((await project.run()).code).toBe(130);
    const before = readdirSync(path.join(project.runFolder, 'checkpoints'));
    writeFileSync(
      path.join(project.folder, 'train.cjs'),
      mlp({ epochs: 3 }).replace('units: 12', 'units: 13'),
    );
    const resumed = await project.run('--resume');
    expect(resumed.code).toBe(1);
    expect(resumed.err).toContain('Model "small" is not the one that this run trained');
    expect(readdirSync(path.join(project.runFolder, 'checkpoints'))).toEqual(before);
  });
});

test('without a run to go on with: one sentence, exit code 2', async () => {
  const project = program.project({ script: mlp({ epochs: 1 }), targetBatchSize: 32, microbatchSize: 16 });
  const ended = await project.run('--resume');
  expect(ended).toMatchObject({ code: 2, out: '' });
  expect(ended.err).toMatch(/^There is no run of train\.accumulation\.json to go on with\. [^\n]*\n$/);
});

test('a checkpoint every moment: the last two and the best are kept, whole', async () => {
  const project = program.project({ script: mlp({ epochs: 12 }), targetBatchSize: 32, microbatchSize: 16 });
  expect((await project.run('--checkpoint-seconds', '0.001')).code).toBe(0);
  const checkpoints = path.join(project.runFolder, 'checkpoints');
  const names = readdirSync(checkpoints);
  expect(names.length).toBeGreaterThanOrEqual(2);
  expect(names.length).toBeLessThanOrEqual(3);
  for (const name of names) {
    expect(readdirSync(path.join(checkpoints, name)).sort()).toEqual(['model-0.safetensors', 'state.json']);
  }
});
