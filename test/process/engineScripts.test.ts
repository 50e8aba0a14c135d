// Scripts as users have them, started and measured unchanged: module systems, launchers, errors, endings.
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openWorkshop, problemOf, type Workshop } from '../support/engineWorkshop';

let workshop: Workshop;
beforeAll(async () => {
  workshop = await openWorkshop();
});
afterAll(() => workshop.remove());

/** A small training; `tf` is in scope. What stands after fit must never run. */
const training = `
const model = tf.sequential({ layers: [tf.layers.dense({ units: 4, inputShape: [8] }), tf.layers.dense({ units: 1 })] });
model.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
const done = model.fit(tf.ones([12, 8]), tf.ones([12, 1]), { batchSize: 6, epochs: 2, verbose: 0 });
`;
const afterwards = `require('node:fs').writeFileSync(require('node:path').join(__dirname, 'trained'), '')`;

test('a CommonJS script is measured with its own arguments and folder, and nothing after fit runs', async () => {
  const entry = workshop.write(
    'train.cjs',
    `const tf = require('@tensorflow/tfjs');
     if (require.main !== module) throw new Error('not the main module');
     if (process.argv[2] !== '--name' || process.argv[3] !== 'a b') throw new Error('arguments: ' + process.argv.slice(2));
     if (process.cwd() !== __dirname) throw new Error('folder: ' + process.cwd());
     if (tf.getBackend() !== 'cpu') throw new Error('the backend is not there at the first line');
     process.on('exit', () => ${afterwards});
     ${training}
     done.then(() => ${afterwards});`,
  );
  const result = await workshop.profile({ entry, backend: 'cpu', arguments: ['--name', 'a b'] });
  expect(result.inspection).toMatchObject({
    method: 'fit',
    scriptBatchSize: 6,
    examples: 12,
    targetBatchSize: 6,
  });
  expect(result.search).toMatchObject({ largest: 6, proof: 'cap' });
  expect(result.exactness?.relativeDifference).toBeLessThan(1e-4);
  expect(existsSync(path.join(workshop.folder, 'trained'))).toBe(false);
  expect(workshop.leftovers()).toEqual([]);
});

test('an ES module is measured', async () => {
  const entry = workshop.write(
    'train.mjs',
    `import * as tf from '@tensorflow/tfjs';\n${training}\nawait done;`,
  );
  const result = await workshop.profile({ entry, backend: 'cpu' });
  expect(result.search?.largest).toBe(6);
});

test("TypeScript is measured through the project's tsx", async () => {
  const entry = workshop.write(
    'train.mts',
    `import * as tf from '@tensorflow/tfjs';\nconst rows: number = 12;\n${training}\nawait done;`,
  );
  const result = await workshop.profile({ entry, backend: 'cpu' });
  expect(result.inspection.examples).toBe(12);
  expect(result.search?.largest).toBe(6);
});

test('a script behind npm and a shell is measured in the process that trains', async () => {
  workshop.write('package.json', JSON.stringify({ scripts: { train: 'node work.cjs' } }));
  workshop.write('work.cjs', `const tf = require('@tensorflow/tfjs');\n${training}`);
  const entry = workshop.write(
    'launch.cjs',
    `const { status } = require('node:child_process').spawnSync('npm', ['run', 'train'], { stdio: 'inherit', shell: true });
     process.exit(status);`,
  );
  const result = await workshop.profile({ entry, backend: 'cpu' });
  expect(result.search?.largest).toBe(6);
});

test('a target larger than the script’s own batch is measured, up to the number of examples', async () => {
  const entry = workshop.write('target.cjs', `const tf = require('@tensorflow/tfjs');\n${training}`);
  const result = await workshop.profile({ entry, backend: 'cpu', targetBatchSize: 100 });
  expect(result.search).toMatchObject({ largest: 12, proof: 'cap' });
});

test("a script that throws is shown with the user's own file and line", async () => {
  const entry = workshop.write('throws.cjs', `require('@tensorflow/tfjs');\n\nnull.size;\n`);
  const problem = await problemOf(workshop.profile({ entry, backend: 'cpu' }));
  expect(problem).toMatchObject({ problem: 'failed', failure: { file: entry, line: 3 } });
  expect(problem.message).toContain('TypeError');
});

test.each(['cjs', 'mjs', 'ts'])(
  "a syntax error is shown with the user's own file and line (.%s)",
  async (extension) => {
    const entry = workshop.write(`syntax.${extension}`, 'const good = 1;\nconst = 5;\n');
    const problem = await problemOf(workshop.profile({ entry, backend: 'cpu' }));
    expect(problem.failure).toMatchObject({ file: entry, line: 2 });
  },
);

test('TypeScript errors point into the source, not into what was made of it', async () => {
  const entry = workshop.write(
    'deep.ts',
    `interface Unused { a: number }\n\nfunction fail(): never {\n  throw new Error('on line four');\n}\nfail();\n`,
  );
  const problem = await problemOf(workshop.profile({ entry, backend: 'cpu' }));
  expect(problem.failure).toMatchObject({ file: entry, line: 4 });
});

test('an error in the model is shown as it is, and is no out-of-memory', async () => {
  const entry = workshop.write(
    'shape.cjs',
    `const tf = require('@tensorflow/tfjs');\n${training.replace('[12, 1]', '[12, 3]')}`,
  );
  const problem = await problemOf(workshop.profile({ entry, backend: 'cpu' }));
  expect(problem.problem).toBe('failed');
  expect(problem.message).toMatch(/shape/i);
});

