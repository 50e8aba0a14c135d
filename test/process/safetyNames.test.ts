// Names that a shell, Node.js or a URL would read as something else, planned and trained: the same result, nothing beside it.
import { readdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { exitCodes } from '../../src/protocol/exitCodes';
import { openCommandProject, type CommandProject } from '../support/commandLine';
import { saveAs } from '../unit/model/savedModels';

const isWindows = process.platform === 'win32';
const limit = 240_000;
let project: CommandProject;
beforeEach(() => {
  project = openCommandProject();
});
afterEach(() => {
  const left = { files: project.leftovers(), processes: project.processes() };
  project.remove();
  expect(left).toEqual({ files: [], processes: [] });
});

/** Trains on its own, and tells what it was started with and the weights that came out. */
function script(kind: 'cjs' | 'mjs'): string {
  const load =
    kind === 'cjs'
      ? "const tf = require('@tensorflow/tfjs');\nconst here = __filename;"
      : "import * as tf from '@tensorflow/tfjs';\nimport { fileURLToPath } from 'node:url';\nconst here = fileURLToPath(import.meta.url);";
  return `${load}
async function main() {
  const kernelInitializer = tf.initializers.constant({ value: 0.1 });
  const model = tf.sequential();
  model.add(tf.layers.dense({ units: 1, inputShape: [4], kernelInitializer }));
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  await model.fit(tf.ones([32, 4]), tf.ones([32, 1]), { batchSize: 16, epochs: 2, shuffle: false, verbose: 0 });
  const weights = model.getWeights().flatMap((weight) => Array.from(weight.dataSync()));
  console.log('TOLD ' + JSON.stringify({ here, words: process.argv.slice(2), folder: process.cwd(), weights }));
}
main();
`;
}

interface Told {
  readonly here: string;
  readonly words: readonly string[];
  readonly folder: string;
  readonly weights: readonly number[];
}

function told(output: string): Told {
  const line = output.split('\n').find((each) => each.startsWith('TOLD '));
  if (line === undefined) throw new Error(`nothing told:\n${output}`);
  return JSON.parse(line.slice('TOLD '.length)) as Told;
}

/** Everything in the project, the run folder's own files aside. */
function names(): string[] {
  const all = readdirSync(project.folder, { recursive: true, encoding: 'utf8' });
  return all.filter((name) => !name.includes(`.batch-planner${path.sep}`)).sort();
}

async function planAndTrain(entry: string, ...words: string[]): Promise<Told> {
  const plan = ['plan', '--target-batch', '16', '--backend', 'cpu', '--budget', '4GB'];
  const planned = await project.run([...plan, '--', entry, ...words]);
  expect(planned.code, planned.out + planned.err).toBe(exitCodes.done);
  const config = entry.replace(/\.[^.]+$/, '.accumulation.json');
  const trained = await project.run(['train', '--', config]);
  expect(trained.code, trained.out + trained.err).toBe(exitCodes.done);
  return told(trained.out);
}

/** Of a script that is called as any other: 2 epochs of 2 updates from equal weights. */
async function plainWeights(): Promise<readonly number[]> {
  project.write('plain/train.cjs', script('cjs'));
  return (await planAndTrain(project.path('plain/train.cjs'))).weights;
}

const shell = isWindows
  ? "& echo x>pwned & %PATH% ^ 'q' $(x) ; `x`"
  : '$(touch pwned) ;touch pwned; `touch pwned` & "q" \'q\' | > pwned';
const words = [
  '$(touch pwned)',
  '; touch pwned',
  '`touch pwned`',
  '--require=pwned.cjs',
  '-rf',
  '%PATH%',
  '"',
  "'",
  '',
  'a\nb',
  '\\',
  '*',
];

test('of a script and its folder: what a shell would run', { timeout: limit }, async () => {
  const weights = await plainWeights();
  const entry = project.path(
    `${shell}/-rf --require=pwned.cjs ${isWindows ? '' : '"%PATH%" $(touch pwned) '}ünï💥.cjs`,
  );
  project.write(path.relative(project.folder, entry), script('cjs'));
  const before = names();
  const result = await planAndTrain(entry, ...words);
  expect(result).toEqual({ here: entry, words, folder: expect.any(String) as string, weights });
  const config = path.relative(project.folder, entry).replace(/\.cjs$/, '.accumulation.json');
  expect(names()).toEqual([...before, config, path.join(shell, '.batch-planner')].sort());
  expect(names().filter((name) => path.basename(name) === 'pwned')).toEqual([]);
});

test.skipIf(isWindows)(
  'of a module and its folder: what a URL or a line would end at',
  { timeout: limit },
  async () => {
    const weights = await plainWeights();
    const entry = project.path('line\nbreak #x?y%20%41/--eval=process.exit(7) #?%20.mjs');
    project.write(path.relative(project.folder, entry), script('mjs'));
    const result = await planAndTrain(entry, '--', '#', '?');
    expect(result).toEqual({
      here: entry,
      words: ['--', '#', '?'],
      folder: expect.any(String) as string,
      weights,
    });
  },
);

test.skipIf(isWindows)(
  'of a script that begins with a dash, as it is typed',
  { timeout: limit },
  async () => {
    const weights = await plainWeights();
    project.write('--version.cjs', script('cjs'));
    const result = await planAndTrain('--version.cjs', '--help');
    expect(result).toMatchObject({ here: project.path('--version.cjs'), words: ['--help'], weights });
  },
);

test('of a model, its weights, its data and its output', { timeout: limit }, async () => {
  const name = shell.slice(0, 60);
  const folder = project.path(`${name}/-rf`);
  const model = tf.sequential({
    layers: [tf.layers.dense({ units: 2, inputShape: [2], activation: 'softmax' })],
  });
  const saved = await saveAs(folder, model, {
    change: (json) => {
      for (const group of json.weightsManifest as { paths: string[] }[]) group.paths = [`--eval ${name}.bin`];
    },
  });
  const entry = path.join(folder, `--eval ${name}.json`);
  renameSync(saved, entry);
  renameSync(path.join(folder, 'weights.bin'), path.join(folder, `--eval ${name}.bin`));
  writeFileSync(path.join(folder, `${name} data.csv`), '1,2,0\n3,4,1\n5,6,0\n7,8,1\n');
  const config = {
    version: 1,
    entry: path.basename(entry),
    backend: 'cpu',
    targetBatchSize: 4,
    microbatchSize: 2,
    training: {
      kind: 'model',
      data: {
        format: 'csv',
        files: [`${name} data.csv`],
        targets: [{ columns: [-1], classes: 2 }],
      },
      epochs: 1,
      loss: 'categoricalCrossentropy',
      output: `--output ${name}`,
    },
  };
  const configFile = path.join(folder, `--eval ${name}.accumulation.json`);
  writeFileSync(configFile, JSON.stringify(config));
  const before = readdirSync(folder);
  const trained = await project.run(['train', configFile]);
  expect(trained.code, trained.out + trained.err).toBe(exitCodes.done);
  expect(readdirSync(folder).sort()).toEqual([...before, '.batch-planner', `--output ${name}`].sort());
  expect(readdirSync(path.join(folder, `--output ${name}`)).sort()).toEqual([
    'model.json',
    'preprocessing.json',
    'weights.bin',
  ]);
  expect(names().filter((each) => path.basename(each) === 'pwned')).toEqual([]);
});
