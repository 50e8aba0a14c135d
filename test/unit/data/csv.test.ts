// CSV data becomes the right rows, and every mistake in a file is told with its file and line.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DataError } from '../../../src/engine/model/data/dataError';
import { openExamples, type Examples } from '../../../src/engine/model/data/examples';
import type { Feed } from '../../../src/engine/model/data/feeds';
import type { ModelPorts } from '../../../src/engine/model/data/ports';
import { sizeOf } from '../../../src/engine/model/data/rows';
import { csvData } from '../../../src/planning/modelData';
import type { z } from 'zod';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'csv-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function save(name: string, text: string): string {
  writeFileSync(path.join(folder, name), text);
  return name;
}

const open = (data: Omit<z.input<typeof csvData>, 'format'>, ports: ModelPorts) =>
  openExamples(csvData.parse({ format: 'csv', ...data }), folder, ports, { share: 0, seed: 1 });

function values(feed: Feed | undefined, rows: Int32Array): number[] {
  if (feed === undefined) throw new Error('no such feed');
  const into = new Float32Array(rows.length * sizeOf(feed.shape));
  feed.fill(rows, into);
  return Array.from(into);
}
const inputs = ({ inputs: [feed], rows }: Examples) => values(feed, rows);
const targets = ({ targets: [feed], rows }: Examples) => values(feed, rows);

function ports(
  input: (number | null)[],
  output: (number | null)[],
  loss: string | null = 'meanSquaredError',
): ModelPorts {
  return {
    inputs: [{ name: 'x', shape: input, below: null }],
    outputs: [{ name: 'y', shape: output, loss }],
  };
}

