// Training processes that die for want of memory: real TensorFlow, a real limit, and a system that really kills.
import { EventEmitter } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { runTrainCommand } from '../../src/supervise/train/trainingSupervisor';
import { createTrainingDisplay } from '../../src/terminal/trainingDisplay';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { tensorflowLane } from '../support/lanes';
import {
  hungryScript,
  takesMemory,
  openMemoryGroup,
  startInGroup,
  type MemoryGroup,
} from '../support/recoveryMemory';
import { historyOf, largestDifference, updatesOf, weightsOf } from '../support/recoveryRuns';
import { dyingScript, killsItself } from '../support/recoveryScripts';
import { mlp } from '../support/trainScripts';
import { type Ended } from '../support/childRun';
import { buildTrainProgram, type Project, type TrainProgram } from '../support/trainProgram';

let program: TrainProgram;
beforeAll(async () => {
  program = await buildTrainProgram();
});
afterAll(() => program.remove());

const rows = 16;
const seed = ['--seed', '5', '--checkpoint-updates', '1'];

function projectWith(before: string): Project {
  const script = hungryScript({
    tensorflow: '@tensorflow/tfjs-node-gpu',
    rows,
    updates: 3,
    epochs: 3,
    before,
  });
  return program.project({ script, backend: 'tfjs-node-gpu', targetBatchSize: rows, microbatchSize: rows });
}

