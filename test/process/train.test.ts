// Real trainings in child processes: what a plain run would have done is done, told in order, and ends as it should.
import { rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { swiftshaderLane, tensorflowLane } from '../support/lanes';
import { mlp } from '../support/trainScripts';
import { buildTrainProgram, type Project, type TrainProgram } from '../support/trainProgram';

interface History {
  loss: number[];
  val_loss: number[];
  acc: number[];
  epoch: number[];
}

let program: TrainProgram;
beforeAll(async () => {
  program = await buildTrainProgram();
});
afterAll(() => program.remove());

/** The History that the script wrote; the file is removed, so that the next one cannot be taken for it. */
function takeHistory(project: Project): History {
  const history = JSON.parse(project.read('history.json')) as History;
  rmSync(path.join(project.folder, 'history.json'));
  return history;
}

function expectSameHistory(history: History, reference: History): void {
  expect(history.epoch).toEqual(reference.epoch);
  for (const name of ['loss', 'val_loss', 'acc'] as const) {
    expect(history[name]).toHaveLength(reference[name].length);
    history[name].forEach((value, i) => expect(value).toBeCloseTo(reference[name][i] ?? NaN, 5));
  }
}

describe('a training', () => {
  test('gives the History, the files and the exit code of the plain script, and tells each update in order', async () => {
    const project = program.project({ script: mlp({ epochs: 3 }), targetBatchSize: 32, microbatchSize: 10 });
    expect((await project.plain()).code).toBe(0);
    const reference = takeHistory(project);

    const ended = await project.run();
    expect(ended).toMatchObject({ err: '', code: 0 });
    expectSameHistory(takeHistory(project), reference);
    const events = project.events();
    expect(events[0]?.type).toBe('started');
    expect(events.at(-1)).toMatchObject({ type: 'ended', how: 'completed', exitCode: 0 });
    const updates = events.filter((event) => event.type === 'update');
    // 100 rows, a fifth of them kept for validation: 32 + 32 + 16.
    expect(
      updates.map(({ update, epoch, examples, microbatches }) => [update, epoch, examples, microbatches]),
    ).toEqual(
      [0, 1, 2].flatMap((epoch) => [
        [epoch * 3, epoch, 32, 4],
        [epoch * 3 + 1, epoch, 32, 4],
        [epoch * 3 + 2, epoch, 16, 2],
      ]),
    );
    expect(updates.every(({ memoryBytes, loss }) => (memoryBytes ?? 0) > 0 && Number.isFinite(loss))).toBe(
      true,
    );
    expect(events.filter(({ type }) => type === 'epoch')).toHaveLength(3);
    expect(events.filter(({ type }) => type === 'callEnded')).toHaveLength(1);
    expect(project.record()).toMatchObject({
      state: 'completed',
      attempts: 1,
      microbatchSize: 10,
      targetBatchSize: 32,
    });
    // What the script printed is in the log and above the progress; tfjs's advice is only in the log.
    expect(ended.out).toContain('the model is saved\n');
    expect(ended.out).not.toContain('Hi, looks like');
    expect(ended.out).toMatch(/epoch 3\/3 · loss \d/);
    expect(ended.out).toContain('Done in ');
  });

  test('leaves a run folder that only its owner can read, kept out of commits', async () => {
    const project = program.project({ script: mlp({ epochs: 1 }), targetBatchSize: 32, microbatchSize: 32 });
    await project.run();
    expect(project.read('.batch-planner/.gitignore')).toBe('*\n');
    if (process.platform !== 'win32') expect(statSync(project.runFolder).mode & 0o777).toBe(0o700);
  });

  test('on real TensorFlow gives the History of the plain script', async (context) => {
    const { missing } = tensorflowLane();
    if (missing !== undefined) return context.skip(missing);
    const project = program.project({
      script: mlp({ epochs: 2, tensorflow: '@tensorflow/tfjs-node-gpu' }).replace('verbose: 0', 'verbose: 1'),
      backend: 'tfjs-node-gpu',
      targetBatchSize: 32,
      microbatchSize: 12,
    });
    expect((await project.plain()).code).toBe(0);
    const reference = takeHistory(project);
    const ended = await project.run();
    expect(ended).toMatchObject({ err: '', code: 0 });
    expectSameHistory(takeHistory(project), reference);
    expect(project.events()[0]).toMatchObject({ type: 'started', backend: { name: 'tfjs-node-gpu' } });
    // tfjs-node's own progress is in the log; on the screen ours stands for it.
    expect(project.read(path.relative(project.folder, path.join(project.runFolder, 'trainer.log')))).toMatch(
      /us\/step/,
    );
    expect(ended.out).not.toMatch(/us\/step/);
  });

  test('on WebGPU tells the figures, which are read behind the training, in order, and saves', async (context) => {
    const lane = swiftshaderLane();
    if (lane.missing !== undefined) return context.skip(lane.missing);
    // The script reads its weights at once, which WebGPU cannot do in Node.
    const script = mlp({ epochs: 2 }).replace(/ {2}fs\.writeFileSync\('weights.json'.*\n/, '');
    const project = program.project({ script, backend: 'webgpu', targetBatchSize: 32, microbatchSize: 12 });
    const ended = await project.start('--checkpoint-seconds', '0.001').end;
    expect(ended).toMatchObject({ err: '', code: 0 });
    const events = project.events();
    expect(events.flatMap((event) => (event.type === 'update' ? [event.update] : []))).toEqual([
      0, 1, 2, 3, 4, 5,
    ]);
    expect(events.every((event) => event.type !== 'update' || Number.isFinite(event.loss))).toBe(true);
    expect(events.findIndex(({ type }) => type === 'epoch')).toBeGreaterThan(
      events.findIndex((event) => event.type === 'update' && event.update === 2),
    );
    expect(events.some(({ type }) => type === 'checkpoint')).toBe(true);
    expect(events.at(-1)).toMatchObject({ type: 'ended', how: 'completed' });
  });

  test('tells a loss that is not a number once, and goes on', async () => {
    const script = mlp({ epochs: 3, optimizer: 'tf.train.sgd(0.1)' }).replace(
      'const y = ',
      'const nan = tf.fill([100, 1], NaN); const y = nan; const unused = ',
    );
    const project = program.project({ script, targetBatchSize: 40, microbatchSize: 20 });
    const ended = await project.run();
    expect(ended.code).toBe(0);
    const events = project.events();
    expect(events.filter((event) => event.type === 'update')).toHaveLength(6);
    expect(events.filter((event) => event.type === 'update' && event.loss !== null)).toHaveLength(0);
    const warnings = events.flatMap((event) => (event.type === 'warning' ? [event.warning.message] : []));
    expect(warnings.filter((message) => message.includes('not a finite number'))).toHaveLength(1);
  });

  test('warns of a model that was not planned, and of one that changed since', async () => {
    const measured = { fingerprint: 'of another model' };
    const project = program.project({ script: mlp({ epochs: 1 }), targetBatchSize: 32, microbatchSize: 16 });
    const config = JSON.parse(project.read('train.accumulation.json')) as Record<string, unknown>;
    writeFileSync(
      project.configPath,
      JSON.stringify({
        ...config,
        measured: {
          plannedAt: '2026-01-01T00:00:00Z',
          productVersion: '0.0.0',
          nodeVersion: '20.0.0',
          tfjsVersion: '4.22.0',
          backend: { name: 'cpu', version: '4.22.0' },
          device: null,
          budgetBytes: null,
          objective: 'largest',
          largestMicrobatch: 16,
          proof: 'cap',
          memory: null,
          trials: [],
          exactness: null,
          warnings: [],
          ...measured,
        },
      }),
    );
    const ended = await project.run();
    expect(ended).toMatchObject({ err: '', code: 0 });
    const codes = project.events().flatMap((event) => (event.type === 'warning' ? [event.warning.code] : []));
    expect(codes).toEqual(['planOutdated']);
    expect(ended.out).toContain('is not as it was when the plan was made');
  });
});

describe('a script that fails', () => {
  test('after training: its own file and line, exit code 1, and how to go on without training again', async () => {
    const script = mlp({ epochs: 2, extra: "throw new Error('cannot save');" });
    const project = program.project({ script, targetBatchSize: 32, microbatchSize: 16 });
    const line = script.split('\n').findIndex((text) => text.includes('cannot save')) + 1;
    const ended = await project.run();
    expect(ended.code).toBe(1);
    expect(ended.err).toContain(`${path.join(project.folder, 'train.cjs')}:${line}: Error: cannot save`);
    expect(ended.err).toContain('Go on with: batch-planner train train.accumulation.json --resume');
    expect(project.record()).toMatchObject({ state: 'failed' });
    expect(project.events().at(-1)).toMatchObject({ type: 'ended', how: 'failed', failure: { line } });
  });

  test('by its exit code', async () => {
    const project = program.project({
      script: mlp({ epochs: 1, extra: 'process.exit(7);' }),
      targetBatchSize: 32,
      microbatchSize: 16,
    });
    const ended = await project.run();
    expect(ended.code).toBe(1);
    expect(ended.err).toContain('exit code 7');
  });

  test('by a syntax error: its own file and line', async () => {
    const project = program.project({ script: '\n\nconst a = ;\n', targetBatchSize: 32, microbatchSize: 16 });
    const ended = await project.run();
    expect(ended.code).toBe(1);
    expect(ended.err).toContain(`${path.join(project.folder, 'train.cjs')}:3`);
  });

  test('by never training', async () => {
    const project = program.project({
      script: "console.log('hello');",
      targetBatchSize: 32,
      microbatchSize: 16,
    });
    const ended = await project.run();
    expect(ended.code).toBe(1);
    expect(ended.err).toContain('it never called fit, fitDataset or trainOnBatch');
    expect(project.record().state).toBe('failed');
  });

  test('by a crash of its process', async () => {
    const project = program.project({
      script: mlp({
        epochs: 5,
        callbacks: "{ onEpochEnd: (e) => { if (e === 1) process.kill(process.pid, 'SIGSEGV'); } }",
      }),
      targetBatchSize: 32,
      microbatchSize: 16,
    });
    const ended = await project.run();
    expect(ended.code).toBe(1);
    expect(ended.err).toContain('SIGSEGV');
    expect(ended.err).toMatch(/after update \d+ \(epoch 2\)/);
    expect(project.record().state).toBe('failed');
  });
});

describe('a config that cannot be used', () => {
  test.each([
    ['{ "version": 1, "entry": "train.cjs" ', /:1:\d+: A closing brace/],
    ['{ "version": 99 }', /newer version/],
  ])('%s: file, line, column and a sentence, exit code 2, nothing made', async (text, message) => {
    const project = program.project({ script: '', targetBatchSize: 1, microbatchSize: 1 });
    writeFileSync(project.configPath, text);
    const ended = await project.run();
    expect(ended.code).toBe(2);
    expect(ended.err).toContain(project.configPath);
    expect(ended.err).toMatch(message);
    expect(() => project.runFolders()).toThrow('ENOENT');
  });

  test('whose entry is not there', async () => {
    const project = program.project({ script: '', targetBatchSize: 1, microbatchSize: 1 });
    rmSync(path.join(project.folder, 'train.cjs'));
    const ended = await project.run();
    expect(ended.code).toBe(2);
    expect(ended.err).toContain('There is no file');
    expect(() => project.runFolders()).toThrow('ENOENT');
  });

  test('that is not there', async () => {
    const project = program.project({ script: '', targetBatchSize: 1, microbatchSize: 1 });
    rmSync(project.configPath);
    const ended = await project.run();
    expect(ended).toMatchObject({ code: 2 });
    expect(ended.err).toMatch(/^There is no config .*\n$/);
  });
});
