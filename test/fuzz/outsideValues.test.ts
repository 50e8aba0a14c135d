// What the page, tasks.json, a window's kept state, jobs and planning processes say, of any shape: taken or refused, never thrown.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type * as z from 'zod';
import { accumulationConfig } from '../../src/planning/configSchema';
import { taskDefinition } from '../../src/editor/taskDefinition';
import { engineJob } from '../../src/protocol/job';
import { checkOutside } from '../../src/protocol/outsideValue';
import { pageMessage, pageState } from '../../src/protocol/page';
import { planStreamMessage } from '../../src/protocol/planStream';
import { fuzzRuns, lengthless, mutationsOf } from './jsonTexts';

const csv = {
  format: 'csv',
  files: ['a.csv'],
  delimiter: ';',
  inputs: [{ columns: ['0..3'] }],
  targets: [{ columns: [-1], encode: 'oneHot', classes: ['no', 'yes'] }],
};
const model = { kind: 'model', epochs: 3, data: csv, shapes: { '*': [28, 28, 1] } };
const config = {
  version: 1,
  entry: 'model.json',
  backend: 'cpu',
  targetBatchSize: 64,
  microbatchSize: 8,
  training: model,
};
const job = {
  version: 1,
  mode: 'measure',
  reportFile: '/reports.ndjson',
  parentPid: 1,
  entry: '/model.json',
  backend: null,
  passOver: [],
  targetBatchSize: null,
  trials: [1, 2],
  selfCheck: false,
  model: { training: model, folder: '/' },
};

const entries: readonly [string, z.ZodType, unknown][] = [
  ['a message that names a run', pageMessage, { type: 'showRun', run: 'r' }],
  ['a message that compares a run', pageMessage, { type: 'compareRun', run: 'r' }],
  ['a message with a text to copy', pageMessage, { type: 'copyText', text: 't' }],
  ['what a page has kept', pageState, { entry: '/train.js', open: ['charts'] }],
  ['a task', taskDefinition, { type: 'batchPlanner', config: 'a.accumulation.json', resume: true }],
  ['the config of a run', accumulationConfig, config],
  ['the job of a run', engineJob, job],
  [
    'a message of planning',
    planStreamMessage,
    { type: 'failed', failure: { kind: 'script', message: 'm', file: null, line: null, remedy: null } },
  ],
];

/** Places of a value in which something else may stand. */
function places(value: unknown): ((instead: unknown) => unknown)[] {
  if (typeof value !== 'object' || value === null) return [(instead) => instead];
  const inside = Object.entries(value).flatMap(([key, part]: [string, unknown]) =>
    places(part).map((put) => (instead: unknown) => {
      const copy: unknown = Array.isArray(value) ? [...(value as unknown[])] : { ...value };
      Reflect.set(copy as object, key, put(instead));
      return copy;
    }),
  );
  return [(instead) => instead, ...inside];
}

test.each(entries)(
  '%s: taken as it is, and of any other shape no error is thrown',
  (_name, schema, sound) => {
    expect(checkOutside(schema, sound).success).toBe(true);
    fc.assert(
      fc.property(mutationsOf(sound), (value) => {
        const checked = checkOutside(schema, value);
        // Where no key is called so, it is the schema's own answer.
        if (!JSON.stringify(value)?.includes('"length"')) {
          expect(checked).toEqual(schema.safeParse(value));
        } else if (checked.success) expect(checked.data).toEqual(schema.parse(value));
      }),
      fuzzRuns(300),
    );
  },
);

test.each(entries)(
  '%s: a length that cannot be compared is refused at each place',
  (_name, schema, sound) => {
    for (const put of places(sound)) {
      fc.assert(
        fc.property(lengthless, (odd) => {
          expect(checkOutside(schema, put(odd)).success).toBe(false);
        }),
        { numRuns: 5 },
      );
    }
  },
);

test('a list of numbers as a length is none of these: a shape may be called so', () => {
  const shapes = { ...model, shapes: { length: [28, 28, 1] } };
  expect(checkOutside(accumulationConfig, { ...config, training: shapes }).success).toBe(true);
});

test('a value that leads back into itself, or is nested deeper than any stack, is told like any other', () => {
  const round: Record<string, unknown> = { type: 'showRun', run: 'r' };
  round['run'] = round;
  expect(checkOutside(pageMessage, round).success).toBe(false);
  let deep: unknown = { length: { toString: 1 } };
  for (let level = 0; level < 100_000; level++) deep = [deep];
  expect(checkOutside(pageMessage, { type: 'showRun', run: deep }).success).toBe(false);
});
