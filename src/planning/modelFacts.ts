// What a JSON file is, told without TensorFlow: a Layers model, or what else and what to do about it.
import { parse, type ParseError } from 'jsonc-parser';
import * as z from 'zod';
import { EntryError } from './entryError';
import { deepestNesting, nestedDeeper } from './jsonDepth';

/** An input as the model.json names it; null: a dimension that the file leaves open. The batch is not in the shape. */
export interface ModelInput {
  readonly name: string;
  readonly shape: readonly (number | null)[];
}

export interface ModelFacts {
  /** The model's own name. */
  readonly name: string;
  readonly hasWeights: boolean;
  /** Whether the file says how the model was compiled (loss, optimizer). */
  readonly hasTrainingConfig: boolean;
  /** Inputs where the file tells them at a glance; empty where only loading the model can tell. */
  readonly inputs: readonly ModelInput[];
}

/** Reads the text of a `.json` file. Throws EntryError where it is no Layers model. */
export function modelFacts(file: string, text: string): ModelFacts {
  const json = parseJson(file, text);
  const refuse = (kind: EntryError['kind'], sentence: string) =>
    new EntryError(kind, file, `${file} ${sentence}`);
  if (!isObject(json)) throw refuse('notAModel', 'is not a TensorFlow.js model.json: it holds no object.');
  const topology = json.modelTopology;
  if (json.format === 'graph-model' || (isObject(topology) && Array.isArray(topology.node))) {
    throw refuse(
      'graphModel',
      'is a graph model: its weights are frozen, so it can be run but not trained. Convert the original Keras model to a Layers model instead (tensorflowjs_converter --input_format keras --output_format tfjs_layers_model).',
    );
  }
  if ('targetBatchSize' in json && 'entry' in json) {
    throw refuse(
      'config',
      `is an accumulation config, not an entry. To train with it: batch-planner train ${file}`,
    );
  }
  if (topology === undefined && typeof json.class_name === 'string') {
    throw refuse(
      'notAModel',
      'is a Keras model description, not a TensorFlow.js model.json: convert the Keras model with tensorflowjs_converter --input_format keras.',
    );
  }
  if (topology === undefined && Array.isArray(json.weightsManifest)) {
    throw refuse('notAModel', 'holds weights only: it has no "modelTopology" to train.');
  }
  if (topology === undefined) {
    throw refuse('notAModel', 'is not a TensorFlow.js model.json: it has no "modelTopology".');
  }
  const layers = layersTopology.safeParse(topology);
  if (!layers.success) {
    throw refuse(
      'notAModel',
      'is not a TensorFlow.js Layers model: its "modelTopology" describes no layers ("class_name" and "config").',
    );
  }
  const model = layers.data.model_config ?? described.parse(layers.data);
  const config = isObject(model.config) ? model.config : {};
  return {
    name: typeof config.name === 'string' ? config.name : model.class_name,
    hasWeights: Array.isArray(json.weightsManifest) && json.weightsManifest.length > 0,
    hasTrainingConfig: isObject(json.trainingConfig),
    inputs: inputsOf(model.config),
  };
}

const described = z.looseObject({ class_name: z.string(), config: z.unknown() });
/** A model's own description, or Keras's wrapping of it (`model_config`). */
const layersTopology = z.union([
  described.extend({ model_config: z.undefined().optional() }),
  z.looseObject({ class_name: z.undefined().optional(), model_config: described }),
]);

const inputLayer = z.looseObject({
  name: z.string().optional(),
  config: z.looseObject({
    name: z.string(),
    batch_input_shape: z.array(z.int().nullable()),
  }),
});

/** Functional models name their input layers; a Sequential's first layer carries the shape, or has it built in later. */
function inputsOf(config: unknown): ModelInput[] {
  const layers = Array.isArray(config)
    ? config
    : isObject(config) && Array.isArray(config.layers)
      ? config.layers
      : [];
  const named = isObject(config) && Array.isArray(config.input_layers) ? config.input_layers : null;
  const names = named?.flatMap((node: unknown) =>
    Array.isArray(node) && typeof node[0] === 'string' ? [node[0]] : [],
  );
  const candidates = names
    ? names.map((name) => layers.find((layer: unknown) => isObject(layer) && layer.name === name) as unknown)
    : layers.slice(0, 1);
  return candidates.flatMap((layer) => {
    const read = inputLayer.safeParse(layer);
    if (!read.success) return [];
    const { name, batch_input_shape: shape } = read.data.config;
    // tfjs names the input that it makes before a Sequential's first layer after that layer.
    const isInput = isObject(layer) && layer.class_name === 'InputLayer';
    return [{ name: isInput || names ? name : `${name}_input`, shape: shape.slice(1) }];
  });
}

function parseJson(file: string, text: string): unknown {
  if (nestedDeeper(text) !== null) {
    const what = `is nested more than ${deepestNesting} levels deep, which no model.json is`;
    throw new EntryError('notAModel', file, `${file} ${what}.`);
  }
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    const errors: ParseError[] = [];
    parse(text, errors, { disallowComments: true, allowTrailingComma: false });
    const before = text.slice(0, errors[0]?.offset ?? text.length).split('\n');
    const place = `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
    const what = text.trim() === '' ? 'is empty' : `is not valid JSON (${place})`;
    throw new EntryError('notJson', file, `${file} ${what}: a model.json is expected.`, { cause: error });
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
