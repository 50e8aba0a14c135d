// The accumulation config: what is written is read back; each mistake has its place and its sentence.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AccumulationConfig, configJsonSchema, configNameOf } from '../../../src/planning/configSchema';
import { buildPlan, type PlanInput } from '../../../src/planning/buildPlan';
import { plan as planSchema } from '../../../src/planning/plan';
import { planOfConfig } from '../../../src/planning/planOfConfig';
import { readConfig } from '../../../src/planning/readConfig';
import { positionAt } from '../../../src/planning/textPosition';
import { type ConfigFacts, configOfPlan, updateConfig, writeConfig } from '../../../src/planning/writeConfig';

const planInput: PlanInput = {
  entry: '/home/me/train.js',
  inspection: {
    modelName: 'digits',
    parameters: 1234,
    fingerprint: 'abc',
    stockOptimizer: { name: 'momentum', learningRate: 0.02, momentum: 0.8, useNesterov: true },
    targetBatchSize: 64,
    examples: 1500,
    passThrough: null,
    warnings: [{ code: 'randomLayer', message: 'dropout is random.', layers: ['dropout'] }],
  },
  backend: { name: 'wasm', version: '4.22.0', reason: 'It has every kernel.' },
  device: { name: 'RTX 3070', busId: '00000000:01:00.0', memoryTotalBytes: 8e9, memoryFreeBytes: 6.9e9 },
  search: {
    largest: 8,
    proof: 'outOfMemory',
    trials: [
      { microbatch: 1, outcome: 'fits', peakBytes: 10.4, gradientPeakBytes: 10.4, stepMs: 1.5 },
      { microbatch: 8, outcome: 'fits', peakBytes: 80, gradientPeakBytes: 80 },
      { microbatch: 9, outcome: 'outOfMemory' },
    ],
  },
  objective: 'largest',
  budgetBytes: undefined,
  exactness: null,
  parts: null,
  warnings: [],
};
const plan = buildPlan(planInput);
const configFacts: ConfigFacts = {
  entry: 'train.js',
  training: { kind: 'script', arguments: ['--epochs', '3'], folder: '.' },
  plannedAt: new Date('2026-01-02T03:04:05Z'),
  productVersion: '0.1.0',
  nodeVersion: '20.20.2',
  tfjsVersion: '4.22.0',
};
const config = configOfPlan(plan, configFacts);

/** The config's text with some keys changed (undefined: left out), and its problems as `line:column sentence`. */
function problemsWith(changes: Record<string, unknown>): string[] {
  return problemsOf(JSON.stringify({ ...config, measured: undefined, ...changes }, null, 2));
}

function problemsOf(text: string): string[] {
  return (readConfig(text).problems ?? []).map(({ line, column, message }) => `${line}:${column} ${message}`);
}

describe('a written config', () => {
  it('is read back as it was, and written the same way again', () => {
    const text = writeConfig(config);
    expect(readConfig(text).config).toEqual(config);
    expect(writeConfig(readConfig(text).config ?? config)).toBe(text);
    expect(text.endsWith('}\n')).toBe(true);
    expect(text).toContain('\n  "targetBatchSize": 64,\n  "microbatchSize": 8,\n');
  });

  it('equals JSON for any content', () => {
    const words = fc.array(fc.string());
    const property = fc.property(words, fc.string({ minLength: 1 }), (args, folder) => {
      const other: AccumulationConfig = { ...config, training: { kind: 'script', arguments: args, folder } };
      expect(JSON.parse(writeConfig(other))).toEqual(JSON.parse(JSON.stringify(other)));
    });
    fc.assert(property);
  });

  it('has comments and trailing commas, a byte order mark or Windows line ends when a person edits it', () => {
    const text = `\uFEFF// mine\r\n${writeConfig(config).replaceAll('\n', '\r\n').replace('"microbatchSize": 8', '/* less */ "microbatchSize": 4')}`;
    expect(readConfig(text).config?.microbatchSize).toBe(4);
  });

  it('is named after its entry', () => {
    expect(configNameOf('train.js')).toBe('train.accumulation.json');
    expect(configNameOf('model.json')).toBe('model.accumulation.json');
    expect(configNameOf('train.v2.mts')).toBe('train.v2.accumulation.json');
  });

  it('a new plan leaves comments, order and training as the person left them', () => {
    const mine = `{
  // my own notes
  "version": 1,
  "targetBatchSize": 32, // from the paper
  "microbatchSize": 4,
  "entry": "train.js",
  "backend": null,
  "training": { "kind": "script", "arguments": ["--mine"], "folder": ".." },
}
`;
    const text = updateConfig(mine, config);
    expect(text).toContain('// my own notes');
    expect(text).toContain('"targetBatchSize": 64, // from the paper');
    expect(text).toContain('"training": { "kind": "script", "arguments": ["--mine"], "folder": ".." }');
    expect(text.indexOf('targetBatchSize')).toBeLessThan(text.indexOf('"entry"'));
    expect(readConfig(text).config).toEqual({
      ...config,
      training: { kind: 'script', arguments: ['--mine'], folder: '..' },
    });
    expect(updateConfig('rubbish {', config)).toBe(writeConfig(config));
    expect(updateConfig(text, config)).toBe(text);
    expect(updateConfig(mine.replaceAll('\n', '\r\n'), config)).toBe(text.replaceAll('\n', '\r\n'));
    expect(readConfig(updateConfig(text, config)).config).toEqual(readConfig(text).config);
  });
});

