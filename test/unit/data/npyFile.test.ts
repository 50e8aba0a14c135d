// Reading .npy files: every kind of number, both byte orders, both array orders, all versions; and every damage told.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DataError } from '../../../src/engine/model/data/dataError';
import { openNpy } from '../../../src/engine/model/data/npyFile';
import { sizeOf, type Rows } from '../../../src/engine/model/data/rows';
import { npyHeader, writeNpy, type Put } from './npyBytes';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'npy-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const at = (name: string) => path.join(folder, name);

/** All values in row order. */
function all(rows: Rows): number[] {
  const size = sizeOf(rows.shape);
  const into = new Float32Array(rows.count * size);
  for (let row = 0; row < rows.count; row++) rows.read(row, into, row * size);
  rows.close();
  return Array.from(into);
}

function errorOf(open: () => unknown): DataError {
  try {
    open();
  } catch (error) {
    if (error instanceof DataError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** IEEE half precision by hand: 1, -2, 0.5, the smallest subnormal, the largest number. */
const halves: readonly [bits: number, value: number][] = [
  [0x3c00, 1],
  [0xc000, -2],
  [0x3800, 0.5],
  [0x0001, 2 ** -24],
  [0x7bff, 65504],
  [0x0000, 0],
];

const kinds: readonly { letters: string; bytes: number; put: Put; values: number[] }[] = [
  { letters: 'b1', bytes: 1, put: (v, p, x) => v.setUint8(p, x), values: [0, 1, 1, 0, 1, 0] },
  { letters: 'i1', bytes: 1, put: (v, p, x) => v.setInt8(p, x), values: [-128, 127, 0, -1, 5, 6] },
  { letters: 'u1', bytes: 1, put: (v, p, x) => v.setUint8(p, x), values: [0, 255, 128, 1, 2, 3] },
  {
    letters: 'i2',
    bytes: 2,
    put: (v, p, x, le) => v.setInt16(p, x, le),
    values: [-32768, 32767, 256, 1, -2, 0],
  },
  { letters: 'u2', bytes: 2, put: (v, p, x, le) => v.setUint16(p, x, le), values: [65535, 256, 1, 0, 7, 8] },
  {
    letters: 'i4',
    bytes: 4,
    put: (v, p, x, le) => v.setInt32(p, x, le),
    values: [-(2 ** 24), 2 ** 24, 1, 0, -3, 65536],
  },
  {
    letters: 'u4',
    bytes: 4,
    put: (v, p, x, le) => v.setUint32(p, x, le),
    values: [2 ** 31, 2 ** 24, 1, 0, 3, 65536],
  },
  {
    letters: 'i8',
    bytes: 8,
    put: (v, p, x, le) => v.setBigInt64(p, BigInt(x), le),
    values: [-(2 ** 40), 2 ** 40, -1, 0, 3, 65536],
  },
  {
    letters: 'u8',
    bytes: 8,
    put: (v, p, x, le) => v.setBigUint64(p, BigInt(x), le),
    values: [2 ** 63, 2 ** 40, 1, 0, 3, 65536],
  },
  {
    letters: 'f4',
    bytes: 4,
    put: (v, p, x, le) => v.setFloat32(p, x, le),
    values: [1.5, -0.25, 2 ** 100, 0, 3, -4],
  },
  {
    letters: 'f8',
    bytes: 8,
    put: (v, p, x, le) => v.setFloat64(p, x, le),
    values: [1.5, -0.25, 2 ** 100, 0, 3, -4],
  },
];

describe('every kind of number is read as it was written', () => {
  for (const { letters, bytes, put, values } of kinds) {
    for (const order of bytes === 1 ? ['|'] : ['<', '>']) {
      for (const place of ['memory', 'disk'] as const) {
        test(`${order}${letters} from ${place}`, () => {
          const file = at(`${letters}-${order === '>' ? 'big' : 'little'}.npy`);
          writeNpy(file, { descr: order + letters, shape: [3, 2] }, bytes, put, values);
          const rows = openNpy(file, place === 'memory' ? undefined : 0);
          expect([rows.count, rows.shape]).toEqual([3, [2]]);
          expect(all(rows)).toEqual(values);
        });
      }
    }
  }

  for (const order of ['<', '>']) {
    test(`${order}f2`, () => {
      const file = at('half.npy');
      const put: Put = (view, place, bits, little) => view.setUint16(place, bits, little);
      writeNpy(
        file,
        { descr: `${order}f2`, shape: [6] },
        2,
        put,
        halves.map(([bits]) => bits),
      );
      expect(all(openNpy(file))).toEqual(halves.map(([, value]) => value));
    });
  }
});

const putFloat: Put = (view, place, value, little) => view.setFloat32(place, value, little);

test('rows are read in any order, and each alone', () => {
  const file = at('order.npy');
  writeNpy(file, { descr: '<f4', shape: [4, 1, 2] }, 4, putFloat, [0, 1, 10, 11, 20, 21, 30, 31]);
  for (const keep of [undefined, 0]) {
    const rows = openNpy(file, keep);
    const into = new Float32Array(6).fill(-1);
    rows.read(3, into, 0);
    rows.read(1, into, 4);
    rows.close();
    expect(Array.from(into)).toEqual([30, 31, -1, -1, 10, 11]);
  }
});

test('an array in Fortran order gives the same rows as in C order', () => {
  // Value (i, j, k) of shape (3, 2, 4) is 100 i + 10 j + k; in Fortran order the first index runs fastest.
  const inFile: number[] = [];
  for (let k = 0; k < 4; k++)
    for (let j = 0; j < 2; j++) for (let i = 0; i < 3; i++) inFile.push(100 * i + 10 * j + k);
  const expected: number[] = [];
  for (let i = 0; i < 3; i++)
    for (let j = 0; j < 2; j++) for (let k = 0; k < 4; k++) expected.push(100 * i + 10 * j + k);
  const file = at('fortran.npy');
  writeNpy(file, { descr: '<f4', shape: [3, 2, 4], fortran: true }, 4, putFloat, inFile);
  const rows = openNpy(file, 0);
  expect(rows.shape).toEqual([2, 4]);
  expect(all(rows)).toEqual(expected);
});

for (const version of [1, 2, 3] as const) {
  test(`format version ${version}`, () => {
    const file = at(`version${version}.npy`);
    writeNpy(file, { descr: '<f4', shape: [2], version }, 4, putFloat, [7, 8]);
    const rows = openNpy(file);
    expect(rows.shape).toEqual([]);
    expect(all(rows)).toEqual([7, 8]);
  });
}

describe('a file that cannot be used is told with its name and the reason', () => {
  const cases: readonly [name: string, content: Buffer | null, says: RegExp][] = [
    ['missing.npy', null, /does not exist/],
    ['empty.npy', Buffer.alloc(0), /is not a \.npy file/],
    ['text.npy', Buffer.from('1,2,3\n4,5,6\n'), /is not a \.npy file/],
    ['archive.npz', Buffer.from('PK\x03\x04 and more'), /\.npz.*numpy\.save/],
    ['half-header.npy', npyHeader({ descr: '<f4', shape: [2] }).subarray(0, 40), /ends after/],
    ['future.npy', Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 9, 0, 0, 0, 0, 0]), /version 9/],
    ['complex.npy', npyHeader({ descr: '<c8', shape: [2] }), /complex numbers/],
    ['text-values.npy', npyHeader({ descr: '<U4', shape: [2] }), /text/],
    ['objects.npy', npyHeader({ descr: '|O', shape: [2] }), /Python objects/],
    ['scalar.npy', Buffer.concat([npyHeader({ descr: '<f4', shape: [] }), Buffer.alloc(4)]), /single number/],
    ['none.npy', npyHeader({ descr: '<f4', shape: [0, 3] }), /no examples/],
    // 4 TB: refused from the sizes alone, before anything is allocated.
    [
      'huge.npy',
      npyHeader({ descr: '<f8', shape: [500_000_000_000] }),
      /truncated.*4000000000128 bytes.*has 128/,
    ],
  ];
  for (const [name, content, says] of cases) {
    test(name, () => {
      if (content !== null) writeFileSync(at(name), content);
      const error = errorOf(() => openNpy(at(name)));
      expect(error.message).toMatch(says);
      expect(error.message).toContain(at(name));
      expect(error.file).toBe(at(name));
    });
  }

  test('truncated: expected and found bytes', () => {
    const file = at('truncated.npy');
    writeNpy(file, { descr: '<f4', shape: [4] }, 4, putFloat, [1, 2, 3, 4]);
    truncateSync(file, 128 + 15);
    expect(errorOf(() => openNpy(file)).message).toMatch(/truncated.*144 bytes.*has 143/);
  });

  test('longer than its header says', () => {
    const file = at('longer.npy');
    writeNpy(file, { descr: '<f4', shape: [1] }, 4, putFloat, [1, 2]);
    expect(errorOf(() => openNpy(file)).message).toMatch(/longer than it says/);
  });

  test('a file that shrinks while it is read', () => {
    const file = at('shrinks.npy');
    writeNpy(file, { descr: '<f4', shape: [2] }, 4, putFloat, [1, 2]);
    const rows = openNpy(file, 0);
    truncateSync(file, 128 + 6);
    expect(() => rows.read(1, new Float32Array(1), 0)).toThrow(/ends after 134 bytes, 2 too early/);
    rows.close();
  });
});

test('files that NumPy itself wrote', (context) => {
  const script = `
import sys, numpy as np
folder = sys.argv[1]
rng = np.random.default_rng(1)
for dtype in ['?', 'i1', 'u1', '<i2', '>i2', '<u2', '<i4', '>i4', '<u4', '<i8', '>i8', '<u8', '<f2', '>f2', '<f4', '>f4', '<f8', '>f8']:
    for order in 'CF':
        a = np.asarray(rng.integers(0, 2 if dtype == '?' else 100, (3, 4, 2)), dtype=dtype, order=order)
        np.save(f'{folder}/numpy.npy', a)
        print(dtype, order, *a.astype('f4').reshape(-1).tolist())
        import shutil; shutil.copy(f'{folder}/numpy.npy', f"{folder}/numpy{dtype.replace('<','l').replace('>','b').replace('?','q')}{order}.npy")
`;
  if (spawnSync('python3', ['-c', 'import numpy']).status !== 0) {
    context.skip('python3 with numpy is not on this machine');
  }
  const printed = execFileSync('python3', ['-c', script, folder], { encoding: 'utf8' });
  const lines = printed.trim().split('\n');
  expect(lines).toHaveLength(36);
  for (const line of lines) {
    const [dtype = '', order = '', ...values] = line.split(' ');
    const name = dtype.replace('<', 'l').replace('>', 'b').replace('?', 'q');
    const rows = openNpy(at(`numpy${name}${order}.npy`));
    expect(rows.shape).toEqual([4, 2]);
    expect(all(rows), `${dtype} ${order}`).toEqual(values.map(Number));
  }
});