test('a script that catches its own error and exits is shown with what it printed', async () => {
  const entry = workshop.write(
    'caught.cjs',
    `async function main() {\n  throw new RangeError('no such data set');\n}\nmain().catch((error) => {\n  console.error(error);\n  process.exit(3);\n});`,
  );
  const problem = await problemOf(workshop.profile({ entry, backend: 'cpu' }));
  expect(problem.message).toContain('no such data set');
  expect(problem.failure).toMatchObject({ file: entry, line: 2 });
});

test('a script that exits before it trains is told so', async () => {
  const entry = workshop.write('exits.cjs', `require('@tensorflow/tfjs');\nprocess.exit(0);`);
  const problem = await problemOf(workshop.profile({ entry, backend: 'cpu' }));
  expect(problem).toMatchObject({ problem: 'neverTrained', exitCode: 1 });
  expect(problem.message).toContain('without calling fit');
});

test('a script without TensorFlow.js is told so', async () => {
  const entry = workshop.write('plain.cjs', `console.log('hello');`);
  const problem = await problemOf(workshop.profile({ entry, backend: 'cpu' }));
  expect(problem.message).toContain('without loading TensorFlow.js');
});

test('a training loop of the script’s own is recognised while it runs', async () => {
  const entry = workshop.write(
    'loop.cjs',
    `const tf = require('@tensorflow/tfjs');
     const w = tf.variable(tf.ones([4]));
     const optimizer = tf.train.sgd(0.1);
     for (;;) optimizer.minimize(() => tf.sum(tf.square(w)));`,
  );
  const problem = await problemOf(workshop.profile({ entry, backend: 'cpu' }));
  expect(problem).toMatchObject({ problem: 'neverTrained' });
  expect(problem.message).toContain('loop of its own');
});

test('a data set that gives no batch is told so', async () => {
  const entry = workshop.write(
    'empty.cjs',
    `const tf = require('@tensorflow/tfjs');
     const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });
     model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
     model.fitDataset(tf.data.array([]), { epochs: 1 });`,
  );
  const problem = await problemOf(workshop.profile({ entry, backend: 'cpu' }));
  expect(problem.problem).toBe('failed');
});

test('a script that needs longer than it may is ended, and told so', async () => {
  const entry = workshop.write('slow.cjs', `setTimeout(() => {}, 60_000);`);
  const problem = await problemOf(
    workshop.profile({ entry, backend: 'cpu' }, { timeouts: { startupMs: 2_000 } }),
  );
  expect(problem.message).toContain('did not come to its first update within 2 seconds');
});

test('a script that needs a while before fit is waited for', async () => {
  const entry = workshop.write(
    'patient.mjs',
    `import * as tf from '@tensorflow/tfjs';\nawait new Promise((resolve) => setTimeout(resolve, 5_000));\n${training}`,
  );
  const result = await workshop.profile(
    { entry, backend: 'cpu' },
    { timeouts: { startupMs: 60_000, trialMs: 1_000 } },
  );
  expect(result.search?.largest).toBe(6);
});

test('what the script prints, rubbish and very long lines too, changes nothing and is passed on', async () => {
  const entry = workshop.write(
    'noisy.cjs',
    `const tf = require('@tensorflow/tfjs');
     process.stdout.write('x'.repeat(5_000_000));
     process.stdout.write(Buffer.from([0, 255, 254, 10, 123, 10]));
     console.log(JSON.stringify({ type: 'trialFits' }));
     console.error('JavaScript heap out of memory');
     ${training}`,
  );
  let printed = 0;
  const result = await workshop.profile(
    { entry, backend: 'cpu' },
    { onOutput: (_stream, text) => void (printed += text.length) },
  );
  expect(result.search?.largest).toBe(6);
  // Node writes to a socket in the background: what was not yet written when the child left is lost.
  expect(printed).toBeGreaterThan(100_000);
});

test('a script that prints nothing at all is measured', async () => {
  const entry = workshop.write(
    'quiet.cjs',
    `console.log = console.error = console.warn = () => {};\nconst tf = require('@tensorflow/tfjs');\n${training}`,
  );
  expect((await workshop.profile({ entry, backend: 'cpu' })).search?.largest).toBe(6);
});

test('rubbish in the report file is passed over', async () => {
  const entry = workshop.write(
    'rubbish.cjs',
    `const fs = require('node:fs');
     const { reportFile } = JSON.parse(fs.readFileSync(process.env.BATCH_PLANNER_JOB, 'utf8'));
     fs.appendFileSync(reportFile, 'no json\\n{"type":"unheard of"}\\n' + 'y'.repeat(6_000_000) + '\\n');
     const tf = require('@tensorflow/tfjs');
     ${training}`,
  );
  const rubbish: string[] = [];
  const result = await workshop.profile(
    { entry, backend: 'cpu' },
    { onRubbish: (line) => rubbish.push(line) },
  );
  expect(result.search?.largest).toBe(6);
  expect(rubbish).toContain('no json');
});

test('a script in a folder of its own works through a link, and its job leaves nothing behind', async () => {
  const elsewhere = path.join(workshop.folder, 'real');
  mkdirSync(elsewhere, { recursive: true });
  const entry = workshop.write('real/train.cjs', `const tf = require('@tensorflow/tfjs');\n${training}`);
  const result = await workshop.profile({ entry, backend: 'cpu' });
  expect(result.backend.name).toBe('cpu');
  rmSync(elsewhere, { recursive: true });
  expect(workshop.leftovers()).toEqual([]);
});