describe('the plan of a config', () => {
  const parts = {
    weightsBytes: 1.4,
    optimizerBytes: 2,
    accumulatorBytes: 3,
    dataBytes: 4,
    overheadBytes: 5,
  };
  const whole = buildPlan({ ...planInput, parts });
  const facts = { ...configFacts, entry: 'src/train.js' };
  const read = (text: string): AccumulationConfig => {
    const { config: found, problems } = readConfig(text);
    if (found === undefined) throw new Error(JSON.stringify(problems));
    return found;
  };

  it('is the plan that was written, but for the entry, which is named from the config', () => {
    const text = writeConfig(configOfPlan(whole, facts));
    expect(planOfConfig(read(text))).toEqual({ ...whole, entry: 'src/train.js' });
    expect(planSchema.parse(planOfConfig(read(text)))).toMatchObject({ parts: { weightsBytes: 1 } });
  });

  it('is what was measured, whatever a person has made of the two numbers since', () => {
    const config = { ...configOfPlan(whole, facts), targetBatchSize: 48, microbatchSize: 3 };
    expect(planOfConfig(read(writeConfig(config)))).toEqual({ ...whole, entry: 'src/train.js' });
  });

  it('is none where nothing was measured, or where an earlier version did not keep it', () => {
    const { measured, ...rest } = configOfPlan(whole, facts);
    expect(planOfConfig(read(writeConfig(rest)))).toBeNull();
    if (measured === undefined) throw new Error('no plan');
    const old = { ...measured, trials: measured.trials.map((trial) => ({ ...trial })) };
    delete old.planned;
    for (const trial of old.trials) delete trial.applyMs;
    expect(planOfConfig(read(writeConfig({ ...rest, measured: old })))).toBeNull();
  });
});

