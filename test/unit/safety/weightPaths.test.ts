// Weight files: a manifest cannot lead out of the model's folder, to what is no file, or to more memory than there is.
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { ModelFileError } from '../../../src/engine/model/modelFileError';
import { readWeights } from '../../../src/engine/model/weightFiles';
import { weightsManifest } from '../../../src/engine/model/weightManifest';
import { namedWeightFile } from '../../../src/engine/model/weightPaths';

const base = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'batch-planner-weights-')));
const outside = path.join(base, 'outside.bin');
writeFileSync(outside, 'secret!!');
afterAll(() => rmSync(base, { recursive: true, force: true }));

let number = 0;
let folder: string;
let model: string;
beforeEach(() => {
  folder = path.join(base, `model ${++number}`);
  mkdirSync(folder);
  model = path.join(folder, 'model.json');
  writeFileSync(model, '{}');
});

const twoFloats = [{ name: 'a', shape: [2], dtype: 'float32' as const }];
const inside = (name: string): string => path.join(folder, name);
const read = (paths: string[], weights: { name: string; shape: number[]; dtype: 'float32' }[] = twoFloats) =>
  readWeights(model, weightsManifest.parse([{ paths, weights }]));

/** One sentence (a full stop at its end, none within but in names), of the one error type. */
async function refused(work: Promise<unknown>): Promise<ModelFileError> {
  const error: unknown = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ModelFileError);
  const { message } = error as ModelFileError;
  expect(message).toMatch(/\.$/);
  expect(message).not.toMatch(/\n|undefined|NaN|Infinity/);
  return error as ModelFileError;
}

describe('names that are refused on every system', () => {
  test.each([
    '../outside.bin',
    '..',
    '.',
    'deep/../../outside.bin',
    '..\\outside.bin',
    'deep\\..\\..\\outside.bin',
    '/etc/passwd',
    'C:\\Windows\\win.ini',
    'C:/Windows/win.ini',
    'C:weights.bin',
    '\\\\server\\share\\weights.bin',
    '//server/share/weights.bin',
    '\\Windows\\win.ini',
    'https://example.org/weights.bin',
    'http:weights.bin',
    'file:///etc/passwd',
    'data:application/octet-stream;base64,AAAA',
  ])('%s', async (name) => {
    const error = await refused(read([name]));
    expect(error.kind).toBe('outsideFolder');
    expect(error.message).toContain(JSON.stringify(name));
    const windows = () => namedWeightFile('D:\\models\\model.json', name, 'win32');
    expect(windows).toThrow(ModelFileError);
  });

  test('a name with a null byte', async () => {
    expect((await refused(read(['weights.bin\0.txt']))).kind).toBe('badName');
  });

  test('a device of Windows, there', () => {
    for (const name of ['NUL', 'con', 'nul.bin', 'deep/COM1.bin', 'LPT9:', 'CONIN$', 'aux.bin']) {
      expect(() => namedWeightFile('D:\\models\\model.json', name, 'win32'), name).toThrow(ModelFileError);
    }
    for (const name of ['null.bin', 'console.bin', 'com10.bin', 'group1-shard1of1.bin', 'sub/weights.bin']) {
      expect(namedWeightFile('D:\\models\\model.json', name, 'win32')).toBe(
        `D:\\models\\${name.replace('/', '\\')}`,
      );
    }
  });

  test('a wrong name is told before any file is looked at', async () => {
    writeFileSync(inside('short.bin'), 'x');
    expect((await refused(read(['short.bin', 'missing.bin', '../outside.bin']))).kind).toBe('outsideFolder');
  });

  test('the same file twice, under whatever spelling', async () => {
    writeFileSync(inside('half.bin'), 'four');
    const error = await refused(read(['half.bin', './half.bin']));
    expect(error.kind).toBe('namedTwice');
  });
});

