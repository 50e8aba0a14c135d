// The shipped examples, planned and trained by the real command line on the default backend, reach what they promise.
import { cpSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AccumulationConfig } from '../../src/planning/configSchema';
import { plan as planSchema, type Plan } from '../../src/planning/plan';
import { readConfig } from '../../src/planning/readConfig';
import { exitCodes } from '../../src/protocol/exitCodes';
import { type Ended } from '../support/childRun';
import { openCommandProject, type CommandProject } from '../support/commandLine';

const examples = path.resolve(import.meta.dirname, '../../media/examples');
/** Seconds that a slow machine may take for one example. */
const limit = 240;
let project: CommandProject;
beforeEach(() => {
  project = openCommandProject();
});
afterEach(() => {
  const left = { files: project.leftovers(), processes: project.processes() };
  project.remove();
  expect(left).toEqual({ files: [], processes: [] });
});

/** A copy of what is shipped, without what earlier runs left there. */
function copy(example: string, names: readonly string[]): void {
  for (const name of names) cpSync(path.join(examples, example, name), project.path(`${example}/${name}`));
}

async function planned(...argv: string[]): Promise<Plan> {
  const ended = await project.run(['plan', ...argv, '--json']);
  expect(ended.code, ended.err).toBe(exitCodes.done);
  return planSchema.parse(JSON.parse(ended.out));
}

async function trained(config: string): Promise<Ended> {
  const ended = await project.run(['train', config]);
  expect(ended.code, ended.out + ended.err).toBe(exitCodes.done);
  return ended;
}

function configIn(name: string): AccumulationConfig {
  const { config, problems } = readConfig(project.read(name));
  if (config === undefined) throw new Error(JSON.stringify(problems));
  return config;
}

/** The last figure that a line of epochs tells under this name. */
function lastFigure({ out }: Ended, name: string): number {
  return Number([...out.matchAll(new RegExp(`\\b${name} ([\\d.]+)`, 'g'))].at(-1)?.[1]);
}

test(
  'digits, with a budget that asks for accumulation, reads 95 % of the held-out images',
  { timeout: limit * 1000 },
  async () => {
    copy('digits', ['train.js', 'digits.csv', 'package.json']);
    const free = await planned('digits/train.js', '--target-batch', '256');
    // How much a process takes by itself differs between machines; here is room for about 100 of the 256 images.
    const { fixedBytes = 0, bytesPerExample = 0 } = free.memory ?? {};
    const budget = String(Math.ceil(fixedBytes + 100 * bytesPerExample));
    const plan = await planned('digits/train.js', '--target-batch', '256', '--budget', budget);
    expect(plan).toMatchObject({ targetBatchSize: 256, proof: 'budget', budgetBytes: Number(budget) });
    expect(plan.accumulationSteps).toBeGreaterThan(1);
    expect(plan.microbatchSizes.reduce((sum, size) => sum + size, 0)).toBe(256);
    const ended = await trained('digits/train.accumulation.json');
    const accuracy = Number(/Accuracy on 360 held-out images: ([\d.]+) %/.exec(ended.out)?.[1]);
    expect(accuracy, ended.out).toBeGreaterThanOrEqual(95);
    // The script's own code after fit has run: it saved its model.
    expect(JSON.parse(project.read('digits/trained/model.json'))).toMatchObject({ format: 'layers-model' });
  },
);

test(
  'text, TypeScript with fitDataset, trains with a target batch of four of its own batches',
  { timeout: limit * 1000 },
  async () => {
    copy('text', ['train.ts', 'package.json']);
    const plan = await planned('text/train.ts', '--target-batch', '200');
    expect(plan).toMatchObject({ targetBatchSize: 200, model: { name: 'language' } });
    const ended = await trained('text/train.accumulation.json');
    // 1,500 words in batches of 200: eight updates in each of the four epochs.
    expect(ended.out).toContain(': 4 epochs, 32 updates.');
    expect(ended.out).toMatch(/A new word looks (italian|german|japanese)\./);
    // Three languages: a guess is right in a third of all words.
    expect(lastFigure(ended, 'val_acc')).toBeGreaterThan(0.5);
  },
);

test(
  'model, a model.json, is planned with the data that its config names and reaches 95 % on held-out images',
  { timeout: limit * 1000 },
  async () => {
    copy('model', ['model.json', 'weights.bin', 'model.accumulation.json', 'digits.csv']);
    const { training } = configIn('model/model.accumulation.json');
    const plan = await planned('model/model.json');
    expect(plan).toMatchObject({ entry: 'model/model.json', targetBatchSize: 256 });
    expect(configIn('model/model.accumulation.json').training).toEqual(training);
    const ended = await trained('model/model.accumulation.json');
    expect(lastFigure(ended, 'val_acc'), ended.out).toBeGreaterThan(0.95);
    expect(JSON.parse(project.read('model/trained/model.json'))).toMatchObject({ format: 'layers-model' });
  },
);
