// The training of a model.json entry: what may be written, the defaults, and a plain sentence for each mistake.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { editDistance, nearestName } from '../../../src/planning/nearestName';
import { modelTraining } from '../../../src/planning/modelTraining';
import { readConfig } from '../../../src/planning/readConfig';

const csv = { format: 'csv', files: ['digits.csv'], targets: [{ columns: [-1] }] };

test('only the kind must be written', () => {
  expect(modelTraining.parse({ kind: 'model' })).toEqual({
    kind: 'model',
    epochs: 10,
    validationSplit: 0,
    shuffle: true,
    seed: 1,
    output: 'trained',
    saveOptimizer: false,
  });
});

test('what a config may hold, whole', () => {
  const written = {
    kind: 'model',
    data: {
      format: 'npy',
      inputs: [
        { file: 'x.npy', divideBy: 255 },
        { file: 'z.npy', standardize: true },
      ],
      targets: [{ file: 'y.npy', encode: 'oneHot', classes: ['cat', 'dog'] }],
      validation: { inputs: ['vx.npy', 'vz.npy'], targets: ['vy.npy'] },
    },
    epochs: 3,
    validationSplit: 0,
    shuffle: false,
    seed: 42,
    loss: ['categoricalCrossentropy'],
    optimizer: { name: 'momentum', learningRate: 0.1, momentum: 0.8, useNesterov: true },
    metrics: ['accuracy', 'mse'],
    classWeight: { '0': 1, '1': 2.5 },
    earlyStopping: { monitor: 'val_acc', patience: 2, minDelta: 0.001 },
    shapes: { '*': [224, 224, 3], input_2: [1] },
    output: '../models/new',
    saveOptimizer: true,
  };
  expect(modelTraining.parse(written)).toEqual(written);
});

test("the example's config is read without a problem, and says where the data is", () => {
  const file = path.resolve(import.meta.dirname, '../../../media/examples/model/model.accumulation.json');
  const { config, problems } = readConfig(readFileSync(file, 'utf8'));
  expect(problems).toBeUndefined();
  expect(config?.training).toMatchObject({ kind: 'model', data: { format: 'csv' } });
  const { data } = modelTraining.parse(config?.training);
  const [digits = ''] = data?.format === 'csv' ? data.files : [];
  expect(existsSync(path.resolve(path.dirname(file), digits))).toBe(true);
});

describe('mistakes', () => {
  const cases: readonly [what: string, wrong: object, place: string, says: RegExp][] = [
    ['an unknown key', { epoch: 3 }, '', /epoch/],
    ['half an epoch', { epochs: 1.5 }, 'epochs', /whole number/],
    ['no epoch', { epochs: 0 }, 'epochs', /at least one/],
    ['a split of everything', { validationSplit: 1 }, 'validationSplit', /below 1/],
    [
      'a split beside validation files',
      { validationSplit: 0.1, data: { ...csv, validation: { files: ['v.csv'] } } },
      'validationSplit',
      /either from files/,
    ],
    ['an unknown loss', { loss: 'mse2' }, 'loss', /./],
    ['an unknown optimizer', { optimizer: { name: 'adamw' } }, 'optimizer.name', /./],
    [
      'a parameter that the optimizer lacks',
      { optimizer: { name: 'sgd', momentum: 0.9 } },
      'optimizer',
      /momentum/,
    ],
    [
      'a learning rate of 0',
      { optimizer: { name: 'sgd', learningRate: 0 } },
      'optimizer.learningRate',
      /above 0/,
    ],
    ['data of an unknown format', { data: { format: 'parquet' } }, 'data.format', /./],
    ['no targets', { data: { format: 'csv', files: ['a'] } }, 'data.targets', /./],
    ['no files', { data: { ...csv, files: [] } }, 'data.files', /at least one file/],
    ['half a column', { data: { ...csv, targets: [{ columns: [1.5] }] } }, 'data.targets.0.columns.0', /./],
    [
      'two ways to scale',
      { data: { ...csv, inputs: [{ standardize: true, divideBy: 2 }] } },
      'data.inputs.0',
      /leave "subtract"/,
    ],
    [
      'division by 0',
      { data: { ...csv, inputs: [{ divideBy: 0 }] } },
      'data.inputs.0.divideBy',
      /divided by 0/,
    ],
    [
      'two inputs without columns',
      { data: { ...csv, inputs: [{ columns: [0] }, {}] } },
      'data.inputs.1.columns',
      /needs its "columns"/,
    ],
    [
      'one class',
      { data: { ...csv, targets: [{ columns: [-1], classes: 1 }] } },
      'data.targets.0.classes',
      /./,
    ],
    ['a class weight by name', { classWeight: { cat: 1 } }, 'classWeight.cat', /./],
    ['a dimension of 0', { shapes: { '*': [0, 3] } }, 'shapes.*.0', /above 0/],
  ];
  for (const [what, wrong, place, says] of cases) {
    test(what, () => {
      const { error } = modelTraining.safeParse({ kind: 'model', ...wrong });
      const [issue] = error?.issues ?? [];
      expect(issue?.path.join('.')).toBe(place);
      expect(issue?.message).toMatch(says);
    });
  }
});

test('the nearest name is found by edits, and only where it is near', () => {
  expect(editDistance('kitten', 'sitting')).toBe(3);
  expect(editDistance('epohcs', 'epochs')).toBe(1);
  expect(editDistance('', 'abc')).toBe(3);
  expect(nearestName('epohcs', ['seed', 'epochs', 'shuffle'])).toBe('epochs');
  expect(nearestName('Label', ['label', 'lable'])).toBe('label');
  expect(nearestName('banana', ['seed', 'epochs'])).toBeNull();
  expect(nearestName('x', [])).toBeNull();
});
