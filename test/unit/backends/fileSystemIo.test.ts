// file:// loading and saving on plain TensorFlow.js, against tfjs's own in-memory handlers and hand-written files.
import { copyFile, mkdir, mkdtemp, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ModelFileError,
  fileSystemHandler,
  pathOf,
  registerFileSystemIo,
} from '../../../src/engine/model/fileSystemIo';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'batch planner io-'));
  registerFileSystemIo(tf);
  registerFileSystemIo(tf);
});
afterAll(() => rm(folder, { recursive: true }));

function makeModel(): tf.Sequential {
  const model = tf.sequential();
  model.add(tf.layers.dense({ inputShape: [3], units: 4, activation: 'relu' }));
  model.add(tf.layers.dense({ units: 2 }));
  model.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
  return model;
}

async function saved(name: string): Promise<string> {
  const place = path.join(folder, name);
  await makeModel().save(`file://${place}`);
  return place;
}

async function problem(work: Promise<unknown>): Promise<ModelFileError> {
  const error: unknown = await work.then(
    () => new Error('nothing was thrown'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ModelFileError);
  return error as ModelFileError;
}

const values = (model: tf.LayersModel) => model.getWeights().map((weight) => Array.from(weight.dataSync()));

describe('a model saved with file://', () => {
  it('is loaded with the same weights, and lies in model.json and weights.bin', async () => {
    const model = makeModel();
    const place = path.join(folder, 'deep/er/model');
    const result = await model.save(`file://${place}`);
    expect((await readdir(place)).sort()).toEqual(['model.json', 'weights.bin']);
    expect(result.modelArtifactsInfo.weightDataBytes).toBe(
      (await readFile(path.join(place, 'weights.bin'))).length,
    );
    const loaded = await tf.loadLayersModel(`file://${place}/model.json`);
    expect(values(loaded)).toEqual(values(model));
  });

  it('keeps the optimizer and its slots when asked to', async () => {
    const model = makeModel();
    await model.fit(tf.ones([4, 3]), tf.ones([4, 2]), { epochs: 2, verbose: 0 });
    const place = path.join(folder, 'with-optimizer');
    await model.save(`file://${place}`, { includeOptimizer: true });
    const loaded = await tf.loadLayersModel(`file://${place}/model.json`);
    const slots = async (from: tf.LayersModel) =>
      (await from.optimizer.getWeights()).map(({ tensor }) => Array.from(tensor.dataSync()));
    expect(await slots(loaded)).toEqual(await slots(model));
  });

  it('has the same bytes as tfjs hands to any other handler', async () => {
    const model = makeModel();
    let artifacts: tf.io.ModelArtifacts | undefined;
    await model.save(
      tf.io.withSaveHandler((given) => {
        artifacts = given;
        return Promise.resolve({ modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(given) });
      }),
    );
    const place = path.join(folder, 'same-bytes');
    await model.save(`file://${place}`);
    const weights = await readFile(path.join(place, 'weights.bin'));
    expect(new Uint8Array(weights)).toEqual(new Uint8Array(artifacts?.weightData as ArrayBuffer));
    const json = JSON.parse(await readFile(path.join(place, 'model.json'), 'utf8'));
    expect(json.modelTopology).toEqual(artifacts?.modelTopology);
    expect(json.weightsManifest).toEqual([{ paths: ['weights.bin'], weights: artifacts?.weightSpecs }]);
  });

  it('replaces an older one and leaves no temporary file', async () => {
    const place = await saved('twice');
    const second = makeModel();
    await second.save(`file://${place}`);
    expect((await readdir(place)).sort()).toEqual(['model.json', 'weights.bin']);
    expect(values(await tf.loadLayersModel(`file://${place}/model.json`))).toEqual(values(second));
  });

  it('is refused with a sentence where a file is in the way', async () => {
    const file = path.join(folder, 'a-file');
    await writeFile(file, 'x');
    expect((await problem(makeModel().save(`file://${file}`))).message).toContain(
      `${file}: a file of that name`,
    );
    expect((await problem(makeModel().save(`file://${file}/below`))).kind).toBe('unwritable');
  });
});

describe('weights in several files', () => {
  it('are joined in the order of the manifest, over groups and shards', async () => {
    const place = await saved('sharded');
    const weights = await readFile(path.join(place, 'weights.bin'));
    const json = JSON.parse(await readFile(path.join(place, 'model.json'), 'utf8'));
    const specs = json.weightsManifest[0].weights;
    await mkdir(path.join(place, 'parts'));
    await writeFile(path.join(place, 'parts/a'), weights.subarray(0, 10));
    await writeFile(path.join(place, 'parts/b'), weights.subarray(10, 64));
    await writeFile(path.join(place, 'c'), weights.subarray(64));
    json.weightsManifest = [
      { paths: ['parts/a', './parts/b'], weights: specs.slice(0, 2) },
      { paths: ['c'], weights: specs.slice(2) },
    ];
    await writeFile(path.join(place, 'model.json'), JSON.stringify(json));
    const artifacts = await fileSystemHandler(tf, path.join(place, 'model.json')).load?.();
    expect(new Uint8Array(artifacts?.weightData as ArrayBuffer)).toEqual(new Uint8Array(weights));
    await tf.loadLayersModel(`file://${place}/model.json`);
  });

  it('quantized and string weights have the sizes tfjs gives them', async () => {
    const place = path.join(folder, 'kinds');
    await mkdir(place);
    const tensors = { words: tf.tensor1d(['a', 'schön'], 'string'), flag: tf.tensor1d([true], 'bool') };
    const { data, specs } = await tf.io.encodeWeights(tensors);
    const quantized = {
      name: 'q',
      shape: [3],
      dtype: 'float32',
      quantization: { dtype: 'uint8', scale: 1, min: 0 },
    };
    await writeFile(path.join(place, 'w'), Buffer.concat([new Uint8Array(data), Uint8Array.of(1, 2, 3)]));
    const manifest = [{ paths: ['w'], weights: [...specs, quantized] }];
    await writeFile(
      path.join(place, 'model.json'),
      JSON.stringify({ modelTopology: {}, weightsManifest: manifest }),
    );
    const artifacts = await fileSystemHandler(tf, path.join(place, 'model.json')).load?.();
    const decoded = tf.io.decodeWeights(artifacts?.weightData as ArrayBuffer, artifacts?.weightSpecs ?? []);
    expect(await decoded.words?.data()).toEqual(['a', 'schön']);
    expect(Array.from((await decoded.q?.data()) ?? [])).toEqual([1, 2, 3]);
  });
});

describe('files that cannot be a model', () => {
  const load = (file: string) => tf.loadLayersModel(`file://${file}`);

  it('cut short or too long: the file, expected and actual bytes are named', async () => {
    const place = await saved('cut');
    const file = path.join(place, 'weights.bin');
    await truncate(file, 40);
    const short = await problem(load(path.join(place, 'model.json')));
    expect(short).toMatchObject({ kind: 'weightsSize', file });
    expect(short.message).toContain(`${file} has 40 bytes, but model.json needs 104: it was cut short`);
    await writeFile(file, new Uint8Array(2000));
    expect((await problem(load(path.join(place, 'model.json')))).message).toContain('has 2,000 bytes');
  });

  it('missing weights, a missing model.json, a folder: each is named', async () => {
    const place = await saved('missing');
    await rm(path.join(place, 'weights.bin'));
    expect(await problem(load(path.join(place, 'model.json')))).toMatchObject({
      kind: 'weightsMissing',
      file: path.join(place, 'weights.bin'),
    });
    expect((await problem(load(path.join(place, 'none.json')))).kind).toBe('missing');
    expect((await problem(load(place))).message).toContain('is a folder');
  });

  it('text that is not JSON, JSON that is not a model, a wrong manifest', async () => {
    const cases: [string, string, string][] = [
      ['{"a":', 'notJson', 'not valid JSON'],
      ['[1]', 'notAModel', 'not a TensorFlow.js model.json'],
      ['{"name":"x"}', 'notAModel', 'neither "modelTopology" nor'],
      [
        '{"modelTopology":{},"weightsManifest":[{"paths":["w"],"weights":[{"name":"a","shape":[-1],"dtype":"float32"}]}]}',
        'notAModel',
        'weightsManifest.0.weights.0.shape.0',
      ],
    ];
    for (const [index, [text, kind, words]] of cases.entries()) {
      const file = path.join(folder, `bad${String(index)}.json`);
      await writeFile(file, text);
      const error = await problem(load(file));
      expect(error.kind).toBe(kind);
      expect(error.message).toContain(words);
    }
  });

  it('a manifest that points out of the model folder is refused unread', async () => {
    const place = await saved('outside');
    const json = JSON.parse(await readFile(path.join(place, 'model.json'), 'utf8'));
    for (const named of [
      '../twice/weights.bin',
      path.join(place, '../twice/weights.bin'),
      '..',
      'x/../../y',
      '.',
    ]) {
      json.weightsManifest[0].paths = [named];
      await writeFile(path.join(place, 'model.json'), JSON.stringify(json));
      expect((await problem(load(path.join(place, 'model.json')))).kind).toBe('outsideFolder');
    }
    // A name that only begins like the parent is a name.
    await copyFile(path.join(place, 'weights.bin'), path.join(place, '..weights'));
    json.weightsManifest[0].paths = ['..weights'];
    await writeFile(path.join(place, 'model.json'), JSON.stringify(json));
    await load(path.join(place, 'model.json'));
  });

  it('a size that no memory holds is refused before anything is allocated', async () => {
    const place = path.join(folder, 'huge');
    await mkdir(place);
    const weights = [{ name: 'a', shape: [1e9, 1e6], dtype: 'float32' }];
    await writeFile(path.join(place, 'w'), 'x');
    const json = { modelTopology: {}, weightsManifest: [{ paths: ['w'], weights }] };
    await writeFile(path.join(place, 'model.json'), JSON.stringify(json));
    expect((await problem(load(path.join(place, 'model.json')))).kind).toBe('weightsSize');
  });
});

describe('file:// addresses', () => {
  it('are read as tfjs-node reads them, and a drive letter as Windows needs it', () => {
    expect(pathOf('file://./model/model.json', 'linux')).toBe('./model/model.json');
    expect(pathOf('file:///abs/a b.json', 'linux')).toBe('/abs/a b.json');
    expect(pathOf('file:///C:/models/model.json', 'win32')).toBe('C:/models/model.json');
    expect(pathOf('file://C:\\models', 'win32')).toBe('C:\\models');
    expect(pathOf('file:///C:/models', 'linux')).toBe('/C:/models');
    expect(pathOf('https://example.org/model.json', 'linux')).toBeNull();
    expect(pathOf(['file://a'], 'linux')).toBe('a');
    expect(pathOf(['file://a', 'file://b'], 'linux')).toBeNull();
  });
});
