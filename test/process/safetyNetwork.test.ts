// Planning and training reach for no network: every process that they start is watched.
import { cpSync, existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { exitCodes } from '../../src/protocol/exitCodes';
import { type Ended } from '../support/childRun';
import { openCommandProject, type CommandProject } from '../support/commandLine';
import { saveAs } from '../unit/model/savedModels';

const examples = path.resolve(import.meta.dirname, '../../media/examples');
const hook = path.resolve(import.meta.dirname, '../support/noNetwork.mjs');
const limit = 240_000;
let project: CommandProject;
let record: string;
beforeEach(() => {
  project = openCommandProject();
  record = path.join(project.folder, '../network.txt');
});
afterEach(() => {
  const left = { files: project.leftovers(), processes: project.processes() };
  project.remove();
  expect(left).toEqual({ files: [], processes: [] });
});

const run = (...argv: string[]): Promise<Ended> =>
  project.run(argv, {
    environment: { NODE_OPTIONS: `--import ${pathToFileURL(hook).href}`, BATCH_PLANNER_TEST_NETWORK: record },
  });
const reached = (): string => (existsSync(record) ? readFileSync(record, 'utf8') : '');
/** Which programs were watched. */
const watched = (): string => readFileSync(`${record}.loaded`, 'utf8');

test('the digits example, planned and trained', { timeout: limit }, async () => {
  for (const name of ['train.js', 'digits.csv', 'package.json']) {
    cpSync(path.join(examples, 'digits', name), project.path(name));
  }
  const planned = await run('plan', 'train.js', '--target-batch', '256', '--backend', 'wasm');
  expect(planned.code, planned.out + planned.err).toBe(exitCodes.done);
  const trained = await run('train', 'train.accumulation.json');
  expect(trained.code, trained.out + trained.err).toBe(exitCodes.done);
  expect(reached()).toBe('');
  expect(watched()).toContain('dist/cli.js');
  expect(watched()).toContain(project.path('train.js'));
});

test(
  'a model whose weights are at an address: refused, and nothing is fetched',
  { timeout: limit },
  async () => {
    const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });
    for (const address of ['http://127.0.0.1:9/weights.bin', '//127.0.0.1:9/weights.bin']) {
      const file = await saveAs(project.path('model'), model, {
        change: (json) => {
          for (const group of json.weightsManifest as { paths: string[] }[]) group.paths = [address];
        },
      });
      const ended = await run('plan', file, '--target-batch', '8', '--backend', 'cpu');
      expect(ended.code, ended.out + ended.err).not.toBe(exitCodes.done);
      expect(ended.err).toContain(address);
    }
    expect(reached()).toBe('');
    expect(watched()).toContain('modelEntry.cjs');
  },
);

test('a script may do as it likes, and is seen', { timeout: limit }, async () => {
  project.write('train.cjs', "fetch('http://127.0.0.1:9/data.json');");
  const ended = await run('plan', 'train.cjs', '--target-batch', '8', '--backend', 'cpu');
  expect(ended.code).toBe(exitCodes.failed);
  expect(reached()).toContain('a fetch of http://127.0.0.1:9/data.json');
});
