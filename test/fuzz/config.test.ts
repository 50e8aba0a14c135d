// An accumulation config of any content: read, or told with mistakes whose places are in the text; never thrown, never hung.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { accumulationConfig } from '../../src/planning/configSchema';
import { planOfConfig } from '../../src/planning/planOfConfig';
import { readConfig } from '../../src/planning/readConfig';
import { updateConfig, writeConfig } from '../../src/planning/writeConfig';
import { fuzzRuns, fuzzedJson } from './jsonTexts';

const script = {
  $schema: 'https://example.org/schema.json',
  version: 1,
  entry: 'train.js',
  backend: 'cpu',
  targetBatchSize: 64,
  microbatchSize: 8,
  training: { kind: 'script', arguments: ['--epochs', '3'], folder: '.', nodeArguments: ['--trace-gc'] },
};
const csv = {
  ...script,
  entry: 'model/model.json',
  training: {
    kind: 'model',
    epochs: 3,
    validationSplit: 0.1,
    seed: 7,
    loss: 'meanSquaredError',
    optimizer: { name: 'adam', learningRate: 0.01 },
    metrics: ['accuracy'],
    classWeight: { 0: 1, 1: 5 },
    shapes: { '*': [28, 28, 1] },
    earlyStopping: { patience: 3 },
    data: {
      format: 'csv',
      files: ['a.csv'],
      delimiter: ';',
      inputs: [{ columns: ['0..3'], divideBy: 255 }],
      targets: [{ columns: [-1], encode: 'oneHot', classes: ['no', 'yes'] }],
    },
  },
};
const npy = {
  ...csv,
  training: {
    ...csv.training,
    data: { format: 'npy', inputs: [{ file: 'x.npy', standardize: true }], targets: [{ file: 'y.npy' }] },
  },
};
const keys = [
  ...Object.keys(script),
  ...Object.keys(csv.training),
  ...Object.keys(csv.training.data),
  'measured',
  'kind',
  'arguments',
  'format',
];

function mustBeTold(text: string): void {
  const { config, problems } = readConfig(text);
  if (config !== undefined) {
    expect(accumulationConfig.safeParse(config).success).toBe(true);
    planOfConfig(config);
    // What was read can be written, and is read as the same again.
    expect(readConfig(writeConfig(config)).config).toEqual(config);
    expect(readConfig(updateConfig(text, config)).config).toEqual(config);
    return;
  }
  expect(problems.length).toBeGreaterThan(0);
  expect(problems.length).toBeLessThanOrEqual(100);
  const lines = text.split(/\r\n|\n|\r/).length;
  for (const { offset, length, line, column, message } of problems) {
    expect(offset).toBeGreaterThanOrEqual(0);
    expect(length).toBeGreaterThanOrEqual(0);
    expect(offset + length).toBeLessThanOrEqual(text.length);
    expect(line).toBeGreaterThanOrEqual(1);
    expect(line).toBeLessThanOrEqual(lines);
    expect(column).toBeGreaterThanOrEqual(1);
    expect(column).toBeLessThanOrEqual(text.length + 1);
    expect(message).not.toBe('');
    expect(message.length).toBeLessThan(3000);
  }
}

for (const [name, sound] of Object.entries({ script, csv, npy })) {
  test(`a config of kind ${name} is sound, and any change of it is told`, () => {
    expect(readConfig(JSON.stringify(sound)).problems).toBeUndefined();
    fc.assert(fc.property(fuzzedJson(sound, keys), mustBeTold), fuzzRuns(400));
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
}

test.each([
  ['nested beyond any stack', `${'['.repeat(500_000)}${']'.repeat(500_000)}`],
  ['nested and never closed', '{"a":'.repeat(300_000)],
  ['of a great many unknown keys', `{${Array.from({ length: 100_000 }, (_, i) => `"k${i}":1`).join()}}`],
  ['of one key again and again', `{${Array.from({ length: 100_000 }, () => '"entry":1').join()}}`],
  [
    'of a great many wrong trials',
    JSON.stringify({ ...script, measured: { trials: Array(100_000).fill(0) } }),
  ],
  ['of a very long key', `{"${'targetBatchSize'.repeat(100_000)}":1}`],
  ['of a very long value', JSON.stringify({ ...script, targetBatchSize: 'x'.repeat(2_000_000) })],
  ['of nothing but quotes', '"\\'.repeat(500_000)],
  ['of nothing but signs', '@'.repeat(2_000_000)],
  ['of comments that do not end', '/*'.repeat(500_000)],
  ['longer than any config', ' '.repeat(3_000_000)],
])('a text %s', (_name, text) => {
  expect(readConfig(text).config).toBeUndefined();
  mustBeTold(text);
});
