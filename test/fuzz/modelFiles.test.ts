// A model.json of any content: loaded, or refused with a sentence; nothing is opened outside its folder, nothing fetched.
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import type * as files from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { fileSystemHandler } from '../../src/engine/model/fileSystemIo';
import { ModelFileError } from '../../src/engine/model/modelFileError';
import { loadModel, ModelLoadError } from '../../src/engine/model/modelLoader';
import { EntryError } from '../../src/planning/entryError';
import { modelFacts } from '../../src/planning/modelFacts';
import { damagedText, fuzzedJson, fuzzRuns, mutationsOf } from './jsonTexts';

/** Every file that was opened, by its name as it was given. */
const opened: string[] = [];
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof files>();
  const open: typeof real.open = (file, ...rest) => {
    opened.push(String(file));
    return real.open(file, ...rest);
  };
  return { ...real, open };
});

const base = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'batch-planner-fuzz-')));
const folder = path.join(base, 'model');
const neighbour = path.join(base, 'neighbour');
const file = path.join(folder, 'model.json');
const fetched: unknown[] = [];

interface SavedJson {
  readonly modelTopology: unknown;
  readonly weightsManifest: unknown;
}
let sound: SavedJson;

beforeAll(async () => {
  mkdirSync(folder);
  mkdirSync(neighbour);
  writeFileSync(path.join(neighbour, 'weights.bin'), 'not to be read');
  await tf.setBackend('cpu');
  vi.stubGlobal('fetch', (address: unknown) => {
    fetched.push(address);
    throw new Error('no network');
  });
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ inputShape: [3], units: 4, name: 'one' }),
      tf.layers.dense({ units: 2, name: 'two' }),
    ],
  });
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  await model.save(fileSystemHandler(tf, folder));
  sound = JSON.parse(readFileSync(file, 'utf8')) as SavedJson;
});
beforeEach(() => {
  opened.length = 0;
});
afterAll(() => {
  vi.unstubAllGlobals();
  rmSync(base, { recursive: true, force: true });
});

const keys = [
  'modelTopology',
  'weightsManifest',
  'paths',
  'weights',
  'shape',
  'dtype',
  'quantization',
  'format',
];
const sentences = [EntryError, ModelFileError, ModelLoadError];

async function mustBeTold(work: () => unknown): Promise<void> {
  try {
    await work();
  } catch (error) {
    expect(
      sentences.some((kind) => error instanceof kind),
      String(error),
    ).toBe(true);
    expect((error as Error).message).not.toBe('');
  }
}

/** What each case may leave behind: nothing. */
function mustBeUntouched(): void {
  expect(opened.filter((each) => !each.startsWith(folder + path.sep))).toEqual([]);
  expect(fetched).toEqual([]);
  expect(readdirSync(base).sort()).toEqual(['model', 'neighbour']);
  expect(readdirSync(folder).sort()).toEqual(['model.json', 'weights.bin']);
  expect(readdirSync(neighbour)).toEqual(['weights.bin']);
  expect(Object.keys(Object.prototype)).toEqual([]);
}

test('the sound one is loaded, and its opening is seen', async () => {
  const { model, notes } = await loadModel(tf, file);
  expect(notes).toEqual([]);
  expect(model.countParams()).toBe(26);
  expect(new Set(opened)).toEqual(new Set([file, path.join(folder, 'weights.bin')]));
  model.dispose();
});

test('whatever it says, what can be told without TensorFlow is told', async () => {
  const property = fc.asyncProperty(fuzzedJson(sound, keys), (text) =>
    mustBeTold(() => modelFacts(file, text)),
  );
  await fc.assert(property, fuzzRuns(1500));
  mustBeUntouched();
});

test('whatever it says, its files are read or refused', async () => {
  const property = fc.asyncProperty(fuzzedJson(sound, keys), async (text) => {
    writeFileSync(file, text);
    await mustBeTold(() => fileSystemHandler(tf, file).load?.());
  });
  await fc.assert(property, fuzzRuns(600));
  mustBeUntouched();
});

/** Names that lead elsewhere, mixed with some that do not. */
const paths = fc.array(
  fc
    .array(
      fc.constantFrom('..', '.', '', '/', '\\', 'neighbour', 'weights.bin', 'C:', 'http:', '~', '%2e%2e'),
      {
        maxLength: 5,
      },
    )
    .chain((parts) => fc.constantFrom('/', '\\', '').map((separator) => parts.join(separator))),
  { maxLength: 3 },
);

test('whatever its weights manifest says, the model is loaded or refused', async () => {
  const manifests = fc.oneof(
    mutationsOf(sound.weightsManifest),
    paths.map((named) => [{ ...(sound.weightsManifest as object[])[0], paths: named }]),
  );
  const texts = damagedText(manifests.map((weightsManifest) => ({ ...sound, weightsManifest })));
  const property = fc.asyncProperty(texts, async (text) => {
    writeFileSync(file, text);
    await mustBeTold(async () => {
      const { model } = await loadModel(tf, file);
      model.dispose();
    });
  });
  await fc.assert(property, fuzzRuns(500));
  mustBeUntouched();
});

test.each([
  ['nested beyond any stack', '['.repeat(2_000_000)],
  [
    'a topology nested beyond any stack',
    `{"modelTopology":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`,
  ],
  ['nothing but quotes', '"\\'.repeat(2_000_000)],
  [
    'a great many layers of nothing',
    `{"modelTopology":{"class_name":"Model","config":[${'[],'.repeat(300_000)}0]}}`,
  ],
])('%s is refused', async (_name, text) => {
  writeFileSync(file, text);
  await expect(loadModel(tf, file)).rejects.toSatisfy((error) =>
    sentences.some((kind) => error instanceof kind),
  );
  mustBeUntouched();
});
