// model.json entries in real child processes: measured and trained by the same hook as a script, and mistakes told.
import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadModel } from '../../src/engine/model/modelLoader';
import type { MeasureJob } from '../../src/protocol/job';
import { modelTraining, type ModelTrainingText } from '../../src/planning/modelTraining';
import { engineReport, type EngineReport } from '../../src/protocol/report';
import { scriptCommand } from '../../src/supervise/scriptCommand';
import { tensorflowLane } from '../support/lanes';
import { buildTrainProgram, type Project, type TrainProgram } from '../support/trainProgram';
import { saveAs, weightsOf } from '../unit/model/savedModels';

const examples = path.resolve(import.meta.dirname, '../../media/examples');
let program: TrainProgram;
beforeAll(async () => {
  await tf.setBackend('cpu');
  program = await buildTrainProgram();
});
afterAll(() => program.remove());

const rows = Array.from({ length: 22 }, (_, i) => [i / 20, Math.cos(i), (i * 5) % 7, i % 3]);

function classifier(): tf.Sequential {
  const model = tf.sequential({ name: 'classifier' });
  model.add(tf.layers.dense({ units: 6, inputShape: [3], activation: 'tanh', name: 'hidden' }));
  model.add(tf.layers.dense({ units: 3, activation: 'softmax', name: 'kind' }));
  return model;
}

/** A project with a model.json entry (saved as `entry/model.json`) and data. */
async function project(
  model: tf.LayersModel,
  training: Omit<ModelTrainingText, 'kind'>,
  backend: 'cpu' | 'wasm' = 'cpu',
): Promise<Project> {
  const made = program.project({
    script: '',
    scriptName: 'unused.cjs',
    backend,
    targetBatchSize: 8,
    microbatchSize: 3,
    config: { entry: 'entry/model.json', training: { kind: 'model', ...training } },
  });
  await saveAs(path.join(made.folder, 'entry'), model);
  writeFileSync(path.join(made.folder, 'data.csv'), rows.map((row) => row.join()).join('\n'));
  return made;
}

const csv = { format: 'csv' as const, files: ['data.csv'], targets: [{ columns: [-1] }] };
const plainOrder: Omit<ModelTrainingText, 'kind'> = {
  data: csv,
  epochs: 2,
  shuffle: false,
  optimizer: { name: 'adam', learningRate: 0.05 },
};

describe('training', () => {
  for (const backend of ['cpu', 'wasm'] as const) {
    test(`on ${backend} in microbatches of 3 gives the weights of a plain fit with batches of 8`, async () => {
      const reference = classifier();
      const made = await project(reference, plainOrder, backend);
      const ended = await made.run();
      expect(ended.code, ended.out + ended.err).toBe(0);
      reference.compile({ optimizer: tf.train.adam(0.05), loss: 'categoricalCrossentropy' });
      const x = tf.tensor2d(rows.map((row) => row.slice(0, 3)));
      const y = tf
        .oneHot(
          rows.map((row) => row[3] ?? 0),
          3,
        )
        .toFloat();
      await reference.fit(x, y, { epochs: 2, batchSize: 8, shuffle: false, verbose: 0 });
      const { model } = await loadModel(tf, path.join(made.folder, 'trained/model.json'));
      const expected = weightsOf(reference);
      weightsOf(model).forEach((one, i) =>
        one.forEach((value, j) => expect(Math.abs(value - (expected[i]?.[j] ?? NaN))).toBeLessThan(1e-5)),
      );
      const updates = made.events().filter((event) => event.type === 'update');
      // 22 rows: 8 + 8 + 6, each in parts of at most 3.
      expect(updates.map(({ examples: count, microbatches }) => [count, microbatches])).toEqual([
        [8, 3],
        [8, 3],
        [6, 2],
        [8, 3],
        [8, 3],
        [6, 2],
      ]);
    });
  }

  test('a mistake in the data ends it with code 1 and names file and line', async () => {
    const made = await project(classifier(), plainOrder);
    writeFileSync(path.join(made.folder, 'data.csv'), '1,2,3,0\n1,2,three,1\n');
    const ended = await made.run();
    expect(ended.code).toBe(1);
    expect(ended.out + ended.err).toMatch(/data\.csv, line 2: column 2 is "three", not a number/);
    // One sentence: no stack of the product's own files.
    expect(ended.out + ended.err).not.toMatch(/modelEntry\.cjs|node:internal/);
    expect(made.record().state).toBe('failed');
  });

  test('truncated weights end it with code 1 and tell expected and found bytes', async () => {
    const made = await project(classifier(), plainOrder);
    truncateSync(path.join(made.folder, 'entry/weights.bin'), 100);
    const ended = await made.run();
    expect(ended.code).toBe(1);
    expect(ended.out + ended.err).toMatch(/weights\.bin has 100 bytes.*needs 180/);
  });

  test('the example reaches 95 % on held-out digits', async (context) => {
    const lane = tensorflowLane();
    if (lane.missing !== undefined) context.skip(lane.missing);
    const made = program.project({
      script: '',
      scriptName: 'unused.cjs',
      backend: 'tfjs-node-gpu',
      targetBatchSize: 256,
      microbatchSize: 64,
    });
    cpSync(path.join(examples, 'model'), made.folder, { recursive: true });
    const text = readFileSync(path.join(made.folder, 'model.accumulation.json'), 'utf8');
    writeFileSync(made.configPath, text);
    const ended = await made.run();
    expect(ended.code, ended.out + ended.err).toBe(0);
    const epochs = made.events().filter((event) => event.type === 'epoch');
    expect(epochs).toHaveLength(12);
    expect(epochs.at(-1)?.logs.val_acc).toBeGreaterThan(0.95);
    const { model } = await loadModel(tf, path.join(made.folder, 'trained/model.json'));
    expect(model.countParams()).toBeGreaterThan(10_000);
  });
});