describe('killed by the system in the fourth update', () => {
  let group: MemoryGroup | null = null;
  afterEach(() => {
    group?.remove();
    group = null;
  });

  test(
    'half the microbatch goes on from the checkpoint, with the same result',
    { timeout: 240_000 },
    async (context) => {
      const lane = tensorflowLane();
      const made = openMemoryGroup();
      if ('missing' in made) return context.skip(made.missing);
      group = made;
      if (lane.missing !== undefined) return context.skip(lane.missing);
      // Sixteen examples fit beside nothing else; what another program takes in the fourth update leaves room for eight.
      writeFileSync(made.limit, String(1500e6));
      const project = projectWith(
        `if (update === 3 && !fs.existsSync('taken')) { fs.writeFileSync('taken', ''); ${takesMemory(700e6)} }`,
      );
      const whole = projectWith('');
      const started = startInGroup(made, () => project.start(...seed));
      const ended = await started.end;
      expect(ended).toMatchObject({ code: 0, err: '' });
      expect(ended.out).toContain(
        'Out of memory at 16 at once (the system ended the process because memory ran out): going on from update 4 with 8 at once.',
      );
      expect(await whole.run(...seed)).toMatchObject({ code: 0 });
      expect(largestDifference(weightsOf(project), weightsOf(whole))).toBeLessThan(1e-5);
      expect(updatesOf(project)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
      expect(project.record()).toMatchObject({ state: 'completed', attempts: 2, microbatchSize: rows });
      const events = project.events();
      expect(events.filter(({ type }) => type === 'outOfMemory')).toMatchObject([
        { update: 3, microbatch: 16 },
      ]);
      expect(events.filter(({ type }) => type === 'microbatchReduced')).toMatchObject([
        { update: 3, from: 16, to: 8 },
      ]);
      expect(existsSync(path.join(project.runFolder, 'run.lock'))).toBe(false);
    },
  );
});

describe('killed by the system before its first update', () => {
  let group: MemoryGroup | null = null;
  afterEach(() => {
    group?.remove();
    group = null;
  });

  const sizes = { targetBatchSize: 32, microbatchSize: 12 };
  /** Takes memory until the system ends the process; where `once`, only in the first process that comes there. */
  const takesAll = (once: boolean): string =>
    `if (${once ? "!fs.existsSync('died')" : 'true'}) {
      fs.appendFileSync('died', 'x');
      for (const hog = []; ; ) hog.push(Buffer.alloc(20e6, 1));
    }`;
  const inFirstUpdate = (code: string): string =>
    mlp({ epochs: 2, shuffle: true, callbacks: `{ onBatchBegin: () => { ${code} } }` });
  const beforeTraining = (code: string): string =>
    mlp({ epochs: 2, shuffle: true }).replace('const history =', `${code}\nconst history =`);

  /** Runs the script where little memory is allowed, and beside it one that takes none. */
  async function both(
    made: MemoryGroup,
    script: (code: string) => string,
    once: boolean,
  ): Promise<[Project, Ended, Project]> {
    group = made;
    writeFileSync(made.limit, String(800e6));
    const project = program.project({ script: script(takesAll(once)), ...sizes });
    const whole = program.project({ script: script(''), ...sizes });
    const ended = await startInGroup(made, () => project.start('--seed', '77')).end;
    expect(await whole.run('--seed', '77')).toMatchObject({ code: 0 });
    return [project, ended, whole];
  }

  test('in that update: begun anew with half the microbatch, with the same result', async (context) => {
    const made = openMemoryGroup();
    if ('missing' in made) return context.skip(made.missing);
    const [project, ended, whole] = await both(made, inFirstUpdate, true);
    expect(ended).toMatchObject({ code: 0, err: '' });
    expect(ended.out).toContain(
      'Out of memory at 12 at once (the system ended the process because memory ran out): nothing is saved yet, so it begins anew with 6 at once.',
    );
    expect(largestDifference(weightsOf(project), weightsOf(whole))).toBeLessThan(1e-5);
    expect(updatesOf(project)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(project.record()).toMatchObject({ state: 'completed', attempts: 2 });
  });

  test('before its training call: begun anew with the same microbatch, to the very bits', async (context) => {
    const made = openMemoryGroup();
    if ('missing' in made) return context.skip(made.missing);
    const [project, ended, whole] = await both(made, beforeTraining, true);
    expect(ended).toMatchObject({ code: 0, err: '' });
    expect(ended.out).toContain(
      'The training process was ended by SIGKILL before the first update (the system ended the process because memory ran out): nothing is saved yet, so it begins anew.',
    );
    expect(project.read('weights.json')).toBe(whole.read('weights.json'));
    expect(project.record()).toMatchObject({ state: 'completed', attempts: 2 });
  });

  test('again and again: given up after three restarts, with the reason', async (context) => {
    const made = openMemoryGroup();
    if ('missing' in made) return context.skip(made.missing);
    const [project, ended] = await both(made, beforeTraining, false);
    expect(ended.code).toBe(1);
    expect(ended.err).toMatch(
      /^The training process was ended by SIGKILL before the first update \(the system ended the process because memory ran out\), 4 times in a row without a new update: it is not started again\./,
    );
    expect(project.read('died')).toBe('xxxx');
    expect(project.record()).toMatchObject({ state: 'failed', attempts: 4 });
  });
});

/** What the watch says where the kernel's killer was at work. */
const killedByKernel = {
  follow: (): void => undefined,
  stepStarted: (): void => undefined,
  sample: (): void => undefined,
  isExhausted: null,
  killedByKernel: (): boolean => true,
};

describe('a process that ends itself for want of memory', () => {
  const sizes = { targetBatchSize: 32, microbatchSize: 12 };
  const often = ['--seed', '77', '--checkpoint-updates', '1'];

  /** The run that died once, and the same one that did not. */
  async function both(death: string, config: Record<string, unknown> = {}): Promise<[Project, Ended]> {
    const script = dyingScript({ epochs: 3, after: 5, death, dropout: false });
    const project = program.project({ script, ...sizes, config });
    const whole = program.project({ script, ...sizes, config });
    writeFileSync(path.join(whole.folder, 'died'), '');
    const [ended, other] = await Promise.all([project.run(...often), whole.run(...often)]);
    expect(other).toMatchObject({ code: 0 });
    expect(ended).toMatchObject({ code: 0, err: '' });
    expect(largestDifference(weightsOf(project), weightsOf(whole))).toBeLessThan(1e-5);
    expect(historyOf(project).length).toBe(9);
    expect(project.record()).toMatchObject({ state: 'completed', attempts: 2 });
    const last = project.events().findLast((event) => event.type === 'update');
    // Not twelve at once any more, nor again in this run.
    expect(last).toMatchObject({ examples: 16, microbatches: 3 });
    expect(project.events().some(({ type }) => type === 'microbatchGrown')).toBe(false);
    return [project, ended];
  }

  test('a JavaScript heap that is really full: half the microbatch', async () => {
    const death = 'const hog = []; for (;;) hog.push(Array.from({ length: 100000 }, (_, i) => ({ i })));';
    const nodeArguments = ['--max-old-space-size=120'];
    const training = { kind: 'script', arguments: [], folder: '.', nodeArguments };
    const [, { out }] = await both(death, { training });
    expect(out).toMatch(
      /Out of memory at 12 at once \(FATAL ERROR: .*heap out of memory.*\): going on from update 5 with 6 at once\./,
    );
  });

  // What TensorFlow's deaths leave, replayed: when they come is not for a test to choose.
  test.each([
    {
      name: 'std::bad_alloc and an abort',
      death:
        'fs.writeSync(2, "terminate called after throwing an instance of \'std::bad_alloc\'\\n"); process.abort();',
      reason: "terminate called after throwing an instance of 'std::bad_alloc'",
    },
    {
      name: 'a segmentation fault after a message',
      death:
        "fs.writeSync(2, 'OOM when allocating tensor\\n'); process.kill(process.pid, 'SIGSEGV'); for (;;);",
      reason: 'OOM when allocating tensor',
    },
  ])('$name (replayed): half the microbatch', async ({ death, reason }) => {
    const [, { out }] = await both(death);
    expect(out).toContain(`Out of memory at 12 at once (${reason}): going on from update 5 with 6 at once.`);
  });

  test('SIGKILL with the count of the kernel (replayed): half the microbatch', async () => {
    const script = dyingScript({ epochs: 3, after: 5, death: killsItself('SIGKILL'), dropout: false });
    const project = program.project({ script, ...sizes });
    const written = { out: '', err: '' };
    const code = await runTrainCommand({
      configPath: project.configPath,
      runDir: null,
      resume: false,
      err: { write: (text: string) => (written.err += text) },
      display: createTrainingDisplay({ write: (text: string) => (written.out += text) }),
      productVersion: '0.0.0-test',
      programFolder: program.folder,
      signals: new EventEmitter(),
      checkpointUpdates: 1,
      watchMemory: () => Promise.resolve(killedByKernel),
    });
    expect(written.err).toBe('');
    expect(code).toBe(0);
    expect(written.out).toContain(
      'Out of memory at 12 at once (the system ended the process because memory ran out): going on from update 5 with 6 at once.',
    );
    expect(project.record()).toMatchObject({ state: 'completed', attempts: 2 });
  });

  test('again and again: smaller each time, and at one example the end, with exit code 3 and a plain reason', async () => {
    const death = "fs.writeSync(2, 'std::bad_alloc\\n'); process.abort();";
    const script = dyingScript({ epochs: 3, after: 5, death, once: false });
    const project = program.project({ script, ...sizes });
    const ended = await project.run(...often);
    expect(ended.code).toBe(3);
    expect(ended.err).toMatch(
      /^Memory ran out with one example at a time \(std::bad_alloc\)\. Free memory on the device, then go on\.\n/,
    );
    expect(ended.err).toContain('--resume');
    const reductions = project
      .events()
      .flatMap((event) => (event.type === 'microbatchReduced' ? [event.to] : []));
    expect(reductions).toEqual([6, 3, 1]);
    expect(project.record()).toMatchObject({ state: 'failed', attempts: 4 });
    expect(project.events().at(-1)).toMatchObject({ type: 'ended', how: 'failed', exitCode: 3 });
  });
});
