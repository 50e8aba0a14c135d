// Training calls in scripts as people write them.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { findTrainingCalls } from '../../../src/editor/trainingCalls';

const tfjs = "const tf = require('@tensorflow/tfjs');\n";

describe('training calls', () => {
  it('are found with line and batch size in the shipped example', () => {
    const script = readFileSync(
      path.resolve(import.meta.dirname, '../../../media/examples/digits/train.js'),
      'utf8',
    );
    const line = script.split('\n').findIndex((text) => text.includes('model.fit('));
    expect(findTrainingCalls(script)).toEqual([{ method: 'fit', line, batchSize: null }]);
  });

  it.each([
    ['a number', 'await model.fit(x, y, { epochs: 2, batchSize: 2048 });', 2048],
    ['a number with separators', 'model.fit(x, y, { batchSize: 4_096, epochs: 1 })', 4096],
    ['a constant', 'const BATCH = 512;\nmodel.fit(x, y, { batchSize: BATCH });', 512],
    ['the shorthand of a constant', 'const batchSize = 64;\nmodel.fit(x, y, { batchSize, epochs: 3 });', 64],
    ['a typed constant', 'const SIZE: number = 48;\nmodel.fit(x, y, {\n  batchSize: SIZE,\n});', 48],
    [
      'a constant that stands there twice',
      'let n = 1;\n{ const n = 2; }\nmodel.fit(x, y, { batchSize: n });',
      null,
    ],
    ['an expression', 'model.fit(x, y, { batchSize: 2 * 16 });', null],
    ['something of an options object', 'model.fit(x, y, { batchSize: Number(options.batch) });', null],
    ['none', 'model.fit(x, y, { epochs: 2 });', null],
    ['one of another call', 'model.fit(x, y, { epochs: 2 });\nother({ batchSize: 7 });', null],
    ['one in a nested call', 'model.fit(load({ a: 1 }), y, { batchSize: 9 });', 9],
    ['zero', 'model.fit(x, y, { batchSize: 0 });', null],
  ])('know a batch size that is %s', (_, code, batchSize) => {
    expect(findTrainingCalls(tfjs + code).map((call) => call.batchSize)).toEqual([batchSize]);
  });

  it('of all three kinds are told apart, each at its own line', () => {
    const code = `${tfjs}model\n  .fitDataset(data, {\n});\nmodel.trainOnBatch(x, y);\nm.fit(x, y);\n`;
    expect(findTrainingCalls(code).map(({ method, line }) => [method, line])).toEqual([
      ['fitDataset', 2],
      ['trainOnBatch', 4],
      ['fit', 5],
    ]);
  });

  it.each([
    ['a line comment', '// model.fit(x, y)'],
    ['a block comment', '/* model.fit(x,\n y) */'],
    ['a string', "log('then model.fit(x, y)')"],
    ['a template', 'log(`model.fit(x)`)'],
    ['another method', 'model.fitToWindow(); curve.outfit(1); fit(x)'],
  ])('in %s are none', (_, code) => {
    expect(findTrainingCalls(tfjs + code)).toEqual([]);
  });

  it('of other libraries are none: their scripts have nothing of TensorFlow.js', () => {
    expect(findTrainingCalls('regression.fit(x, y);')).toEqual([]);
  });

  it('are looked for in a large text without end of a comment, a string or a bracket', () => {
    for (const rest of ['/*', "'", '`', 'model.fit(', '(((((']) {
      const code = tfjs + 'a = b + c;\n'.repeat(50_000) + rest;
      expect(findTrainingCalls(code).length).toBeLessThanOrEqual(1);
    }
  });
});