describe('links', () => {
  test('out of the folder: refused, for a file and for a folder on the way', async () => {
    symlinkSync(outside, inside('link.bin'));
    symlinkSync(base, inside('up'));
    for (const name of ['link.bin', 'up/outside.bin']) {
      const error = await refused(read([name]));
      expect(error.kind).toBe('outsideFolder');
      expect(error.message).toContain(outside);
    }
  });

  test('that lead nowhere or in a circle: refused', async () => {
    symlinkSync(inside('nowhere'), inside('dangling.bin'));
    symlinkSync(inside('circle.bin'), inside('circle.bin'));
    expect((await refused(read(['dangling.bin']))).kind).toBe('weightsMissing');
    expect((await refused(read(['circle.bin']))).kind).toBe('unreadable');
  });

  test('within the folder: followed', async () => {
    writeFileSync(inside('real.bin'), 'insideok');
    symlinkSync('real.bin', inside('link.bin'));
    const { weightData } = await read(['link.bin']);
    expect(Buffer.from(weightData).toString()).toBe('insideok');
  });

  test('of a whole model into one folder of blobs, as download caches have it: followed', async () => {
    const blobs = path.join(base, `blobs ${number}`);
    mkdirSync(blobs);
    writeFileSync(path.join(blobs, 'abc'), '{}');
    writeFileSync(path.join(blobs, 'def'), 'blobbed!');
    rmSync(model);
    symlinkSync(path.join(blobs, 'abc'), model);
    symlinkSync(path.join(blobs, 'def'), inside('weights.bin'));
    symlinkSync(outside, inside('other.bin'));
    expect(Buffer.from((await read(['weights.bin'])).weightData).toString()).toBe('blobbed!');
    expect((await refused(read(['other.bin']))).kind).toBe('outsideFolder');
  });

  test('of the folder itself: followed', async () => {
    writeFileSync(inside('weights.bin'), 'insideok');
    const link = path.join(base, `link ${number}`);
    symlinkSync(folder, link);
    model = path.join(link, 'model.json');
    expect(Buffer.from((await read(['weights.bin'])).weightData).toString()).toBe('insideok');
  });
});

describe('what is no file', () => {
  test('a folder, a pipe: refused at once', async () => {
    mkdirSync(inside('folder.bin'));
    execFileSync('mkfifo', [inside('pipe.bin')]);
    expect((await refused(read(['folder.bin']))).message).toContain('is a folder');
    expect((await refused(read(['pipe.bin']))).message).toContain('is a pipe, a socket or a device');
  });

  test('a file on the way', async () => {
    writeFileSync(inside('a'), 'x');
    expect((await refused(read(['a/weights.bin']))).kind).toBe('weightsMissing');
  });
});

describe('sizes', () => {
  const refusedManifest = (weight: Record<string, unknown>): string => {
    const whole = { name: 'a', shape: [2], dtype: 'float32', ...weight };
    const checked = weightsManifest.safeParse([{ paths: ['w'], weights: [whole] }]);
    return checked.error?.issues[0]?.message ?? 'accepted';
  };

  test.each([
    [{ shape: [-1] }, 'a dimension is -1, and it cannot be below zero'],
    [{ shape: [1.5] }, 'a dimension is 1.5, and it must be a whole number'],
    [{ shape: [2 ** 53] }, 'a dimension is 9007199254740992, and it must be a whole number'],
    [{ shape: ['2'] }, 'a dimension is "2", and it must be a whole number'],
    [{ shape: [null] }, 'a dimension is null, and it must be a whole number'],
    [{ shape: 2 }, 'the shape of a weight is a list of whole numbers'],
    [{ shape: [1, 1, 1, 1, 1, 1, 1] }, 'a weight has at most 6 dimensions'],
    [
      { dtype: 'float64' },
      'the dtype is "float64", and these are known: float32, int32, bool, string, complex64',
    ],
    [{ dtype: 'constructor' }, /^the dtype is "constructor"/],
    [{ quantization: { dtype: '__proto__' } }, /^the dtype of a quantization is "__proto__"/],
    [{ quantization: {} }, /^the dtype of a quantization is undefined/],
  ])('%j', (weight, message) => {
    expect(refusedManifest(weight)).toMatch(message);
  });

  const large = Number.MAX_SAFE_INTEGER;
  test.each([
    ['smaller than asked for', [3]],
    ['larger than asked for', [1]],
    ['of a product beyond all numbers', [large, large, large, large, large, large]],
    ['of no values, whatever the other dimensions are', [large, large, large, large, large, 0]],
  ])('a file %s', async (_name, shape) => {
    writeFileSync(inside('w'), 'twofloat');
    expect((await refused(read(['w'], [{ name: 'a', shape, dtype: 'float32' }]))).kind).toBe('weightsSize');
  });

  test('more than the memory of the machine, in a file that takes no room: refused', async () => {
    writeFileSync(inside('w'), '');
    truncateSync(inside('w'), 2 ** 42);
    const error = await refused(read(['w'], [{ name: 'a', shape: [2 ** 40], dtype: 'float32' }]));
    expect(error).toMatchObject({ kind: 'weightsSize', file: model });
    expect(error.message).toMatch(/take 4\.0 TB, more than the .* of memory here\.$/);
  });
});

test('the file outside was never changed', () => {
  expect(readFileSync(outside, 'utf8')).toBe('secret!!');
});
