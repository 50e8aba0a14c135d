// `plan --stream` and the process of it that the editor starts: messages, failures with their remedy, and cancelling.
import { spawn } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { plan as planSchema } from '../../src/planning/plan';
import { readConfig } from '../../src/planning/readConfig';
import { planStreamMessage, type PlanFailure } from '../../src/protocol/planStream';
import { openCommandProject, type CommandProject } from '../support/commandLine';
import { denseScript, hangingLayer, statefulScript } from '../support/planScripts';
import { cliFile, processesWith, startPlan, type StartedPlan } from '../support/planStreamProject';
import { until } from '../support/trainProgram';

let project: CommandProject;
const started: StartedPlan[] = [];
beforeEach(() => {
  project = openCommandProject();
  started.length = 0;
});
afterEach(() => {
  const left = { files: project.leftovers(), processes: started.flatMap((each) => each.running()) };
  project.remove();
  expect(left).toEqual({ files: [], processes: [] });
});

function start(options: Parameters<typeof startPlan>[1] = {}): StartedPlan {
  const plan = startPlan(project, options);
  started.push(plan);
  return plan;
}

const configName = 'train.accumulation.json';

/** Runs `plan --stream` without the editor's part of it. */
function stream(...options: string[]): {
  end: Promise<{ code: number | null; out: string; err: string }>;
  stop(): void;
} {
  const child = spawn(process.execPath, [cliFile, 'plan', '--stream', '--backend', 'cpu', ...options], {
    cwd: project.folder,
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => (out += piece));
  child.stderr.setEncoding('utf8').on('data', (piece: string) => (err += piece));
  const end = new Promise<{ code: number | null; out: string; err: string }>((resolve) => {
    child.once('close', (code) => resolve({ code, out, err }));
  });
  return { end, stop: () => child.stdin.end() };
}

describe('plan --stream', () => {
  test('prints messages on stdout and nothing else, the plan last, and ends though stdin stays open', async () => {
    project.write('train.cjs', denseScript());
    const { code, out, err } = await stream('train.cjs', '--target-batch', '24').end;
    expect(code, err).toBe(0);
    expect(out.endsWith('\n')).toBe(true);
    const messages = out
      .trimEnd()
      .split('\n')
      .map((line) => planStreamMessage.parse(JSON.parse(line)));
    expect(messages.map(({ type }) => type).slice(0, 2)).toEqual(['backend', 'inspected']);
    const last = messages.at(-1);
    if (last?.type !== 'finished') throw new Error('no plan');
    expect(last).toMatchObject({ configPath: project.path(configName), needsData: false });
    const ended = messages.filter((message) => message.type === 'trialEnded').map(({ trial }) => trial);
    expect(ended.map(({ message: _, ...trial }) => trial)).toEqual(last.plan.trials);
    // Each trial tells both of its times, and the plan where the memory is: weights of 49 numbers, as the optimizer is sgd.
    for (const trial of last.plan.trials)
      expect(trial).toMatchObject({ stepMs: expect.any(Number), applyMs: expect.any(Number) });
    expect(last.plan.parts).toMatchObject({ weightsBytes: 49 * 4 });
    expect(last.plan.parts?.accumulatorBytes).toBeGreaterThanOrEqual(49 * 4);
    expect(readConfig(project.read(configName)).config?.measured?.trials).toEqual(last.plan.trials);
    // What the script prints goes where a log goes.
    expect(out).not.toContain('the script says hello');
    expect(err).toContain('the script says hello');
  });

  test('and --json exclude each other', async () => {
    project.write('train.cjs', denseScript());
    const { code, out, err } = await stream('train.cjs', '--json').end;
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain("option '--stream' cannot be used with option '--json'");
  });

  test('ends with exit code 130 when stdin is closed, and says so last', async () => {
    project.write('train.cjs', denseScript(hangingLayer));
    const files = project.files();
    const running = stream('train.cjs');
    await sleep(1500);
    running.stop();
    const { code, out, err } = await running.end;
    expect(code, err).toBe(130);
    const last = planStreamMessage.parse(JSON.parse(out.trimEnd().split('\n').at(-1) ?? ''));
    expect(last).toMatchObject({ type: 'failed', failure: { kind: 'interrupted' } });
    expect(project.files()).toEqual(files);
  });
});

describe('a planning process', () => {
  test('ends with the plan that the config holds', async () => {
    project.write('train.cjs', denseScript());
    const { process, messages, output } = start({ targetBatchSize: 24 });
    const outcome = await process.done;
    if (outcome.kind !== 'planned') throw new Error(JSON.stringify(outcome));
    expect(planSchema.parse(outcome.plan)).toMatchObject({ targetBatchSize: 24, largestMicrobatch: 24 });
    expect(outcome).toMatchObject({ configPath: project.path(configName), needsData: false });
    expect(messages.at(-1)).toMatchObject({ type: 'finished', plan: outcome.plan });
    expect(output()).toContain('the script says hello');
  });

  test('of a model.json says that its data are to be named', async () => {
    const model = path.resolve(import.meta.dirname, '../../media/examples/model');
    for (const name of ['model.json', 'weights.bin'])
      copyFileSync(path.join(model, name), project.path(name));
    const { process } = start({ entryName: 'model.json', targetBatchSize: 8 });
    const configPath = project.path('model.accumulation.json');
    expect(await process.done).toMatchObject({ kind: 'planned', needsData: true, configPath });
  });

  test('passes a budget of single bytes exactly', async () => {
    project.write('train.cjs', denseScript());
    const { process } = start({ budgetBytes: 1_234_567_891 });
    expect(await process.done).toMatchObject({ plan: { budgetBytes: 1_234_567_891 } });
  });

  test('plans with what is free, less the headroom', async () => {
    project.write('train.cjs', denseScript());
    const budgets = [];
    for (const headroomBytes of [0, 2 ** 30]) {
      const outcome = await start({ headroomBytes }).process.done;
      if (outcome.kind !== 'planned') throw new Error(JSON.stringify(outcome));
      budgets.push(outcome.plan.budgetBytes ?? NaN);
    }
    // What is free changes by itself from one planning to the next.
    expect((budgets[0] ?? 0) - (budgets[1] ?? 0)).toBeGreaterThan(2 ** 29);
  });

  async function failureOf(options: Parameters<typeof startPlan>[1] = {}): Promise<PlanFailure> {
    const outcome = await start(options).process.done;
    if (outcome.kind !== 'failed') throw new Error(JSON.stringify(outcome));
    return outcome.failure;
  }

  test('of a script that never trains', async () => {
    project.write('train.cjs', "require('@tensorflow/tfjs');\n");
    expect(await failureOf()).toEqual({
      kind: 'neverTrained',
      message: 'The script ended without calling fit, fitDataset or trainOnBatch.',
      file: null,
      line: null,
      remedy: null,
    });
  });

  test('of a script with a bug names its file and line, and the words of the terminal', async () => {
    const file = project.write(
      'train.cjs',
      "require('@tensorflow/tfjs');\nfunction load() {\n  throw new TypeError('no such column');\n}\nload();\n",
    );
    const failure = await failureOf();
    expect(failure).toMatchObject({ kind: 'script', file, line: 3, remedy: null });
    expect(failure.message).toBe(`The script failed at ${file}:3: TypeError: no such column`);
    const terminal = await project.run(['plan', 'train.cjs', '--backend', 'cpu']);
    expect(terminal.err).toBe(`${failure.message}\n`);
  });

  test('of a script that cannot find TensorFlow.js offers to install it', async () => {
    project.write('train.cjs', "require('@tensorflow/tfjs-of-no-one');\n");
    expect(await failureOf()).toMatchObject({ kind: 'script', line: 1, remedy: 'installTensorflowJs' });
    project.write('train.mjs', "import '@tensorflow/tfjs-of-no-one';\n");
    expect(await failureOf({ entryName: 'train.mjs' })).toMatchObject({ remedy: 'installTensorflowJs' });
  });

  test('where TensorFlow is asked for and its native part is missing offers to set it up', async () => {
    // A package as npm leaves it where its install script did not run.
    const folder = 'node_modules/@tensorflow/tfjs-node';
    project.write(
      `${folder}/package.json`,
      '{ "name": "@tensorflow/tfjs-node", "version": "4.22.0", "main": "dist/index.js" }\n',
    );
    project.write(`${folder}/dist/index.js`, "throw new Error('never loaded');\n");
    project.write('train.cjs', denseScript());
    const failure = await failureOf({ backend: 'tfjs-node' });
    expect(failure).toMatchObject({ kind: 'noBackend', remedy: 'setUpTensorflow' });
    expect(failure.message).toContain('batch-planner setup tensorflow');
  });

  test('where the config that is there is none offers to open it, at the mistake', async () => {
    project.write('train.cjs', denseScript());
    const file = project.write(configName, '{\n  "version": 1,\n  "entry": 3\n}\n');
    const failure = await failureOf();
    expect(failure).toMatchObject({ kind: 'usage', file, remedy: 'openConfig' });
    expect(failure.line).toBe(readConfig(project.read(configName)).problems?.[0]?.line);
    expect(failure.message).toContain('is no sound accumulation config');
  });

  test('where the config names a folder that is not there offers to open it', async () => {
    project.write('train.cjs', denseScript());
    expect((await start().process.done).kind).toBe('planned');
    const text = project.read(configName);
    const file = project.write(configName, text.replace('"folder": "."', '"folder": "gone"'));
    expect(await failureOf()).toMatchObject({ kind: 'usage', file, line: null, remedy: 'openConfig' });
  });

  test('of a model whose batches cannot be cut, or where nothing fits', async () => {
    project.write('train.cjs', statefulScript);
    expect(await failureOf()).toMatchObject({ kind: 'script', remedy: null });
    project.write('train.cjs', denseScript());
    const failure = await failureOf({ budgetBytes: 1e6 });
    expect(failure.kind).toBe('nothingFits');
    expect(failure.message.split('\n')).toHaveLength(3);
  });

  test('with an entry that is not there, a budget that is none, a Node or a folder that is not there', async () => {
    expect(await failureOf({ entryName: 'nothing.js' })).toMatchObject({ kind: 'usage' });
    project.write('train.cjs', denseScript());
    expect((await failureOf({ budgetBytes: 8 })).message).toContain('less than 1 MB');
    expect(await failureOf({ nodePath: project.path('no-node') })).toMatchObject({
      kind: 'node',
      remedy: 'chooseNode',
    });
    expect((await failureOf({ cwd: project.path('no-folder') })).message).toContain('no-folder');
    expect(await failureOf({ device: 'a\0b' })).toMatchObject({ kind: 'internal' });
  });

  test('that dies without a word is told with the end of its stderr', async () => {
    project.write('train.cjs', denseScript());
    const dies = project.write('dies.cjs', "console.error('first');\nthrow new Error('the last word');\n");
    const failure = await failureOf({ cliFile: dies });
    expect(failure.kind).toBe('internal');
    expect(failure.message).toMatch(
      /^Planning ended with exit code 1 without an answer\.\n[^]*the last word/,
    );
  });

  test('whose listener throws is ended, and told as a failure', async () => {
    project.write('train.cjs', denseScript(hangingLayer));
    const failure = await failureOf({
      onMessage: () => {
        throw new Error('the page is gone');
      },
    });
    expect(failure).toMatchObject({ kind: 'internal', message: 'the page is gone' });
  });
});

describe('cancel', () => {
  test('at any moment leaves no process, no file, and the config as it was', async () => {
    project.write('train.cjs', denseScript());
    let cancelled = 0;
    for (let round = 0; round < 8; round++) {
      const before = project.files();
      const plan = start();
      // Multiples of the golden ratio: moments that lie evenly between its start and its end, in no order.
      await sleep(((round * 0.618) % 1) * 1200);
      await plan.process.cancel();
      const outcome = await plan.process.done;
      expect(plan.running()).toEqual([]);
      expect(project.leftovers()).toEqual([]);
      if (outcome.kind === 'planned') {
        expect(readConfig(project.read(configName)).config?.measured).toBeDefined();
        continue;
      }
      cancelled++;
      expect(outcome).toEqual({ kind: 'cancelled' });
      expect(project.files()).toEqual(before);
    }
    expect(cancelled).toBeGreaterThan(0);
  });

  test('in a trial that hangs', async () => {
    project.write('train.cjs', denseScript(hangingLayer));
    const files = project.files();
    const plan = start();
    await until(() => plan.messages.some(({ type }) => type === 'budget'), 'the trial that hangs');
    await Promise.all([plan.process.cancel(), plan.process.cancel()]);
    expect(await plan.process.done).toEqual({ kind: 'cancelled' });
    expect(project.files()).toEqual(files);
  });

  test('of a process that does not listen ends its whole tree', async () => {
    const deaf = project.write(
      'deaf.cjs',
      "const child = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' });\n" +
        "require('node:fs').writeFileSync('started', String(child.pid));\nsetInterval(() => {}, 1000);\n",
    );
    project.write('train.cjs', denseScript());
    const plan = start({ cliFile: deaf });
    await until(() => existsSync(project.path('started')), 'the child');
    await plan.process.cancel();
    expect(await plan.process.done).toEqual({ kind: 'cancelled' });
    await until(() => plan.running().length === 0, 'the end of the tree', 5_000);
  });
});

test.skipIf(process.platform === 'win32')('an editor that is killed takes its planning with it', async () => {
  project.write('train.cjs', denseScript(hangingLayer));
  // Stands for the editor: it starts the planning, and is ended without a word.
  const editor = project.write(
    'editor.cjs',
    `const { spawn } = require('node:child_process');
const child = spawn(process.execPath, [${JSON.stringify(cliFile)}, 'plan', '--stream', '--backend', 'cpu', 'train.cjs'], { detached: true });
child.stdout.on('data', () => console.log('planning'));
child.stderr.resume();
`,
  );
  chmodSync(editor, 0o700);
  const child = spawn(process.execPath, [editor], {
    cwd: project.folder,
    env: { ...process.env, NODE_OPTIONS: '', BATCH_PLANNER_TEST_PLAN: 'editor' },
  });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  await sleep(500);
  child.kill('SIGKILL');
  await until(
    () => processesWith('BATCH_PLANNER_TEST_PLAN=editor').length === 0,
    'the end of the planning',
    20_000,
  );
  expect(existsSync(project.path(configName))).toBe(false);
});
