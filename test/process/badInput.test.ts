// Bad input on the real command line: a sentence with what, where and what to do, the exit code, and nothing written or lost.
import { spawnSync } from 'node:child_process';
import { closeSync, copyFileSync, existsSync, openSync, readFileSync, truncateSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { exitCodes } from '../../src/protocol/exitCodes';
import { type Ended } from '../support/childRun';
import { openCommandProject, type CommandProject } from '../support/commandLine';
import { denseScript } from '../support/planScripts';
import { until } from '../support/trainProgram';

const example = path.resolve(import.meta.dirname, '../../media/examples/model');
const config = {
  version: 1,
  entry: 'train.cjs',
  backend: 'cpu',
  targetBatchSize: 16,
  microbatchSize: 4,
  training: { kind: 'script', arguments: [], folder: '.' },
};

let project: CommandProject;
let before: Record<string, string>;
beforeAll(() => {
  project = openCommandProject();
  project.write('train.cjs', denseScript());
});
beforeEach(() => {
  before = project.files();
});
afterEach(() => {
  expect(project.leftovers()).toEqual([]);
  expect(project.processes()).toEqual([]);
});
afterAll(() => project.remove());

/** Refused with a code and without a word of ours that helps nobody; every file is as it was. */
function expectRefused(ended: Ended, code: number, files = before): void {
  expect(ended, ended.out + ended.err).toMatchObject({ code, signal: null });
  expect(ended.err).not.toMatch(/^\s+at |node:internal|dist[\\/]|\bundefined\b/m);
  expect(project.files()).toEqual(files);
}

describe('an entry', () => {
  test('that is not there: its path, and the name that was meant', async () => {
    const ended = await project.run(['plan', 'trian.cjs']);
    expectRefused(ended, exitCodes.usage);
    expect(ended.err).toBe(
      `There is no file ${project.path('trian.cjs')}. Did you mean ${project.path('train.cjs')}?\n`,
    );
    expect(ended.out).toBe('');
  });

  test('that is a graph model: said so, and what to convert instead', async () => {
    project.write('graph/model.json', JSON.stringify({ format: 'graph-model', modelTopology: { node: [] } }));
    const files = project.files();
    const ended = await project.run(['plan', 'graph/model.json']);
    expectRefused(ended, exitCodes.usage, files);
    expect(ended.err).toContain(`${project.path('graph/model.json')} is a graph model`);
    expect(ended.err).toContain('Convert the original Keras model to a Layers model');
  });

  test('that is some other JSON: said so', async () => {
    const ended = await project.run(['plan', 'package.json']);
    expectRefused(ended, exitCodes.usage);
    expect(ended.err).toContain(`${project.path('package.json')} is not a TensorFlow.js model.json`);
  });

  for (const state of ['missing', 'cut short'] as const) {
    test(`whose weights are ${state}: the file and the bytes that it needs`, async () => {
      const folder = state.replace(' ', '-');
      const model = project.write(
        `${folder}/model.json`,
        readFileSync(path.join(example, 'model.json'), 'utf8'),
      );
      const weights = path.join(path.dirname(model), 'weights.bin');
      if (state === 'cut short') {
        copyFileSync(path.join(example, 'weights.bin'), weights);
        truncateSync(weights, 1000);
      }
      const files = project.files();
      const ended = await project.run(['plan', model, '--target-batch', '8', '--backend', 'cpu']);
      expectRefused(ended, exitCodes.failed, files);
      expect(ended.err).toContain(
        state === 'missing'
          ? `The weight file ${weights} is missing`
          : `The weight file ${weights} has 1,000 bytes, but model.json needs 153,128`,
      );
    });
  }
});

describe('a config', () => {
  const mistakes: Record<string, { text: string; at: string; says: RegExp }> = {
    'with a wrong type': {
      text: JSON.stringify({ ...config, targetBatchSize: '16' }, null, 2),
      at: '5:22',
      says: /"targetBatchSize" must be a whole number from 1 to 16,777,216; it is "16"/,
    },
    'with an unknown key': {
      text: JSON.stringify({ ...config, microBatchSize: 4 }, null, 2),
      at: '12:3',
      says: /"microBatchSize" is not a known key\. Did you mean "microbatchSize"\?/,
    },
    'with a microbatch larger than the target': {
      text: JSON.stringify({ ...config, microbatchSize: 40 }, null, 2),
      at: '6:21',
      says: /"microbatchSize" \(40\) is larger than "targetBatchSize" \(16\): make it at most that/,
    },
    'of a newer version': {
      text: JSON.stringify({ ...config, version: 2, shards: [] }, null, 2),
      at: '2:14',
      says: /written by a newer version of Batch Planner.*: update Batch Planner/,
    },
    'that is cut short': {
      text: JSON.stringify(config, null, 2).slice(0, 40),
      at: '3:',
      says: /./,
    },
  };
  for (const [name, { text, at, says }] of Object.entries(mistakes)) {
    test(`${name}: file, line and column, for train and for plan, which does not overwrite it`, async () => {
      const file = project.write('train.accumulation.json', text);
      const files = project.files();
      const trained = await project.run(['train', 'train.accumulation.json']);
      expectRefused(trained, exitCodes.usage, files);
      expect(trained.out).toBe('');
      expect(trained.err).toContain(`${file}:${at}`);
      expect(trained.err).toMatch(says);
      const planned = await project.run(['plan', 'train.cjs', '--backend', 'cpu']);
      expectRefused(planned, exitCodes.usage, files);
      expect(planned.out).toBe('');
      expect(planned.err).toContain('it is not overwritten');
      expect(planned.err).toContain(`${file}:${at}`);
    });
  }

  test('that is not there: how to make one', async () => {
    const files = project.files();
    const ended = await project.run(['train', 'gone.accumulation.json']);
    expectRefused(ended, exitCodes.usage, files);
    expect(ended.err).toBe(
      `There is no config ${project.path('gone.accumulation.json')}. Make one with: batch-planner plan <entry>\n`,
    );
  });

  test("whose script's folder is gone: said by train before there is a run, and by plan", async () => {
    const file = project.write(
      'moved.accumulation.json',
      JSON.stringify({ ...config, training: { ...config.training, folder: 'gone' } }),
    );
    const files = project.files();
    for (const argv of [
      ['train', file],
      ['plan', 'train.cjs', '--out', file],
    ]) {
      const ended = await project.run(argv);
      expectRefused(ended, exitCodes.usage, files);
      expect(ended.err).toBe(
        `The folder ${project.path('gone')}, which "training.folder" in ${file} names to run the script in, does not exist.\n`,
      );
    }
  });
});

describe('an option', () => {
  const refused: [option: string, value: string, says: string][] = [
    ['--target-batch', '0', 'The target batch size "0" is zero: write a whole number from 1 to 16,777,216.'],
    ['--target-batch', '-1', 'The target batch size "-1" is below zero: write a whole number'],
    ['--target-batch', '1.5', 'The target batch size "1.5" is not whole: write a whole number'],
    ['--target-batch', '1e12', 'The target batch size "1e12" is too large: write a whole number'],
    ['--budget', '8 gb', 'The budget "8 gb" is not written as an amount of memory: write 8GB.'],
    ['--budget', '-1', 'The budget "-1" is below zero: write it like 8GB, 7.5GiB or 512MB.'],
    ['--budget', 'lots', 'The budget "lots" is not an amount of memory: write it like 8GB'],
    ['--backend', 'cuda', 'Allowed choices are tfjs-node-gpu, tfjs-node, webgpu, wasm, cpu.'],
    ['--folder', 'nowhere', 'nowhere, which --folder names to run the script in, does not exist.'],
    ['--folder', 'train.cjs', 'train.cjs, which --folder names to run the script in, is a file.'],
    ['--shape', '3', '--shape is for a model.json: a script makes its own inputs.'],
    ['--epochs', '3', "The script's own arguments follow after --, like:"],
  ];
  for (const [option, value, says] of refused) {
    test(`${option} ${value}: ${says}`, async () => {
      const ended = await project.run(['plan', 'train.cjs', '--out', 'new.json', option, value]);
      expectRefused(ended, exitCodes.usage);
      expect(ended.err).toContain(says);
      expect(ended.out).toBe('');
    });
  }
});

describe('a place that cannot be written', () => {
  const places: [place: string, says: (place: string) => string][] = [
    ['train.cjs/new.json', () => `The folder ${project.path('train.cjs')} is a file`],
    ['nowhere/new.json', () => `The folder ${project.path('nowhere')} does not exist`],
    ['.', () => `The config ${project.folder} is a folder`],
    // Nobody can write there, root neither, whatever the permissions say.
    ...(existsSync('/proc/self')
      ? [['/proc/new.json', () => 'The folder /proc cannot be written'] satisfies [string, () => string]]
      : []),
  ];
  for (const [place, says] of places) {
    test(`--out ${place}: said before anything is measured`, async () => {
      const ended = await project.run(['plan', 'train.cjs', '--backend', 'cpu', '--out', place]);
      expectRefused(ended, exitCodes.usage);
      expect(ended.err).toContain(says(place));
      expect(ended.err).toMatch(/with --out\.\n$/);
      expect(ended.out).toBe('');
    });
  }

  test('--run-dir in a file system that takes no folders: one sentence, at once', async (context) => {
    if (!existsSync('/proc/self')) context.skip('this system has no /proc');
    const file = project.write('run.accumulation.json', JSON.stringify(config));
    const files = project.files();
    const ended = await project.run(['train', file, '--run-dir', '/proc/batch-planner/run']);
    expectRefused(ended, exitCodes.usage, files);
    expect(ended.err).toMatch(
      /^The run folder \/proc\/batch-planner\/run cannot be written: .*with --run-dir\.\n$/,
    );
  });
});

test('two trainings in one run folder: the second is told who holds it, and the first goes on', async () => {
  project.write(
    'slow.cjs',
    denseScript({
      before:
        "await new Promise((go) => { const look = setInterval(() => { if (require('fs').existsSync('go')) { clearInterval(look); go(); } }, 50); });",
    }),
  );
  const file = project.write('slow.accumulation.json', JSON.stringify({ ...config, entry: 'slow.cjs' }));
  const first = project.start(['train', file, '--run-dir', 'run']);
  await until(() => first.printed().includes('the script says hello'), 'the first training');
  const second = await project.run(['train', file, '--run-dir', 'run']);
  expect(second.code).toBe(exitCodes.usage);
  expect(second.out).toBe('');
  expect(second.err).toContain(
    `The run folder ${project.path('run')} is in use by another training (process ${first.child.pid})`,
  );
  project.write('go', '');
  const ended = await first.end;
  expect(ended, ended.out + ended.err).toMatchObject({ code: exitCodes.done, err: '' });
  expect(ended.out).toContain('the script is done');
  expect(JSON.parse(project.read('run/run.json'))).toMatchObject({ state: 'completed' });
});

describe('a script with a syntax error: the user’s own file and line', () => {
  const scripts: Record<string, string> = {
    'bad.cjs': "const tf = require('@tensorflow/tfjs');\n\nconst model = = tf;\n",
    'bad.mjs': "import * as tf from '@tensorflow/tfjs';\n\nconst model = = tf;\n",
    'bad.ts': "import * as tf from '@tensorflow/tfjs';\nconst epochs: number = 1;\nconst model = = tf;\n",
  };
  for (const [name, text] of Object.entries(scripts)) {
    test(`in ${name}`, async () => {
      project.write(name, text);
      const files = project.files();
      const ended = await project.run(['plan', name, '--backend', 'cpu']);
      expectRefused(ended, exitCodes.failed, files);
      expect(ended.err).toContain(`The script failed at ${project.path(name)}:3: `);
      expect(ended.err).toMatch(/Unexpected (token )?['"]=['"]/);
    });
  }

  test('in a file that it imports', async () => {
    project.write('main.mjs', "import '@tensorflow/tfjs';\nimport { x } from './part.mjs';\nx();\n");
    const part = project.write('part.mjs', 'export const x = 1;\nexport const y = ;\n');
    const files = project.files();
    const ended = await project.run(['plan', 'main.mjs', '--backend', 'cpu']);
    expectRefused(ended, exitCodes.failed, files);
    expect(ended.err).toContain(`The script failed at ${part}:2: SyntaxError`);
  });
});

const failsAfterFit = `
const tf = require('@tensorflow/tfjs');
async function main() {
  const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  for (let i = 0; i < 2; i++) {
    await model.fit(tf.ones([20, 2]), tf.ones([20, 1]), { epochs: 3, batchSize: 10, verbose: 0 });
  }
  throw new Error('after fit');
}
main();
`;

test('a script that fails after its training on WASM: its own line and not the backend’s; the list counts all of it', async () => {
  project.write('later.cjs', failsAfterFit);
  expect((await project.run(['plan', 'later.cjs', '--backend', 'wasm'])).code).toBe(exitCodes.done);
  const ended = await project.run(['train', 'later.accumulation.json']);
  expect(ended.code).toBe(exitCodes.failed);
  expect(ended.err).toContain(
    `The script failed after its training call had ended with update 6 (epoch 3): ${project.path('later.cjs')}:9: Error: after fit`,
  );
  expect(ended.out + ended.err).not.toContain('tf-backend-wasm');
  const { runs } = JSON.parse((await project.run(['runs', '--json'])).out) as { runs: { name: string }[] };
  const own = runs.filter(({ name }) => name.endsWith('later'));
  expect(own).toMatchObject([{ state: 'failed', epochs: 6, updates: 12 }]);
});

test('a target batch larger than the examples: what is planned instead is said', async () => {
  project.write('small.cjs', failsAfterFit);
  const planned = await project.run(['plan', 'small.cjs', '--backend', 'cpu', '--target-batch', '50']);
  expect(planned.code).toBe(exitCodes.done);
  expect(planned.out).toContain('You asked for 50 examples per update, but each can have 20 at most');
  expect(JSON.parse(project.read('small.accumulation.json'))).toMatchObject({ targetBatchSize: 20 });
});

test('a config of a model.json without data: said before there is a run', async () => {
  const example = path.join(import.meta.dirname, '../../media/examples/model');
  for (const name of ['model.json', 'weights.bin'])
    copyFileSync(path.join(example, name), project.path(name));
  const planned = await project.run(['plan', 'model.json', '--backend', 'wasm', '--target-batch', '4']);
  expect(planned.code).toBe(exitCodes.done);
  expect(planned.out).toContain('name your examples');
  const files = project.files();
  const ended = await project.run(['train', 'model.accumulation.json']);
  expectRefused(ended, exitCodes.usage, files);
  expect(ended.err).toContain('"training" names no data to train on');
});

describe('output', () => {
  test('that nobody reads to its end is no error', async () => {
    project.write('read.accumulation.json', JSON.stringify(config));
    for (const argv of [['export', 'read.accumulation.json', '--to', 'tfjs'], ['runs'], ['--help']]) {
      const running = project.start(argv);
      running.child.stdout?.destroy();
      const ended = await running.end;
      expect(ended).toMatchObject({ code: 0, signal: null });
      // What an export tells of its program stands there, too; nothing of the pipe.
      expect(ended.err).not.toMatch(/EPIPE|^ +at /m);
    }
  });

  test.runIf(existsSync('/dev/full'))('that cannot be written is told, with code 1', () => {
    const cli = path.resolve(import.meta.dirname, '../../dist/cli.js');
    const full = openSync('/dev/full', 'w');
    for (const argv of [['runs'], ['gpu'], ['--help']]) {
      const { status, stderr } = spawnSync(process.execPath, [cli, ...argv], {
        cwd: project.folder,
        encoding: 'utf8',
        stdio: ['ignore', full, 'pipe'],
      });
      expect({ status, stderr }).toEqual({
        status: 1,
        stderr: 'The output cannot be written: the disk is full.\n',
      });
    }
    closeSync(full);
  });
});