describe('measuring', () => {
  /** Runs the runner of model.json entries under the hook, as planning does. */
  function measure(
    made: Project,
    training: Omit<ModelTrainingText, 'kind'>,
    trials = [2, 4],
  ): EngineReport[] {
    const reportFile = path.join(made.folder, 'reports.ndjson');
    const jobFile = path.join(made.folder, 'job.json');
    rmSync(reportFile, { force: true });
    const job: MeasureJob = {
      version: 1,
      mode: 'measure',
      reportFile,
      parentPid: process.pid,
      entry: path.join(made.folder, 'entry/model.json'),
      backend: 'cpu',
      passOver: [],
      targetBatchSize: 8,
      model: { training: modelTraining.parse({ kind: 'model', ...training }), folder: made.folder },
      trials,
      selfCheck: true,
    };
    writeFileSync(jobFile, JSON.stringify(job));
    const command = scriptCommand({
      main: path.join(program.folder, 'modelEntry.cjs'),
      arguments: [],
      folder: made.folder,
      nodeArguments: [],
      jobFile,
      preloadFile: path.join(program.folder, 'preload.cjs'),
      environment: { ...process.env, NODE_OPTIONS: '' },
    });
    spawnSync(command.command, command.arguments, {
      cwd: command.folder,
      env: command.environment,
      timeout: 60_000,
    });
    return readFileSync(reportFile, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => engineReport.parse(JSON.parse(line)));
  }

  test('without data: trials run on made examples of the target batch', async () => {
    const made = await project(classifier(), {});
    const reports = measure(made, {});
    expect(reports.find(({ type }) => type === 'inspected')).toMatchObject({
      inspection: { modelName: 'classifier', parameters: 45, targetBatchSize: 8, passThrough: null },
    });
    expect(reports.find(({ type }) => type === 'selfCheck')).toMatchObject({ passed: true });
    const fits = reports.flatMap((report) =>
      report.type === 'trialFits' ? [report.measurement.microbatch] : [],
    );
    expect(fits).toEqual([2, 4]);
  });

  test('with data: the first batch of it is the sample', async () => {
    const made = await project(classifier(), plainOrder);
    const reports = measure(made, plainOrder, [3]);
    expect(reports.filter(({ type }) => type === 'trialFits')).toHaveLength(1);
    expect(reports.filter(({ type }) => type === 'failed')).toEqual([]);
  });

  test('a mistake is reported as a failure in one sentence', async () => {
    const model = tf.sequential();
    model.add(
      tf.layers.conv1d({
        filters: 2,
        kernelSize: 1,
        inputShape: [null as unknown as number, 3],
        name: 'walk',
      }),
    );
    const made = await project(model, {});
    const failed = measure(made, {}).find(({ type }) => type === 'failed');
    expect(failed).toMatchObject({
      failure: {
        message: expect.stringMatching(/input "walk_input" \[\?, 3\] has unknown dimensions.*--shape 128,3/),
      },
    });
  });
});