describe('a mistake in a config has its line, its column and a sentence', () => {
  it.each<[string, Record<string, unknown>, RegExp]>([
    ['a newer version', { version: 2 }, /^2:14 .*newer version of Batch Planner.*update Batch Planner\.$/],
    ['a version of another type', { version: '1' }, /^2:14 "version" must be 1; it is "1"\.$/],
    [
      '1.5',
      { targetBatchSize: 1.5 },
      /^5:22 "targetBatchSize" must be a whole number from 1 to 16,777,216; it is 1.5\.$/,
    ],
    ['0', { targetBatchSize: 0 }, /^5:22 "targetBatchSize" .* it is 0\.$/],
    ['-1', { microbatchSize: -1 }, /^6:21 "microbatchSize" .* it is -1\.$/],
    ['1e12', { targetBatchSize: 1e12 }, /^5:22 "targetBatchSize" .* it is 1000000000000\.$/],
    ['a text for a number', { targetBatchSize: '8' }, /^5:22 "targetBatchSize" .* it is "8"\.$/],
    ['a number for a text', { entry: 3 }, /^3:12 "entry" must be a text, not the number 3\.$/],
    [
      'a larger microbatch',
      { microbatchSize: 65 },
      /^6:21 "microbatchSize" \(65\) is larger than "targetBatchSize" \(64\)/,
    ],
    [
      'an unknown key',
      { targetBachSize: 3 },
      /^15:3 "targetBachSize" is not a known key\. Did you mean "targetBatchSize"\?$/,
    ],
    ['an unknown backend', { backend: 'wsm' }, /^4:14 "backend" must be one of .*Did you mean "wasm"\?$/],
    ['a missing key', { training: undefined }, /^1:1 "training" is missing: How the entry is trained\.$/],
    [
      'a missing inner key',
      { training: { kind: 'script', arguments: [] } },
      /^7:15 "training.folder" is missing/,
    ],
    [
      'another kind',
      { training: { kind: 'scrpt' } },
      /^8:13 "training.kind" must be one of .*Did you mean "script"\?$/,
    ],
    ['a model trained as a script', { entry: 'model.json' }, /^8:13 "training.kind" must be "model"/],
    ['an empty entry', { entry: '' }, /^3:12 Name the script or model.json\.$/],
    [
      'an argument that is no text',
      { training: { kind: 'script', arguments: ['a', 3], folder: '.' } },
      /^11:7 Each argument must be a text\.$/,
    ],
    [
      'a wrong loss of a model',
      { entry: 'model.json', training: { kind: 'model', loss: 'meanSquareError' } },
      /^9:13 "training.loss" must be one of .*Did you mean "meanSquaredError"\?$/,
    ],
  ])('%s', (_, changes, sentence) => {
    const problems = problemsWith(changes);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(sentence);
  });

  it.each([
    ['', /^1:1 The file is empty\.$/],
    ['{', /^1:2 A closing brace } is missing\.$/],
    ['{\n  "version": 1\n  "entry": 2\n}', /^3:3 A comma is expected here\.$/],
    ["{'version': 1}", /^1:2 .*double quotes\.$/],
    ['{"version": tru}', /^1:13 .*double quotes\.$/],
    ['{"entry": "C:\\scripts"}', /^1:11 .*backslash\.$/],
    ['[]', /^1:1 The config must be an object in braces, not a list\.$/],
    ['null', /^1:1 The config must be an object in braces, not null\.$/],
  ])('the text %j', (text, sentence) => {
    expect(problemsOf(text)).toEqual([expect.stringMatching(sentence)]);
  });

  it('a key that is there twice, and one that has a meaning of its own in JavaScript', () => {
    const twice = writeConfig(config).replace('"backend"', '"version": 1,\n  "backend"');
    expect(problemsOf(twice)).toEqual(['4:3 "version" is there twice: remove one of them.']);
    const odd = writeConfig(config).replace('{\n', '{\n  "__proto__": {},\n');
    expect(problemsOf(odd)).toEqual([expect.stringMatching(/^2:3 "__proto__" is not a known key\./)]);
  });

  it('all mistakes are told at once, in the order of the text', () => {
    const problems = problemsWith({ backend: 'gpu', targetBatchSize: 'x', microbatchSize: 0, extra: 1 });
    expect(problems.map((text) => Number(text.split(':')[0]))).toEqual([4, 5, 6, 15]);
  });

  it('no text makes the reader throw', () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '"',
      ',',
      ':',
      '1',
      '-',
      'null',
      '"entry"',
      '//',
      '/*',
      '\\',
      '\n',
    );
    const property = fc.property(fc.array(pieces, { maxLength: 25 }), (parts) => {
      const { problems } = readConfig(parts.join(''));
      expect(problems?.length).toBeGreaterThan(0);
      for (const { line, column, message } of problems ?? []) {
        expect(line).toBeGreaterThan(0);
        expect(column).toBeGreaterThan(0);
        expect(message).toMatch(/[.?]$/);
      }
    });
    fc.assert(property, { numRuns: 500 });
  });

  it('positions count every kind of line end', () => {
    const text = 'a\nbc\r\nd\re';
    const found = [...text]
      .map((_, offset) => positionAt(text, offset))
      .map(({ line, column }) => `${line}:${column}`);
    expect(found).toEqual(['1:1', '1:2', '2:1', '2:2', '2:3', '2:4', '3:1', '3:2', '4:1']);
  });
});

describe('the JSON Schema for editors', () => {
  const file = path.resolve(import.meta.dirname, '../../../media/accumulation.schema.json');
  const text = `${JSON.stringify(configJsonSchema(), null, 2)}\n`;

  it('is the one in media (BATCH_PLANNER_WRITE_SCHEMA=1 writes it anew)', () => {
    if (process.env.BATCH_PLANNER_WRITE_SCHEMA === '1') writeFileSync(file, text);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(JSON.parse(text));
  });

  it('describes every key that a person may write at the top', () => {
    const { properties } = configJsonSchema() as { properties: Record<string, { description?: string }> };
    expect(Object.keys(properties)).toContain('microbatchSize');
    for (const [key, { description }] of Object.entries(properties))
      expect([key, description]).toEqual([key, expect.any(String)]);
  });
});