async function errorOf(opening: Promise<unknown>): Promise<DataError> {
  try {
    await opening;
  } catch (error) {
    if (error instanceof DataError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('columns', () => {
  const text = 'a,b,label,c\n1,2,30,4\n5,6,70,8\n';

  test('all but the target, in the order of the file', async () => {
    const { training } = await open(
      { files: [save('named.csv', text)], targets: [{ columns: ['label'] }] },
      ports([3], [1]),
    );
    expect(inputs(training)).toEqual([1, 2, 4, 5, 6, 8]);
    expect(targets(training)).toEqual([30, 70]);
  });

  test('by number, from the end, by name and as a range, in the order asked for', async () => {
    const data = {
      files: [save('named.csv', text)],
      inputs: [{ columns: [-1, 'b', '0..1'] }],
      targets: [{ columns: [2] }],
    };
    const { training } = await open(data, ports([4], [1]));
    expect(inputs(training)).toEqual([4, 2, 1, 2, 8, 6, 5, 6]);
  });

  test('reshaped row by row to the shape of the input', async () => {
    const { training } = await open(
      { files: [save('flat.csv', '1,2,3,4,0\n5,6,7,8,1\n')], targets: [{ columns: [-1] }] },
      ports([2, 2, 1], [1]),
    );
    expect(training.inputs[0]?.shape).toEqual([2, 2, 1]);
    expect(inputs(training)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  test('two inputs and two outputs', async () => {
    const model: ModelPorts = {
      inputs: [
        { name: 'left', shape: [1], below: null },
        { name: 'right', shape: [2], below: null },
      ],
      outputs: [
        { name: 'sum', shape: [1], loss: 'meanSquaredError' },
        { name: 'kind', shape: [3], loss: 'sparseCategoricalCrossentropy' },
      ],
    };
    const data = {
      files: [save('two.csv', '1,2,3,10,0\n4,5,6,20,2\n')],
      inputs: [{ columns: [0] }, { columns: ['1..2'] }],
      targets: [{ columns: [3] }, { columns: [4] }],
    };
    const { training } = await open(data, model);
    expect(training.inputs.map((feed) => values(feed, training.rows))).toEqual([
      [1, 4],
      [2, 3, 5, 6],
    ]);
    expect(training.targets.map((feed) => values(feed, training.rows))).toEqual([
      [10, 20],
      [0, 2],
    ]);
  });

  const wrong: readonly [what: string, columns: (number | string)[], says: RegExp][] = [
    ['beyond the last', [7], /column 7 is named, but there are 4 columns/],
    ['before the first', [-5], /column -5 is named/],
    ['a misspelt name', ['lable'], /no column "lable" in the header; did you mean "label"\?/],
    ['a range backwards', ['3..1'], /ends before it begins/],
  ];
  for (const [what, columns, says] of wrong) {
    test(`told: ${what}`, async () => {
      const error = await errorOf(
        open({ files: [save('named.csv', text)], targets: [{ columns }] }, ports([3], [1])),
      );
      expect(error.message).toMatch(says);
      expect(error.message).toContain('named.csv');
    });
  }

  test('told: a name where there is no header', async () => {
    const error = await errorOf(
      open({ files: [save('bare.csv', '1,2\n')], targets: [{ columns: ['y'] }] }, ports([1], [1])),
    );
    expect(error.message).toMatch(/no header line/);
  });
});

describe('the text of a file', () => {
  const target = [{ columns: [-1] }];
  const same: readonly [what: string, text: string, options?: { delimiter?: string; header?: boolean }][] = [
    ['plain', '1,2\n3,4\n'],
    ['no newline at the end', '1,2\n3,4'],
    ['Windows line ends', '1,2\r\n3,4\r\n'],
    ['a byte order mark', '\uFEFF1,2\n3,4\n'],
    ['blank lines', '1,2\n\n3,4\n\n'],
    ['blanks around numbers', ' 1 , 2\n3 ,4 \n'],
    ['quoted numbers', '"1","2"\n3,4\n'],
    ['a header', 'x,y\n1,2\n3,4\n'],
    ['a header of numbers, told', '0,1\n1,2\n3,4\n', { header: true }],
    ['semicolons', '1;2\n3;4\n', { delimiter: ';' }],
    ['tabs', '1\t2\n3\t4\n', { delimiter: '\t' }],
    ['exponents and signs', '1e0,+2\n3.0,.4e1\n'],
  ];
  for (const [what, text, options] of same) {
    test(what, async () => {
      const { training } = await open(
        { files: [save('text.csv', text)], targets: target, ...options },
        ports([1], [1]),
      );
      expect([inputs(training), targets(training)]).toEqual([
        [1, 3],
        [2, 4],
      ]);
    });
  }

  test('several files are one', async () => {
    const files = [save('part1.csv', 'x,y\n1,2\n'), save('part2.csv', 'x,y\n3,4\n5,6\n')];
    const { training } = await open({ files, targets: target }, ports([1], [1]));
    expect(inputs(training)).toEqual([1, 3, 5]);
  });

  test('more lines than one block holds', async () => {
    const lines = Array.from({ length: 140_000 }, (_, i) => `${i},${i % 7}`);
    const { training } = await open(
      { files: [save('long.csv', lines.join('\n'))], targets: target },
      ports([1], [1]),
    );
    expect(training.rows.length).toBe(140_000);
    expect(values(training.inputs[0], Int32Array.of(0, 131_071, 131_072, 139_999))).toEqual([
      0, 131_071, 131_072, 139_999,
    ]);
  });
});

describe('mistakes are told with file and line', () => {
  const cases: readonly [what: string, text: string, says: RegExp, line: number | null][] = [
    ['a word among numbers', '1,2\n3,4\n5,six\n', /line 3: column 1 is "six", not a number/, 3],
    ['an empty field', '1,2\n,4\n', /line 2: column 0 is empty/, 2],
    ['not finite', '1,2\n3,NaN\n', /line 2: column 1 is "NaN"/, 2],
    ['too few columns', '1,2,3\n4,5\n', /line 2: 2 columns, where the lines before have 3/, 2],
    ['too many columns', '1,2\n3,4,5\n', /line 2: 3 columns, where the lines before have 2/, 2],
    ['blank lines count', '1,2\n\n\n3,x\n', /line 4/, 4],
    ['named by the header', 'height,weight\n1,2\n3,?\n', /line 3: column weight is "\?"/, 3],
    ['a header that is half numbers', 'name,1\n2,3\n', /line 1: column 0 is "name".*"header": true/, 1],
    ['an open quote', '1,2\n"3,4\n', /Quote/, null],
    ['empty', '', /holds no examples/, null],
    ['only a header', 'x,y\n', /holds no examples/, null],
  ];
  for (const [what, text, says, line] of cases) {
    test(what, async () => {
      const name = save('wrong.csv', text);
      const error = await errorOf(open({ files: [name], targets: [{ columns: [-1] }] }, ports([null], [1])));
      expect(error.message).toMatch(says);
      expect(error.message).toContain(path.join(folder, name));
      if (line !== null) expect(error.line).toBe(line);
      // The report of a failure finds file and line in the stack.
      if (line !== null) expect(error.stack).toContain(`${path.join(folder, name)}:${line}`);
    });
  }

  test('no such file', async () => {
    const error = await errorOf(
      open({ files: ['nowhere.csv'], targets: [{ columns: [-1] }] }, ports([1], [1])),
    );
    expect(error.message).toBe(`${path.join(folder, 'nowhere.csv')} does not exist.`);
  });

  test('a folder', async () => {
    const error = await errorOf(open({ files: ['.'], targets: [{ columns: [-1] }] }, ports([1], [1])));
    expect(error.message).toMatch(/is a folder/);
  });

  test('headers that differ between files', async () => {
    const files = [save('h1.csv', 'x,y\n1,2\n'), save('h2.csv', 'y,x\n3,4\n')];
    const error = await errorOf(open({ files, targets: [{ columns: ['y'] }] }, ports([1], [1])));
    expect(error.message).toMatch(/h2\.csv, line 1: the header differs/);
  });

  test('an example that does not fit the input', async () => {
    const data = { files: [save('narrow.csv', '1,2,3\n')], targets: [{ columns: [-1] }] };
    const error = await errorOf(open(data, ports([8, 8, 1], [1])));
    expect(error.message).toMatch(/input "x".*shape \[2\].*\[8, 8, 1\]/);
  });
});

describe('classes', () => {
  const categorical = ports([1], [3], 'categoricalCrossentropy');

  test('a class number becomes one-hot for a loss over classes', async () => {
    const { training, preprocessing } = await open(
      { files: [save('classes.csv', '9,0\n9,2\n9,1\n')], targets: [{ columns: [-1] }] },
      categorical,
    );
    expect(targets(training)).toEqual([1, 0, 0, 0, 0, 1, 0, 1, 0]);
    expect(preprocessing.targets).toEqual([{ name: 'y', encode: 'oneHot', classes: 3 }]);
  });

  test('names become numbers in the order of the list', async () => {
    const data = {
      files: [save('names.csv', '9,rose\n9,tulip\n9,daisy\n')],
      targets: [{ columns: [-1], classes: ['daisy', 'rose', 'tulip'] }],
    };
    const { training, preprocessing } = await open(data, categorical);
    expect(targets(training)).toEqual([0, 1, 0, 0, 0, 1, 1, 0, 0]);
    expect(preprocessing.targets[0]?.classes).toEqual(['daisy', 'rose', 'tulip']);
    const sparse = await open(data, ports([1], [3], 'sparseCategoricalCrossentropy'));
    expect(targets(sparse.training)).toEqual([1, 2, 0]);
    expect(sparse.training.targets[0]?.shape).toEqual([1]);
  });

  test('two names for a single output are 0 and 1', async () => {
    const data = {
      files: [save('yesno.csv', '9,yes\n9,no\n')],
      targets: [{ columns: [-1], classes: ['no', 'yes'] }],
    };
    const { training } = await open(data, ports([1], [1], 'binaryCrossentropy'));
    expect(targets(training)).toEqual([1, 0]);
  });

  test('columns that are one-hot already stay as they are', async () => {
    const data = { files: [save('hot.csv', '9,0,1,0\n9,1,0,0\n')], targets: [{ columns: ['1..3'] }] };
    const { training } = await open(data, categorical);
    expect(targets(training)).toEqual([0, 1, 0, 1, 0, 0]);
  });

  const wrong: readonly [
    what: string,
    field: string,
    classes: number | string[] | undefined,
    says: RegExp,
  ][] = [
    ['out of range', '3', undefined, /line 2: column 1 is class 3; with 3 classes they are numbered 0 to 2/],
    ['negative', '-1', undefined, /is class -1/],
    ['not whole', '1.5', undefined, /is 1\.5, not a class number/],
    [
      'an unknown name',
      'ros',
      ['daisy', 'rose', 'tulip'],
      /"ros", which is none of the classes; did you mean "rose"\?/,
    ],
    ['another number of classes than outputs', '1', 4, /output "y".*4 classes.*\[3\]/],
  ];
  for (const [what, field, classes, says] of wrong) {
    test(`told: ${what}`, async () => {
      const first = Array.isArray(classes) ? classes[0] : '0';
      const data = {
        files: [save('class.csv', `9,${first}\n9,${field}\n`)],
        targets: [{ columns: [-1], ...(classes === undefined ? {} : { classes }) }],
      };
      expect((await errorOf(open(data, categorical))).message).toMatch(says);
    });
  }

  test('told: a column for ten outputs without a loss over classes', async () => {
    const data = { files: [save('ten.csv', '9,1\n')], targets: [{ columns: [-1] }] };
    expect((await errorOf(open(data, ports([1], [10])))).message).toMatch(/cannot be encoded/);
  });
});

test('validation files are read with the same columns and classes', async () => {
  const data = {
    files: [save('train.csv', '1,0\n2,1\n')],
    targets: [{ columns: [-1] }],
    validation: { files: [save('held.csv', '7,1\n')] },
  };
  const { training, validation } = await open(data, ports([1], [2], 'categoricalCrossentropy'));
  expect(training.rows.length).toBe(2);
  expect(validation && [inputs(validation), targets(validation)]).toEqual([[7], [0, 1]]);
  const wider = { ...data, validation: { files: [save('wider.csv', '7,7,1\n')] } };
  const error = await errorOf(open(wider, ports([1], [2], 'categoricalCrossentropy')));
  expect(error.message).toMatch(/wider\.csv.*number of columns differs/);
});

test('the digits: 1,797 examples of 64 pixels, ten classes', async () => {
  const data = csvData.parse({
    format: 'csv',
    files: ['media/examples/digits/digits.csv'],
    inputs: [{ columns: ['0..63'], divideBy: 16 }],
    targets: [{ columns: [-1] }],
  });
  const root = path.resolve(import.meta.dirname, '../../..');
  const digits = await openExamples(data, root, ports([8, 8, 1], [10], 'categoricalCrossentropy'), {
    share: 0.2,
    seed: 3,
  });
  expect([digits.training.rows.length, digits.validation?.rows.length]).toEqual([1438, 359]);
  const pixels = inputs(digits.training);
  expect(pixels.every((pixel) => pixel >= 0 && pixel <= 1 && Number.isInteger(pixel * 16))).toBe(true);
  const perClass = new Array<number>(10).fill(0);
  targets(digits.training).forEach((one, i) => (perClass[i % 10] = (perClass[i % 10] ?? 0) + one));
  expect(perClass.reduce((sum, count) => sum + count)).toBe(1438);
  expect(Math.min(...perClass)).toBeGreaterThan(120);
});
