// Loads a Layers model.json as one that can be trained, or says in a sentence why it cannot be.
import type { io } from '@tensorflow/tfjs-core';
import { EntryError } from '../../planning/entryError';
import { modelFacts } from '../../planning/modelFacts';
import { modelTextLimit, readPlainText } from '../../protocol/plainFile';
import type { LayersModel, Tf } from '../contracts';
import { fileSystemHandler, ModelFileError } from './fileSystemIo';
import { unreadableModel } from './modelFileError';

/** The files are whole, but the model in them cannot be made. `message` names the file. */
export class ModelLoadError extends Error {
  override readonly name = 'ModelLoadError';
}

export interface LoadedModel {
  readonly model: LayersModel;
  /** What a person should know: initial weights, a training config that was left out. */
  readonly notes: readonly string[];
}

/**
 * @param file absolute path of the model.json
 * @throws EntryError (no Layers model), ModelFileError (files missing, truncated), ModelLoadError (unknown layer, weights of another model)
 */
export async function loadModel(tf: Tf, file: string): Promise<LoadedModel> {
  modelFacts(file, await textOf(file));
  const artifacts = await load(fileSystemHandler(tf, file));
  const notes: string[] = [];
  if (artifacts.weightData === undefined) {
    notes.push(`${file} has no weights: the model starts from initial ones.`);
  }
  try {
    return { model: await fromArtifacts(tf, artifacts), notes };
  } catch (error) {
    if (artifacts.trainingConfig === undefined) throw explained(file, error);
    // The architecture may be fine and only its way of training unknown here (Keras's own optimizers and losses).
    const bare: io.ModelArtifacts = { ...artifacts };
    delete bare.trainingConfig;
    const model = await fromArtifacts(tf, bare).catch((other: unknown) => {
      throw explained(file, other);
    });
    const why = firstLine(error);
    notes.push(
      `The training config in ${file} cannot be used (${why}): loss and optimizer come from the config.`,
    );
    return { model, notes };
  }
}

async function textOf(file: string): Promise<string> {
  try {
    return await readPlainText(file, modelTextLimit);
  } catch (error) {
    throw unreadableModel(file, error);
  }
}

async function load(handler: io.IOHandler): Promise<io.ModelArtifacts> {
  if (handler.load === undefined) throw new Error('The file handler cannot load.');
  return handler.load();
}

function fromArtifacts(tf: Tf, artifacts: io.ModelArtifacts): Promise<LayersModel> {
  return tf.loadLayersModel({ load: () => Promise.resolve(artifacts) });
}

/** tfjs-layers' own errors (4.22, also 2 and 3) as a sentence about the file and what to do. */
function explained(file: string, error: unknown): Error {
  if (error instanceof ModelFileError || error instanceof EntryError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const unknown = /Unknown (\w+): (\w[^.\s]*)/.exec(message);
  const missing = /(\d+) of (\d+) weights are not set: (.+)/.exec(message);
  let sentence: string;
  if (unknown?.[1] === 'layer') {
    sentence = `${file} uses the layer class ${unknown[2]}, which TensorFlow.js does not have: it is a custom layer, which only the script that registers it can load. Plan that script instead of the model.json.`;
  } else if (unknown) {
    sentence = `${file} uses the ${unknown[1]} ${unknown[2]}, which TensorFlow.js does not have. Plan the script that registers it instead of the model.json.`;
  } else if (missing) {
    sentence = `The weights of ${file} belong to another model: ${missing[1]} of its ${missing[2]} weights are not among them (${missing[3]}).`;
  } else if (/no target variable|Shape mismatch|shape/i.test(message) && /weight/i.test(message)) {
    sentence = `The weights of ${file} belong to another model: ${firstLine(error)}`;
  } else {
    sentence = `${file} cannot be loaded as a Layers model: ${firstLine(error)}`;
  }
  return new ModelLoadError(sentence, { cause: error });
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
}
