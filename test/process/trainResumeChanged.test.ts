// A training that is gone on with after its script was changed, or after figures of it were lost: each is told in one
// sentence, once, and the training does what the sentence says.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newestSound } from '../../src/engine/train/checkpointReader';
import { type Ended } from '../support/childRun';
import { largestDifference, updatesOf, weightsOf } from '../support/recoveryRuns';
import { buildTrainProgram, type Project, type TrainProgram } from '../support/trainProgram';
import { mlp, stopsAfter } from '../support/trainScripts';

let program: TrainProgram;
beforeAll(async () => {
  program = await buildTrainProgram();
});
afterAll(() => program.remove());

const sizes = { targetBatchSize: 32, microbatchSize: 12 };
const adam = 'tf.train.adam(0.01)';

/** A project whose script was stopped after its n-th update; three are an epoch. */
async function stopped(
  update: number,
  script = mlp({ epochs: 3, callbacks: stopsAfter(update) }),
): Promise<Project> {
  const project = program.project({ script, ...sizes });
  expect(await project.run()).toMatchObject({ code: 130, err: '' });
  return project;
}

/** Goes on with another script. */
function resumeWith(project: Project, script: string): Promise<Ended> {
  writeFileSync(path.join(project.folder, 'train.cjs'), script);
  return project.run('--resume');
}

/** The same script, never stopped. */
async function undisturbed(script: string): Promise<Project> {
  const whole = program.project({ script, ...sizes });
  expect(await whole.run()).toMatchObject({ code: 0, err: '' });
  return whole;
}

function expectTold({ out }: Ended, sentence: string): void {
  const notes = out.split('\n').filter((line) => line.includes('Note:'));
  expect(notes.map((line) => line.replace(/^.*Note: /, ''))).toEqual([sentence]);
}

test('another learning rate: the saved one is used, to the very bits', async () => {
  const [project, whole] = await Promise.all([stopped(4), undisturbed(mlp({ epochs: 3, optimizer: adam }))]);
  const ended = await resumeWith(project, mlp({ epochs: 3, optimizer: 'tf.train.adam(0.5)' }));
  expect(ended).toMatchObject({ code: 0, err: '' });
  expectTold(
    ended,
    'The script was changed for model "small": its learning rate is 0.5, the saved one is 0.01: the saved one is used.',
  );
  expect(project.read('weights.json')).toBe(whole.read('weights.json'));
});

test('another optimizer: the new one goes on from the saved weights, and has learnt nothing yet', async () => {
  const sgd = 'tf.train.sgd(0.1)';
  // One epoch with the one, then two with the other, as a script would do it itself.
  const two = mlp({ epochs: 1, optimizer: adam }).replace(
    "fs.writeFileSync('weights.json'",
    `model.compile({ optimizer: ${sgd}, loss: 'binaryCrossentropy', metrics: ['accuracy'] });
     await model.fit(x, y, { epochs: 2, batchSize: 32, shuffle: false, validationSplit: 0.2, verbose: 0 });
     fs.writeFileSync('weights.json'`,
  );
  const [project, whole] = await Promise.all([stopped(3), undisturbed(two)]);
  const ended = await resumeWith(project, mlp({ epochs: 3, optimizer: sgd }));
  expect(ended).toMatchObject({ code: 0, err: '' });
  expectTold(
    ended,
    'The script was changed for model "small": its optimizer is SGD, not Adam: what the saved one had learnt of the gradients is not used.',
  );
  expect(largestDifference(weightsOf(project), weightsOf(whole))).toBeLessThan(1e-6);
  expect(updatesOf(project)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
});

test('fewer epochs than are done: nothing is trained, and the model is the saved one', async () => {
  const project = await stopped(4);
  const saved = newestSound(path.join(project.runFolder, 'checkpoints')).sound?.model(0);
  const weights = saved?.tensors.filter(({ name }) => name.startsWith('weight/'));
  const ended = await resumeWith(project, mlp({ epochs: 1 }));
  expect(ended).toMatchObject({ code: 0, err: '' });
  expectTold(
    ended,
    "The script's training call ends before where the saved training stands (epoch 2, update 4): nothing was trained, and its model is the saved one.",
  );
  expect(updatesOf(project)).toEqual([0, 1, 2, 3]);
  expect(weightsOf(project)).toEqual(weights?.flatMap(({ values }) => [...values]));
});

test('fewer training calls than are done: nothing is trained, and said so', async () => {
  const second = `await model.fit(x, y, { epochs: 1, batchSize: 32, shuffle: false, verbose: 0, callbacks: ${stopsAfter(2)} });`;
  const project = await stopped(2, mlp({ epochs: 1, extra: second }));
  const before = updatesOf(project);
  const ended = await resumeWith(project, mlp({ epochs: 1 }));
  expect(ended).toMatchObject({ code: 0, err: '' });
  expectTold(
    ended,
    'The script ended before it came to where the saved training stands: it trains less than it did. Nothing new was trained.',
  );
  expect(updatesOf(project)).toEqual(before);
});

test('figures that were torn: the script is told NaN for them, and the weights are the very same', async () => {
  const tells = (callbacks: string): string =>
    `[{ onBatchEnd: (_, logs) => fs.appendFileSync('told.txt', logs.loss + '\\n') }, ${callbacks}]`;
  const script = mlp({ epochs: 3, callbacks: tells(stopsAfter(5)) });
  const [project, whole] = await Promise.all([
    stopped(5, script),
    undisturbed(mlp({ epochs: 3, callbacks: tells('{}') })),
  ]);
  const file = path.join(project.runFolder, 'events.ndjson');
  const torn = (line: string): string =>
    /"type":"update".*"update":[12],/.test(line) ? line.slice(0, line.length / 2) : line;
  writeFileSync(file, readFileSync(file, 'utf8').split('\n').map(torn).join('\n'));
  writeFileSync(path.join(project.folder, 'told.txt'), '');
  const ended = await project.run('--resume');
  expect(ended).toMatchObject({ code: 0, err: '' });
  expectTold(
    ended,
    'The figures of 2 updates are not in events.ndjson any more: the script was told NaN for them. The weights do not depend on it.',
  );
  expect(project.read('weights.json')).toBe(whole.read('weights.json'));
  const told = whole.read('told.txt').split('\n');
  expect(project.read('told.txt').split('\n')).toEqual([told[0], 'NaN', 'NaN', ...told.slice(3)]);
});
