// `file://` loading and saving on plain TensorFlow.js, in the layout of tfjs-node: a folder with model.json and weights.bin.
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type * as tfCore from '@tensorflow/tfjs-core';
import type { io } from '@tensorflow/tfjs-core';
import * as z from 'zod';
import { deepestNesting, nestedDeeper } from '../../planning/jsonDepth';
import { modelTextLimit, readPlainText } from '../../protocol/plainFile';
import { ModelFileError, unreadableModel } from './modelFileError';
import { readWeights } from './weightFiles';
import { weightsManifest } from './weightManifest';

export { ModelFileError } from './modelFileError';

const scheme = 'file://';
const modelFileName = 'model.json';
const weightFileName = 'weights.bin';

/** The part of tfjs-core that is needed; every version since 1.0 has it. */
type Core = Pick<typeof tfCore, 'io'>;

const modelJson = z.looseObject({
  modelTopology: z.looseObject({}).nullish(),
  weightsManifest: weightsManifest.nullish(),
});

/** Fields of a model.json that tfjs hands on as they are. */
const handedOn = [
  'format',
  'generatedBy',
  'convertedBy',
  'trainingConfig',
  'signature',
  'userDefinedMetadata',
  'modelInitializer',
  'initializerSignature',
] as const;

const isSet = <T>(value: T): value is NonNullable<T> => value !== null && value !== undefined;

async function readModelJson(file: string): Promise<z.infer<typeof modelJson>> {
  let text: string;
  try {
    text = await readPlainText(file, modelTextLimit);
  } catch (error) {
    throw unreadableModel(file, error);
  }
  if (nestedDeeper(text) !== null) {
    const what = `is nested more than ${deepestNesting} levels deep, which no model.json is`;
    throw new ModelFileError('notAModel', file, `${file} ${what}.`);
  }
  let parsed: unknown;
  try {
    // A byte order mark is no JSON, but some editors write one.
    parsed = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ModelFileError('notJson', file, `${file} is not valid JSON: ${why}`, { cause: error });
  }
  const checked = modelJson.safeParse(parsed);
  if (!checked.success) {
    const issue = checked.error.issues[0];
    const where =
      issue === undefined || issue.path.length === 0 ? '' : ` (at ${issue.path.join('.')}: ${issue.message})`;
    throw new ModelFileError('notAModel', file, `${file} is not a TensorFlow.js model.json${where}.`);
  }
  if (!isSet(checked.data.modelTopology) && !isSet(checked.data.weightsManifest)) {
    throw new ModelFileError(
      'notAModel',
      file,
      `${file} is not a TensorFlow.js model.json: it has neither "modelTopology" nor "weightsManifest".`,
    );
  }
  return checked.data;
}

async function load(file: string): Promise<io.ModelArtifacts> {
  const json = await readModelJson(file);
  // A model without weights is loaded with its initial ones.
  const weights = isSet(json.weightsManifest) ? await readWeights(file, json.weightsManifest) : {};
  const others = handedOn.filter((key) => isSet(json[key])).map((key) => [key, json[key]]);
  // Checked above as far as it is read here; tfjs-layers checks the topology itself.
  return {
    modelTopology: json.modelTopology,
    ...Object.fromEntries(others),
    ...weights,
  } as io.ModelArtifacts;
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    const taken = (error as NodeJS.ErrnoException).code === 'EEXIST';
    const why = taken ? 'a file of that name is in the way' : String(error);
    throw new ModelFileError('unwritable', folder, `The model cannot be saved in ${folder}: ${why}.`, {
      cause: error,
    });
  }
}

/** Writes under another name first, so that an older file is whole until the new one is. */
async function replaceFile(file: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    await writeFile(temporary, content);
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw new ModelFileError('unwritable', file, `The model cannot be saved: ${String(error)}`, {
      cause: error,
    });
  }
}

/** One copy only where tfjs hands the weights over in several buffers. */
function oneBuffer(data: io.WeightData | undefined): Uint8Array {
  if (data === undefined) return new Uint8Array();
  return Array.isArray(data) ? Buffer.concat(data.map((part) => new Uint8Array(part))) : new Uint8Array(data);
}

async function save(core: Core, folder: string, artifacts: io.ModelArtifacts): Promise<io.SaveResult> {
  if (artifacts.modelTopology instanceof ArrayBuffer) {
    throw new ModelFileError(
      'unwritable',
      folder,
      'A model whose topology is binary cannot be saved as model.json.',
    );
  }
  await makeFolder(folder);
  const others = handedOn.filter((key) => isSet(artifacts[key])).map((key) => [key, artifacts[key]]);
  const json = {
    modelTopology: artifacts.modelTopology,
    weightsManifest: [{ paths: [weightFileName], weights: artifacts.weightSpecs ?? [] }],
    ...Object.fromEntries(others),
  };
  await replaceFile(path.join(folder, weightFileName), oneBuffer(artifacts.weightData));
  await replaceFile(path.join(folder, modelFileName), JSON.stringify(json));
  return { modelArtifactsInfo: core.io.getModelArtifactsInfoForJSON(artifacts) };
}

/**
 * An IO handler for files, as tfjs-node's own `io.fileSystem`.
 * @param file for loading the model.json, for saving the folder that gets model.json and weights.bin
 * @throws ModelFileError from `load` and `save`, naming the file
 */
export function fileSystemHandler(core: Core, file: string): io.IOHandler {
  const absolute = path.resolve(file);
  return { load: () => load(absolute), save: (artifacts) => save(core, absolute, artifacts) };
}

/** The path in a `file://` address as tfjs-node reads it: what follows, not decoded, relative to the working folder. */
export function pathOf(address: string | string[], platform: NodeJS.Platform): string | null {
  if (Array.isArray(address)) {
    return address.length === 1 && address[0] !== undefined ? pathOf(address[0], platform) : null;
  }
  if (!address.startsWith(scheme)) return null;
  const rest = address.slice(scheme.length);
  // file:///C:/models: the slash before a drive letter is no part of a Windows path.
  return platform === 'win32' && /^\/[A-Za-z]:/.test(rest) ? rest.slice(1) : rest;
}

/** Makes `tf.loadLayersModel('file://…')` and `model.save('file://…')` work on this copy; does nothing where they already do. */
export function registerFileSystemIo(core: Core): void {
  const router = (address: string | string[]): io.IOHandler => {
    const file = pathOf(address, process.platform);
    // tfjs's router type has no null, but null is how a router says "not mine".
    return (file === null ? null : fileSystemHandler(core, file)) as io.IOHandler;
  };
  const probe = `${scheme}probe`;
  if (core.io.getLoadHandlers(probe).length === 0) core.io.registerLoadRouter(router);
  if (core.io.getSaveHandlers(probe).length === 0) core.io.registerSaveRouter(router);
}
