// Examples in files of any content: read as numbers, or refused with a sentence that names the file.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { readCsv, readNumber } from '../../src/engine/model/data/csvTable';
import { DataError } from '../../src/engine/model/data/dataError';
import { openNpy } from '../../src/engine/model/data/npyFile';
import { sizeOf } from '../../src/engine/model/data/rows';
import { npyHeader } from '../unit/data/npyBytes';
import { fuzzRuns } from './jsonTexts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'batch-planner-data-'));
const file = path.join(folder, 'data');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function mustBeTold(work: () => unknown): Promise<void> {
  try {
    await work();
  } catch (error) {
    expect(error).toBeInstanceOf(DataError);
    const { message } = error as DataError;
    expect(message).toContain(file);
    expect(message).toMatch(/\.$/);
  }
}

/** Opens an array and reads its first and last rows. */
function readNpy(keepInMemory: number): void {
  const rows = openNpy(file, keepInMemory);
  try {
    const into = new Float32Array(sizeOf(rows.shape));
    rows.read(0, into, 0);
    rows.read(rows.count - 1, into, 0);
  } finally {
    rows.close();
  }
}

/** Reads all columns of a table. */
async function readTable(delimiter: string): Promise<void> {
  const layout = (width: number) =>
    Array.from({ length: width }, (_, column) => ({ column, read: readNumber }));
  const table = await readCsv([file], { header: 'auto', delimiter }, layout);
  for (let row = 0; row < table.count; row++) expect(table.value(row, table.width - 1)).not.toBeNaN();
}

const dimension = fc.oneof(
  { weight: 4, arbitrary: fc.nat(4) },
  { weight: 1, arbitrary: fc.constantFrom(2 ** 16, 2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 1e21) },
);
const header = fc
  .record({
    descr: fc.constantFrom(
      '<f4',
      '>f8',
      '|u1',
      '|b1',
      '<i8',
      '<f2',
      '<c8',
      '|O',
      '<U5',
      '|V8',
      '<f99',
      '?',
      '',
    ),
    shape: fc.array(dimension, { maxLength: 5 }),
    fortran: fc.boolean(),
    version: fc.constantFrom(1, 2, 3),
  })
  .map((text) => npyHeader({ ...text, version: text.version as 1 | 2 | 3 }));
const npy = fc
  .record({
    header,
    data: fc.uint8Array({ maxLength: 64 }),
    fits: fc.boolean(),
    changes: fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 3 }),
    length: fc.option(fc.nat(200), { nil: null }),
  })
  .map((parts) => {
    // Mostly as many bytes as the header asks for, or nothing beyond the sizes would be read.
    const shape = /\(([^)]*)\)/.exec(parts.header.toString('latin1'))?.[1] ?? '';
    const values = shape
      .split(',')
      .filter((each) => each.trim() !== '')
      .reduce((size, each) => size * Number(each), 1);
    const bytes =
      values <= 64 && parts.fits
        ? Buffer.alloc(values * Number(/\d/.exec(parts.header.toString('latin1').slice(20))?.[0] ?? 1), 1)
        : parts.data;
    const whole = Buffer.concat([parts.header, bytes]);
    for (const [at, value] of parts.changes) if (at < whole.length) whole[at] = value;
    return parts.length === null ? whole : whole.subarray(0, parts.length);
  });

test('a .npy file of any bytes is read or refused', async () => {
  let read = 0;
  const property = fc.asyncProperty(
    fc.oneof({ weight: 4, arbitrary: npy }, { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) }),
    fc.constantFrom(0, 2 ** 20),
    async (bytes, keepInMemory) => {
      writeFileSync(file, bytes);
      await mustBeTold(() => {
        readNpy(keepInMemory);
        read++;
      });
    },
  );
  await fc.assert(property, fuzzRuns(1500));
  expect(read).toBeGreaterThan(10);
});

