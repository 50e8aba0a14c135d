// Trains a model.json entry as a user's own script would: load, compile, fitDataset, save. It knows nothing of accumulation.
import path from 'node:path';
import type { ModelTraining } from '../../planning/modelTraining';
import type { LayersModel, Tf } from '../contracts';
import { batchesOf, type BatchDataset } from './data/batches';
import { DataError } from './data/dataError';
import { openExamples, type OpenedData } from './data/examples';
import { checkShapeNames, withGivenShape, type ModelPorts, type OutputPort } from './data/ports';
import { shuffled } from './data/split';
import { makeExamples } from './madeInput';
import { compileModel } from './modelCompile';
import { loadModel } from './modelLoader';
import { prepareOutput, saveModel } from './modelOutput';
import { fixedBatchSize, portsOf } from './modelPorts';
import { RandomSource } from '../train/randomSource';

/** tfjs's own batch size where none is asked for. */
const defaultBatchSize = 32;
/** Validation needs no large batches: they only cost memory. */
const validationBatchSize = 256;

export interface ModelTask {
  /** Absolute path of the model.json. */
  readonly entry: string;
  readonly training: ModelTraining;
  /** Absolute folder that the training's paths are relative to. */
  readonly folder: string;
  /** Examples per update; null: tfjs's default. */
  readonly targetBatchSize: number | null;
  /** Largest validation batch; null: a default. */
  readonly microbatchSize: number | null;
  /** Only measured: made examples are used where no data is named, and nothing is saved. */
  readonly measureOnly: boolean;
}

type FitArguments = Parameters<LayersModel['fitDataset']>[1];

/**
 * Runs the task to its end (measuring leaves the process at the first training call).
 * @param tell takes notes for people
 * @throws DataError, EntryError, ModelFileError, ModelLoadError: one sentence each
 */
export async function runModelTask(tf: Tf, task: ModelTask, tell: (note: string) => void): Promise<void> {
  const { training, folder } = task;
  const output = path.resolve(folder, training.output);
  if (!task.measureOnly) {
    if (training.data === undefined) {
      throw new DataError('The config names no data to train on: fill in "training.data".');
    }
    await prepareOutput(output, task.entry);
  }
  const { model, notes } = await seeded(training.seed, () => loadModel(tf, task.entry));
  const compiled = compileModel(tf, model, training);
  for (const note of [...notes, ...compiled.notes]) tell(note);

  const shapes = training.shapes ?? {};
  const open = portsOf(tf, model, compiled.losses);
  checkShapeNames(open.inputs, shapes);
  const ports: ModelPorts = { ...open, inputs: open.inputs.map((port) => withGivenShape(port, shapes)) };
  const batchSize = fixedBatchSize(model) ?? task.targetBatchSize ?? defaultBatchSize;
  const data = training.data
    ? await openExamples(training.data, folder, ports, {
        share: training.validationSplit,
        seed: training.seed,
      })
    : made(tf, model, ports, batchSize);
  try {
    await fit(tf, model, task, data, batchSize, tell);
    if (!task.measureOnly) {
      await saveModel(tf, model, output, data.preprocessing, training.saveOptimizer);
      tell(`The trained model is in ${output}.`);
    }
  } finally {
    data.close();
  }
}

async function fit(
  tf: Tf,
  model: LayersModel,
  task: ModelTask,
  data: OpenedData,
  batchSize: number,
  tell: (note: string) => void,
): Promise<void> {
  const { training } = task;
  const bound = fixedBatchSize(model) !== null;
  // The order of an epoch follows from the seed and the epoch's number, so that a resumed epoch is the same.
  let epoch = 0;
  const order = () =>
    training.shuffle ? shuffled(data.training.rows, training.seed, epoch) : data.training.rows;
  const batches = batchesOf(tf, data.training, { batchSize, order, dropLast: bound });
  if (batches.size === 0) {
    throw new DataError(
      `The model is bound to batches of ${batchSize}, but there are only ${data.training.rows.length} examples.`,
    );
  }
  if (bound && batches.examples < data.training.rows.length) {
    tell(
      `The model is bound to batches of ${batchSize}: ${data.training.rows.length - batches.examples} of the examples are left out in each epoch.`,
    );
  }
  const validation =
    data.validation &&
    batchesOf(tf, data.validation, {
      batchSize: bound ? batchSize : Math.min(batchSize, task.microbatchSize ?? validationBatchSize),
      dropLast: bound,
    });
  const stopping = training.earlyStopping;
  if (training.classWeight !== undefined && model.outputs.length > 1) {
    throw new DataError(
      `"training.classWeight" is for models with one output; this one has ${model.outputs.length}.`,
    );
  }
  const begin: FitArguments['callbacks'] = {
    onEpochBegin: (number: number) => {
      epoch = number;
      return Promise.resolve();
    },
  };
  const monitor = stopping?.monitor ?? (validation ? 'val_loss' : 'loss');
  await model.fitDataset(asDataset(batches), {
    epochs: training.epochs,
    // The run shows its own progress.
    verbose: 0,
    callbacks: stopping
      ? [new tf.CustomCallback(begin), tf.callbacks.earlyStopping({ ...stopping, monitor })]
      : begin,
    ...(validation ? { validationData: asDataset(validation) } : {}),
    ...(training.classWeight ? { classWeight: training.classWeight } : {}),
  });
}

/** Made examples: as many as one update has. */
function made(tf: Tf, model: LayersModel, ports: ModelPorts, count: number): OpenedData {
  const rows = fixedBatchSize(model) ?? 1;
  const inputs = ports.inputs.map((port) => [rows, ...port.shape.map((size) => size ?? 1)]);
  const outputs = new Map<string, readonly number[]>();
  const outputShape = (output: OutputPort): readonly number[] => {
    if (!output.shape.includes(null)) return output.shape.map((size) => size ?? 1);
    if (outputs.size === 0) {
      // The model leaves the output's shape open: one example tells it.
      tf.tidy(() => {
        const results = model.predict(inputs.map((shape) => tf.zeros(shape)));
        const all = Array.isArray(results) ? results : [results];
        model.outputNames.forEach((name, i) => outputs.set(name, all[i]?.shape.slice(1) ?? []));
      });
    }
    return outputs.get(output.name) ?? [];
  };
  return {
    training: makeExamples(ports, count, outputShape),
    validation: null,
    preprocessing: { inputs: [], targets: [] },
    close: () => undefined,
  };
}

/** fitDataset and evaluateDataset use no other member of a Dataset than those that are there. */
function asDataset(batches: BatchDataset): Parameters<LayersModel['fitDataset']>[0] {
  return batches as unknown as Parameters<LayersModel['fitDataset']>[0];
}

/** First weights follow from the seed: tfjs draws the seeds of its initializers from Math.random. */
async function seeded<T>(seed: number, work: () => Promise<T>): Promise<T> {
  const { random } = Math;
  new RandomSource(seed).install();
  try {
    return await work();
  } finally {
    Math.random = random;
  }
}
