// A path is recognised as a script or a Layers model, or refused with a sentence that says what it is and what to do.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EntryError, recogniseEntry } from '../../../src/supervise/entry';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'entry with blanks '));
  for (const name of ['train.js', 'tools.mjs', 'run.ts', 'model.json'])
    writeFileSync(path.join(folder, name), '');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const layer = (name: string, shape: (number | null)[] | null, className = 'Dense') => ({
  class_name: className,
  name,
  config: { name, ...(shape ? { batch_input_shape: shape } : {}) },
});
const sequential = {
  class_name: 'Sequential',
  config: { name: 'small', layers: [layer('first', [null, 4])] },
};
const functional = {
  class_name: 'Model',
  config: {
    name: 'pair',
    layers: [
      layer('image', [null, null, null, 3], 'InputLayer'),
      layer('size', [null, 2], 'InputLayer'),
      layer('out', null),
    ],
    input_layers: [
      ['image', 0, 0],
      ['size', 0, 0],
    ],
  },
};

function save(name: string, content: unknown): string {
  const file = path.join(folder, name);
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

async function refused(given: string): Promise<EntryError> {
  try {
    await recogniseEntry(given, folder);
  } catch (error) {
    if (error instanceof EntryError) return error;
    throw error;
  }
  throw new Error('it was recognised');
}

describe('recognised', () => {
  for (const [name, language] of [
    ['a.js', 'javascript'],
    ['a.cjs', 'javascript'],
    ['a.mjs', 'javascript'],
    ['a.ts', 'typescript'],
    ['a.cts', 'typescript'],
    ['a.mts', 'typescript'],
    ['a.tsx', 'typescript'],
    ['A.JS', 'javascript'],
  ] as const) {
    test(`${name} is ${language}`, async () => {
      const file = save(name, '');
      expect(await recogniseEntry(name, folder)).toEqual({ kind: 'script', file, language });
    });
  }

  test('a Sequential model, with its input named as tfjs names it', async () => {
    const file = save('sequential.json', {
      modelTopology: sequential,
      weightsManifest: [{ paths: ['w.bin'], weights: [] }],
    });
    expect(await recogniseEntry(file)).toEqual({
      kind: 'model',
      file,
      name: 'small',
      hasWeights: true,
      hasTrainingConfig: false,
      inputs: [{ name: 'first_input', shape: [4] }],
    });
  });

  test('a functional model inside Keras’s model_config, with open dimensions', async () => {
    const file = save('functional.json', {
      modelTopology: { keras_version: '2', model_config: functional },
      trainingConfig: {},
    });
    expect(await recogniseEntry(file)).toMatchObject({
      name: 'pair',
      hasWeights: false,
      hasTrainingConfig: true,
      inputs: [
        { name: 'image', shape: [null, null, 3] },
        { name: 'size', shape: [2] },
      ],
    });
  });

  test('the example', async () => {
    const file = path.resolve(import.meta.dirname, '../../../media/examples/model/model.json');
    expect(await recogniseEntry(file)).toMatchObject({
      kind: 'model',
      name: 'digits_cnn',
      hasWeights: true,
      inputs: [{ shape: [8, 8, 1] }],
    });
  });
});

describe('refused', () => {
  const missing: readonly [given: string, hint: string | null][] = [
    ['trian.js', 'train.js'],
    ['train', 'train.js'],
    ['train.ts', 'train.js'],
    ['modle.json', 'model.json'],
    ['something-else.js', null],
  ];
  for (const [given, hint] of missing) {
    test(`no ${given}: ${hint ?? 'nothing'} is near`, async () => {
      const error = await refused(given);
      expect(error.kind).toBe('missing');
      expect(error.message).toBe(
        `There is no file ${path.join(folder, given)}.${hint === null ? '' : ` Did you mean ${path.join(folder, hint)}?`}`,
      );
    });
  }

  test('no such folder', async () => {
    expect((await refused('nowhere/train.js')).message).toMatch(/its folder does not exist/);
    expect((await refused('train.js/model.json')).kind).toBe('missing');
  });

  test('a folder, with what is likely meant', async () => {
    expect((await refused('.')).message).toBe(
      `${folder} is a folder. Did you mean ${path.join(folder, 'model.json')}?`,
    );
    mkdirSync(path.join(folder, 'bare'), { recursive: true });
    expect((await refused('bare')).message).toMatch(/is a folder\. Name a training script/);
  });

  test('a SavedModel', async () => {
    mkdirSync(path.join(folder, 'saved'), { recursive: true });
    save('saved/saved_model.pb', '');
    expect(await refused('saved')).toMatchObject({
      kind: 'otherFormat',
      message: expect.stringMatching(/SavedModel.*tensorflowjs_converter/),
    });
  });

  const others: readonly [name: string, says: RegExp][] = [
    ['model.h5', /Keras HDF5 file.*tensorflowjs_converter/],
    ['model.keras', /Keras model.*tensorflowjs_converter/],
    ['saved_model.pb', /TensorFlow graph/],
    ['model.tflite', /run but not trained/],
    ['train.py', /Python script/],
    ['weights.bin', /weight file\. Name the model\.json/],
  ];
  for (const [name, says] of others) {
    test(name, async () => {
      save(name, '');
      expect(await refused(name)).toMatchObject({
        kind: 'otherFormat',
        message: expect.stringMatching(says),
      });
    });
  }

  test('another extension, or none', async () => {
    save('notes.txt', '');
    save('Makefile', '');
    expect((await refused('notes.txt')).message).toMatch(
      /has the extension \.txt; an entry is a script \(\.js,/,
    );
    expect((await refused('Makefile')).message).toMatch(/has no extension/);
  });

  const json: readonly [what: string, content: unknown, kind: EntryError['kind'], says: RegExp][] = [
    [
      'a graph model by its format',
      { format: 'graph-model', modelTopology: {} },
      'graphModel',
      /graph model.*cannot|not trained/,
    ],
    ['a graph model by its nodes', { modelTopology: { node: [], library: {} } }, 'graphModel', /graph model/],
    ['empty', '', 'notJson', /is empty/],
    ['half a file', '{"modelTopology": {"class_name"', 'notJson', /is not valid JSON \(line 1, column \d+\)/],
    [
      'a missing comma',
      '{\n  "format": "layers-model"\n  "modelTopology": {}\n}',
      'notJson',
      /line 3, column 3/,
    ],
    ['a list', [], 'notAModel', /holds no object/],
    ['a package.json', { name: 'x', version: '1.0.0' }, 'notAModel', /no "modelTopology"/],
    ['weights only', { weightsManifest: [] }, 'notAModel', /weights only/],
    ['a Keras description', sequential, 'notAModel', /Keras model description.*tensorflowjs_converter/],
    ['a topology without layers', { modelTopology: { something: 1 } }, 'notAModel', /describes no layers/],
    [
      'a config',
      { version: 1, entry: 'train.js', targetBatchSize: 2 },
      'config',
      /batch-planner train .*given\.json/,
    ],
  ];
  for (const [what, content, kind, says] of json) {
    test(what, async () => {
      const file = save('given.json', content);
      const error = await refused('given.json');
      expect([error.kind, error.file]).toEqual([kind, file]);
      expect(error.message).toMatch(says);
      expect(error.message).toContain(file);
    });
  }

  test('a file that may not be read', async (context) => {
    if (process.platform === 'win32') context.skip('Windows has no file modes');
    chmodSync(save('secret.json', '{}'), 0);
    chmodSync(folder, 0o755);
    const isRoot = process.geteuid?.() === 0;
    // Root may read every file: it looks as nobody for a moment.
    if (isRoot) process.seteuid?.('nobody');
    try {
      expect((await refused('secret.json')).message).toMatch(/cannot be read: permission denied/);
    } finally {
      if (isRoot) process.seteuid?.(0);
    }
  });
});