const field = fc.oneof(
  fc.constantFrom(
    '1',
    '-2.5',
    '1e3',
    '',
    ' ',
    '"3"',
    '"',
    '""',
    '"a\n4"',
    'x',
    '1e999',
    '0x10',
    'NaN',
    '\0',
    '\uFEFF',
  ),
  fc.double().map(String),
  fc.string({ maxLength: 6 }),
);
const csv = fc
  .tuple(
    fc.array(fc.array(field, { minLength: 1, maxLength: 4 }), { maxLength: 6 }),
    fc.constantFrom(',', ';', '\t', '|'),
    fc.constantFrom('\n', '\r\n', '\r', '\n\n'),
    fc.constantFrom('', '\n', '\uFEFF'),
  )
  .map(([lines, delimiter, end, edge]) => edge + lines.map((line) => line.join(delimiter)).join(end) + edge);

test('a CSV file of any text is read or refused', async () => {
  const numbers = fc.array(fc.tuple(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true })), {
    minLength: 1,
  });
  const texts = fc.oneof(
    { weight: 4, arbitrary: csv },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 200 }) },
    { weight: 1, arbitrary: numbers.map((lines) => lines.join('\n')) },
  );
  const property = fc.asyncProperty(
    texts,
    fc.constantFrom(',', ';', '\t', '|', ' '),
    async (text, delimiter) => {
      writeFileSync(file, text);
      await mustBeTold(() => readTable(delimiter));
    },
  );
  await fc.assert(property, fuzzRuns(800));
});

test('a CSV file of any bytes is read or refused', async () => {
  const property = fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
    writeFileSync(file, bytes);
    await mustBeTold(() => readTable(','));
  });
  await fc.assert(property, fuzzRuns(300));
});

describe('refused with a sentence', () => {
  const refusal = async (work: () => unknown): Promise<string> => {
    try {
      await work();
    } catch (error) {
      expect(error).toBeInstanceOf(DataError);
      return (error as DataError).message;
    }
    return 'nothing';
  };

  test('a pipe, a device, a folder, a name with a null byte', async () => {
    execFileSync('mkfifo', [path.join(folder, 'pipe')]);
    symlinkSync('/dev/zero', path.join(folder, 'device'));
    const layout = () => [];
    for (const [name, what] of [
      ['pipe', 'is a pipe, a socket or a device'],
      ['device', 'is a pipe, a socket or a device'],
      ['.', 'is a folder'],
      ['null\0byte', 'cannot be read'],
    ] as const) {
      const given = `${folder}/${name}`;
      expect(await refusal(() => openNpy(given))).toContain(what);
      expect(await refusal(() => readCsv([given], { header: false, delimiter: ',' }, layout))).toContain(
        what,
      );
    }
  });

  test.each([
    ['no more values than 53 bits count', [2 ** 40, 2 ** 40], /no file has as many values/],
    ['rows that are not counted in 32 bits', [2 ** 32, 1], /4294967296 examples, and at most 2147483647/],
    ['a row beyond any memory', [1, 2 ** 32], /examples of 4294967296 values, and at most 268435456/],
  ])('an array of %s, in a file that takes no room', async (_name, shape, what) => {
    const bytes = npyHeader({ descr: '|u1', shape });
    writeFileSync(file, bytes);
    truncateSync(
      file,
      bytes.length +
        Math.min(
          2 ** 33,
          shape.reduce((a, b) => a * b, 1),
        ),
    );
    expect(await refusal(() => openNpy(file))).toMatch(what);
  });

  test('a line that does not end: with fields, without, and within a quote', async () => {
    const tooLong = /a line is longer than 16\.0 MB, so this is no CSV file or a quote is not closed\.$/;
    for (const text of ['1,', ',', '1'.repeat(64)]) {
      writeFileSync(file, `1\n2\n${text.repeat(Math.ceil((20 * 2 ** 20) / text.length))}`);
      const message = await refusal(() => readTable(','));
      expect(message).toMatch(tooLong);
      expect(message).toContain(`${file}, line 3: `);
    }
    writeFileSync(file, `"${'some text\n'.repeat(2 * 2 ** 20)}`);
    expect(await refusal(() => readTable(','))).toMatch(tooLong);
  });

  test('more columns than can be trained on', async () => {
    writeFileSync(file, `${'1,'.repeat(2 ** 20)}1\n`);
    expect(await refusal(() => readTable(','))).toMatch(/line 1: 1048577 columns, and at most 1048576/);
  });
});

test('nothing else was written', () => {
  expect(readdirSync(folder).sort()).toEqual(['data', 'device', 'pipe']);
});
