// `plan` as a user meets it: what it prints, what it writes, what it keeps, and how it ends when there is no plan.
import { chmodSync, lstatSync, statSync, symlinkSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { plan as planSchema } from '../../src/planning/plan';
import type { AccumulationConfig } from '../../src/planning/configSchema';
import { readConfig } from '../../src/planning/readConfig';
import { exitCodes } from '../../src/protocol/exitCodes';
import { type Ended } from '../support/childRun';
import { openCommandProject, type CommandProject } from '../support/commandLine';
import { denseScript, hangingLayer, statefulScript } from '../support/planScripts';
import { until } from '../support/trainProgram';

let project: CommandProject;
beforeEach(() => {
  project = openCommandProject();
});
afterEach(() => {
  const left = { files: project.leftovers(), processes: project.processes() };
  project.remove();
  expect(left).toEqual({ files: [], processes: [] });
});

const cpu = ['--backend', 'cpu'];
const configName = 'train.accumulation.json';

function configIn(name = configName): AccumulationConfig {
  const { config, problems } = readConfig(project.read(name));
  if (config === undefined) throw new Error(JSON.stringify(problems));
  return config;
}

/** No plan, and every file as it was. */
function expectNoPlan(ended: Ended, code: number, files: Record<string, string>): void {
  expect(ended, ended.out + ended.err).toMatchObject({ code, signal: null });
  expect(project.files()).toEqual(files);
  expect(ended.err).not.toMatch(/^\s+at |node:internal/m);
}

describe('a plan', () => {
  test('--json prints one document on stdout and nothing else, which says what the config says', async () => {
    project.write('train.cjs', denseScript());
    const ended = await project.run(['plan', 'train.cjs', ...cpu, '--target-batch', '24', '--json']);
    expect(ended.code, ended.err).toBe(exitCodes.done);
    const plan = planSchema.parse(JSON.parse(ended.out));
    expect(ended.out).toBe(`${JSON.stringify(plan, null, 2)}\n`);
    expect(plan).toMatchObject({
      entry: 'train.cjs',
      backend: { name: 'cpu' },
      targetBatchSize: 24,
      examples: 64,
      largestMicrobatch: 24,
      proof: 'cap',
      // 4·8 + 8 of the first layer, 8·1 + 1 of the second.
      model: { name: 'small', parameters: 49 },
    });
    expect(configIn()).toMatchObject({
      entry: 'train.cjs',
      backend: 'cpu',
      targetBatchSize: 24,
      microbatchSize: 24,
      measured: { fingerprint: plan.model.fingerprint, trials: plan.trials },
    });
    // What is told on the way is on stderr.
    expect(ended.err).toContain('✓ 24 at once');
  });

  test('--json that ends in a mistake prints nothing on stdout', async () => {
    project.write('train.cjs', denseScript());
    const ended = await project.run(['plan', 'train.cjs', '--target-batch', '0', '--json']);
    expect(ended).toMatchObject({ code: exitCodes.usage, out: '' });
    project.write('never.cjs', "require('@tensorflow/tfjs');\nconsole.log('hello');\n");
    expect(await project.run(['plan', 'never.cjs', ...cpu, '--json'])).toMatchObject({
      code: exitCodes.failed,
      out: '',
    });
  });

  test('in a pipe is told without colours or redrawn lines, and says what to do next', async () => {
    project.write('train.cjs', denseScript());
    const ended = await project.run(['plan', 'train.cjs', ...cpu]);
    expect(ended).toMatchObject({ code: exitCodes.done, err: '' });
    expect(ended.out).not.toMatch(/[\u001B\r]/);
    // What the script prints is its own; nothing after its training has run.
    expect(ended.out).not.toContain('the script');
    expect(ended.out).toMatch(/^Planning train\.cjs\nOn cpu [\d.]+, asked for by name/);
    expect(ended.out).toContain('\nAll 16 fit at once: no accumulation needed.\n');
    expect(ended.out).toMatch(
      /\nWrote train\.accumulation\.json\nNext: batch-planner train train\.accumulation\.json\n$/,
    );
  });

  test("the script's own arguments stand after --, are kept in the config and used again", async () => {
    project.write(
      'train.cjs',
      denseScript({ batchSize: "Number(process.argv[process.argv.indexOf('--batch') + 1])" }),
    );
    const first = await project.run(['plan', 'train.cjs', ...cpu, '--', '--batch', '12', 'two words']);
    expect(first.code, first.err).toBe(exitCodes.done);
    expect(configIn()).toMatchObject({
      targetBatchSize: 12,
      training: { kind: 'script', arguments: ['--batch', '12', 'two words'], folder: '.' },
    });
    const again = await project.run(['plan', 'train.cjs', ...cpu]);
    expect(again.code, again.err).toBe(exitCodes.done);
    expect(configIn().training).toMatchObject({ arguments: ['--batch', '12', 'two words'] });
    expect(again.out).toContain('Updated train.accumulation.json');
  });

  test('--folder is where the script runs; without it the folder of the nearest package.json', async () => {
    const batchSize = "Number(require('node:fs').readFileSync('batch.txt', 'utf8'))";
    project.write('src/train.cjs', denseScript({ batchSize }));
    project.write('batch.txt', '6');
    project.write('data/batch.txt', '10');
    const byPackage = await project.run(['plan', 'src/train.cjs', ...cpu, '--out', 'package.config.json']);
    expect(byPackage.code, byPackage.err).toBe(exitCodes.done);
    expect(configIn('package.config.json')).toMatchObject({
      entry: 'src/train.cjs',
      targetBatchSize: 6,
      training: { folder: '.' },
    });
    const named = await project.run(['plan', 'src/train.cjs', ...cpu, '--folder', 'data']);
    expect(named.code, named.err).toBe(exitCodes.done);
    expect(configIn('src/train.accumulation.json')).toMatchObject({
      entry: 'train.cjs',
      targetBatchSize: 10,
      training: { folder: '../data' },
    });
  });
});

describe('a config that is there already', () => {
  const earlier = `{
  // Agreed with the team on Monday.
  "version": 1,
  "entry": "train.cjs",
  "backend": "cpu",
  "targetBatchSize": 40, // as in the paper
  "microbatchSize": 3,
  "training": {
    "kind": "script",
    /* the short data set */
    "arguments": ["--data", "short"],
    "folder": ".",
    "nodeArguments": ["--max-old-space-size=512"]
  }
}
`;

  test('keeps its comments, its training and its target batch size, its permissions and its link', async () => {
    project.write('train.cjs', denseScript());
    project.write('shared.json', earlier);
    if (process.platform !== 'win32') {
      chmodSync(project.path('shared.json'), 0o640);
      symlinkSync('shared.json', project.path(configName));
    } else project.write(configName, earlier);
    const ended = await project.run(['plan', 'train.cjs', ...cpu]);
    expect(ended.code, ended.err).toBe(exitCodes.done);
    const text = project.read(configName);
    for (const comment of [
      '// Agreed with the team on Monday.',
      '// as in the paper',
      '/* the short data set */',
    ]) {
      expect(text).toContain(comment);
    }
    expect(configIn()).toMatchObject({
      targetBatchSize: 40,
      microbatchSize: 40,
      training: {
        kind: 'script',
        arguments: ['--data', 'short'],
        folder: '.',
        nodeArguments: ['--max-old-space-size=512'],
      },
      measured: { largestMicrobatch: 40 },
    });
    if (process.platform !== 'win32') {
      expect(lstatSync(project.path(configName)).isSymbolicLink()).toBe(true);
      expect(statSync(project.path('shared.json')).mode & 0o777).toBe(0o640);
    }
  });

  test('a new one can be read by whoever can read the other files of the project', async (context) => {
    if (process.platform === 'win32') context.skip('Windows has no file modes');
    const script = project.write('train.cjs', denseScript());
    expect((await project.run(['plan', 'train.cjs', ...cpu])).code).toBe(exitCodes.done);
    expect(statSync(project.path(configName)).mode).toBe(statSync(script).mode);
  });

  test('that is no sound config is not overwritten', async () => {
    project.write('train.cjs', denseScript());
    const file = project.write(configName, '{ "my": "notes" }\n');
    const files = project.files();
    const ended = await project.run(['plan', 'train.cjs', ...cpu]);
    expectNoPlan(ended, exitCodes.usage, files);
    expect(ended.err).toContain(`${file} is already there`);
    expect(ended.err).toContain(`${file}:1:`);
  });
});

describe('Ctrl-C', () => {
  const interrupted = 'Interrupted: nothing was written, and nothing is left running.\n';

  async function interrupt(script: string, at: (printed: string) => boolean): Promise<Ended> {
    project.write('train.cjs', script);
    const files = project.files();
    const running = project.start(['plan', 'train.cjs', ...cpu]);
    await until(() => at(running.printed()), 'the moment to interrupt', 30_000);
    // A terminal sends it to the whole group.
    process.kill(-(running.child.pid ?? 0), 'SIGINT');
    const ended = await running.end;
    expectNoPlan(ended, exitCodes.interrupted, files);
    expect(ended.err).toBe(interrupted);
    return ended;
  }

  test.skipIf(process.platform === 'win32')(
    'in the middle of a trial that hangs: exit code 130, no config, nothing left',
    async () => {
      await interrupt(denseScript(hangingLayer), (printed) => printed.includes('Budget:'));
    },
  );

  test.skipIf(process.platform === 'win32')('before anything is measured: exit code 130', async () => {
    await interrupt(denseScript(hangingLayer), (printed) => printed.includes('Planning'));
  });

  test.skipIf(process.platform === 'win32')(
    'while the script gets its data: exit code 130, and an earlier config is as it was',
    async () => {
      project.write(
        configName,
        JSON.stringify({
          version: 1,
          entry: 'train.cjs',
          backend: 'cpu',
          targetBatchSize: 16,
          microbatchSize: 4,
          training: { kind: 'script', arguments: [], folder: '.' },
        }),
      );
      await interrupt(
        denseScript({ before: 'await new Promise((go) => setTimeout(go, 600_000));' }),
        (printed) => printed.includes('On cpu'),
      );
    },
  );
});

describe('no plan', () => {
  async function plan(
    script: string,
    ...options: string[]
  ): Promise<Ended & { files: Record<string, string> }> {
    project.write('train.cjs', script);
    const files = project.files();
    return { ...(await project.run(['plan', 'train.cjs', ...options])), files };
  }

  test('for a model that keeps state from batch to batch: the reason, and what to do', async () => {
    const { files, ...ended } = await plan(statefulScript, ...cpu);
    expectNoPlan(ended, exitCodes.failed, files);
    expect(ended.err).toContain('The model keeps recurrent state from batch to batch');
    expect(ended.err).toContain('no config was written');
  });

  test('for a script that never trains', async () => {
    const { files, ...ended } = await plan("require('@tensorflow/tfjs');\nconsole.log('hello');\n", ...cpu);
    expectNoPlan(ended, exitCodes.failed, files);
    expect(ended.err).toBe('The script ended without calling fit, fitDataset or trainOnBatch.\n');
  });

  test('for a script that gives up by itself: what it said', async () => {
    const script =
      "require('@tensorflow/tfjs');\nconsole.error('data.csv is not here: run download.sh');\nprocess.exit(1);\n";
    const { files, ...ended } = await plan(script, ...cpu);
    expectNoPlan(ended, exitCodes.failed, files);
    expect(ended.err).toBe(
      'The script ended with exit code 1 without calling fit, fitDataset or trainOnBatch.\n' +
        'It printed last:\n  data.csv is not here: run download.sh\n',
    );
  });

  test('where not one example fits: what one needs, what there is, the largest parts, what would help', async () => {
    const { files, ...ended } = await plan(denseScript(), ...cpu, '--budget', '1MB');
    expectNoPlan(ended, exitCodes.nothingFits, files);
    expect(ended.err).toMatch(
      /^Not even one example fits\. One example alone needs [\d.]+ [MG]B; 1\.0 MB may be used\.\nLargest parts: .*[\d.]+ [kKMG]?B.*\.\nWhat would help: .*\.\n$/,
    );
  });

  test('on WebGPU without an adapter: why, and exit code 4', async (context) => {
    if (process.platform !== 'linux') context.skip('only on Linux can a driver be hidden');
    project.write('train.cjs', denseScript());
    const files = project.files();
    const nowhere = project.path('no-driver.json');
    const ended = await project.run(['plan', 'train.cjs', '--backend', 'webgpu'], {
      environment: { VK_DRIVER_FILES: nowhere, VK_ICD_FILENAMES: nowhere },
    });
    expectNoPlan(ended, exitCodes.noBackend, files);
    expect(ended.err).toMatch(/^No TensorFlow\.js backend can be used\.\n {2}webgpu: \w.+\.\n$/);
  });

  test('on a backend that is not installed: said so, and exit code 4', async () => {
    const { files, ...ended } = await plan(denseScript(), '--backend', 'tfjs-node');
    expectNoPlan(ended, exitCodes.noBackend, files);
    expect(ended.err).toBe('No TensorFlow.js backend can be used.\n  tfjs-node: it is not installed.\n');
  });

  test('for a GPU that is not there', async () => {
    const { files, ...ended } = await plan(denseScript(), '--device', 'ffff:ff:1f.7');
    expectNoPlan(ended, exitCodes.usage, files);
    expect(ended.err).toMatch(
      /^(There is no GPU, so none can be chosen by|No GPU has the bus id).*"ffff:ff:1f\.7"/,
    );
  });
});
