// What the given path is: a training script, a Layers model.json, or a mistake that is told with what to do instead.
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { nearestName } from '../planning/nearestName';
import { EntryError } from '../planning/entryError';
import { modelFacts, type ModelFacts } from '../planning/modelFacts';
import { modelTextLimit, openPlainFile, readPlainText } from '../protocol/plainFile';

export { EntryError, type EntryProblem } from '../planning/entryError';
export type { ModelFacts, ModelInput } from '../planning/modelFacts';

/** A training script in JavaScript or TypeScript. */
export interface ScriptEntry {
  readonly kind: 'script';
  /** Absolute path. */
  readonly file: string;
  readonly language: 'javascript' | 'typescript';
}
/** A tfjs Layers model. */
export interface ModelEntry extends ModelFacts {
  readonly kind: 'model';
  /** Absolute path of the model.json. */
  readonly file: string;
}
export type Entry = ScriptEntry | ModelEntry;

const languages: Readonly<Record<string, ScriptEntry['language']>> = {
  '.js': 'javascript',
  '.cjs': 'javascript',
  '.mjs': 'javascript',
  '.ts': 'typescript',
  '.cts': 'typescript',
  '.mts': 'typescript',
  '.tsx': 'typescript',
};

const convert =
  'Convert it with tensorflowjs_converter (pip install tensorflowjs) and name the model.json that it writes';
/** Models and scripts of other makers, by extension: what it is and what to do. */
const otherFormats: Readonly<Record<string, string>> = {
  '.h5': `a Keras HDF5 file, which TensorFlow.js cannot read. ${convert}: --input_format keras.`,
  '.hdf5': `a Keras HDF5 file, which TensorFlow.js cannot read. ${convert}: --input_format keras.`,
  '.keras': `a Keras model, which TensorFlow.js cannot read. ${convert}: --input_format keras_keras.`,
  '.pb': `a TensorFlow graph. Only Layers models can be trained: save the Keras model, and convert that. ${convert}.`,
  '.tflite':
    'a TensorFlow Lite model, which can be run but not trained. Name the Layers model it was made from.',
  '.onnx': 'an ONNX model, which TensorFlow.js cannot read. Name a training script or a Layers model.json.',
  '.pt': 'a PyTorch model, which TensorFlow.js cannot read. Name a training script or a Layers model.json.',
  '.pth': 'a PyTorch model, which TensorFlow.js cannot read. Name a training script or a Layers model.json.',
  '.py':
    'a Python script. Batch Planner trains TensorFlow.js models: name a JavaScript or TypeScript script, or a model.json.',
  '.ipynb': 'a notebook. Name a JavaScript or TypeScript script, or a model.json.',
  '.bin': 'a weight file. Name the model.json beside it.',
};

/**
 * Recognises an entry without loading TensorFlow.
 * @param given path as typed, relative to `folder`
 * @throws EntryError with one sentence: what is wrong, where, and what to do
 */
export async function recogniseEntry(given: string, folder = process.cwd()): Promise<Entry> {
  const file = path.resolve(folder, given);
  const info = await stat(file).catch((error: unknown) => error as NodeJS.ErrnoException);
  if (info instanceof Error) throw await unreachable(file, info);
  if (info.isDirectory()) throw await folderGiven(file);

  const extension = path.extname(file).toLowerCase();
  const language = languages[extension];
  if (extension !== '.json' && language === undefined) {
    const known = otherFormats[extension];
    if (known !== undefined) throw new EntryError('otherFormat', file, `${file} is ${known}`);
    const what = extension === '' ? 'has no extension' : `has the extension ${extension}`;
    throw new EntryError(
      'wrongExtension',
      file,
      `${file} ${what}; an entry is a script (${Object.keys(languages).join(', ')}) or a Layers model.json.`,
    );
  }
  try {
    if (language === undefined) {
      return { kind: 'model', file, ...modelFacts(file, await readPlainText(file, modelTextLimit)) };
    }
    await (await openPlainFile(file)).close();
    return { kind: 'script', file, language };
  } catch (error) {
    if (error instanceof EntryError) throw error;
    throw new EntryError('unreadable', file, `${file} cannot be read: ${reason(error)}.`, { cause: error });
  }
}

async function unreachable(file: string, error: NodeJS.ErrnoException): Promise<EntryError> {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') {
    return new EntryError('unreadable', file, `${file} cannot be read: ${reason(error)}.`, { cause: error });
  }
  const parent = path.dirname(file);
  const names = await readdir(parent).catch(() => null);
  if (names === null) {
    return new EntryError('missing', file, `There is no file ${file}: its folder does not exist.`, {
      cause: error,
    });
  }
  const nearest = nearestEntry(path.basename(file), names);
  const hint = nearest === null ? '' : ` Did you mean ${path.join(parent, nearest)}?`;
  return new EntryError('missing', file, `There is no file ${file}.${hint}`, { cause: error });
}

/** Of what lies there, the nearest name among entries; one that only lacks its extension is nearest of all. */
function nearestEntry(typed: string, names: readonly string[]): string | null {
  const entries = names.filter((name) => {
    const extension = path.extname(name).toLowerCase();
    return extension in languages || extension === '.json';
  });
  const stem = (name: string) => name.slice(0, name.length - path.extname(name).length);
  return (
    entries.find((name) => stem(name) === typed || stem(name) === stem(typed)) ?? nearestName(typed, entries)
  );
}

async function folderGiven(folder: string): Promise<EntryError> {
  const names = await readdir(folder).catch(() => [] as string[]);
  if (names.includes('saved_model.pb')) {
    return new EntryError(
      'otherFormat',
      folder,
      `${folder} is a TensorFlow SavedModel, which TensorFlow.js cannot train. ${convert}: --input_format keras_saved_model --output_format tfjs_layers_model.`,
    );
  }
  const likely = ['model.json', 'train.ts', 'train.mts', 'train.js', 'train.mjs', 'train.cjs'].find((name) =>
    names.includes(name),
  );
  const hint =
    likely === undefined
      ? 'Name a training script or a model.json in it.'
      : `Did you mean ${path.join(folder, likely)}?`;
  return new EntryError('folder', folder, `${folder} is a folder. ${hint}`);
}

function reason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied';
  return error instanceof Error ? error.message : String(error);
}
