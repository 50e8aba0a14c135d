// What the tests of faults share: a training that is met by one, what of it is on the disk afterwards, and how it ends.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { newestSound } from '../../src/engine/train/checkpointReader';
import { parseRunEvent, type RunEvent } from '../../src/protocol/runEvents';
import { runOf, type Ended, type Running } from './childRun';
import { buildTrainProgram, until, type Project, type TrainProgram } from './trainProgram';
import { mlp } from './trainScripts';

/** Every training of these tests has these, so that all can be compared with one that nothing happened to. */
const sizes = { targetBatchSize: 32, microbatchSize: 12 };
const seed = '77';
/** Three updates an epoch. */
const updatesPerEpoch = 3;
const layers = 'model.add(tf.layers.dropout({ rate: 0.3 }));';
/** After each update; also what the script prints, as many do, without looking whether it can. */
const callbacks = `{ onBatchEnd: async () => {
  process.stdout.write('.'.repeat(200) + '\\n');
  globalThis.ended = (globalThis.ended ?? 0) + 1;
  if (globalThis.ended > Number(process.env.HOLD_AFTER || Infinity)) await new Promise(() => setInterval(() => {}, 1000));
  await new Promise((resolve) => setTimeout(resolve, Number(process.env.UPDATE_PAUSE ?? 0)));
} }`;

const beforeTraining = 'const history = await model.fit';
/** Trains once, and rests from then on: its state is in every checkpoint. */
const otherModel = `
  const other = tf.sequential({ name: 'other', layers: [tf.layers.dense({ units: 1, inputShape: [6] })] });
  other.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  await other.fit(x, y, { epochs: 1, batchSize: 32, verbose: 0 });
  `;

export interface FaultProject {
  readonly project: Project;
  /** Updates of the whole training. */
  readonly updates: number;
  /** Where the run is, seen from the test. */
  folder: string;
  start(options?: StartOptions): Running;
  run(options?: StartOptions): Promise<Ended>;
  events(): RunEvent[];
  /** Number of updates that the events tell of. */
  done(): number;
  untilDone(updates: number): Promise<void>;
  trainerPid(): number;
}

export interface StartOptions {
  /** More arguments of `train`. */
  readonly arguments?: readonly string[];
  /** Command and arguments that start what follows them. */
  readonly prefix?: readonly string[];
  /** Environment of both processes. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Least time that an update takes, in ms. */
  readonly updatePause?: number;
  /** The script hangs in the callback of the update after so many: whatever the machine does, the training goes on no further. */
  readonly holdAfter?: number;
}

/** What a file of these tests has for all of them. */
export interface FaultProgram {
  readonly program: TrainProgram;
  /** What a training of its number of epochs ends with, with nothing in its way. */
  readonly weights: string;
  /** A project of its number of epochs; see faultProject. */
  project(always?: ProjectFaults): FaultProject;
}

/** Builds the program before the tests of a file, and trains once undisturbed; removes all of it after them. */
export function useFaultProgram(epochs: number): FaultProgram {
  let program: TrainProgram | null = null;
  let weights = '';
  const built = (): TrainProgram => {
    if (program === null) throw new Error('the program is built before the tests');
    return program;
  };
  beforeAll(async () => {
    program = await buildTrainProgram();
    const whole = faultProject(program, epochs);
    expect(await whole.run({ updatePause: 0 })).toMatchObject({ code: 0, err: '' });
    weights = whole.project.read('weights.json');
  });
  afterAll(() => program?.remove());
  return {
    get program() {
      return built();
    },
    get weights() {
      return weights;
    },
    project: (always) => faultProject(built(), epochs, always),
  };
}

/**
 * `runDir`: as its processes see the run folder, or null for one of the product's choice; `isSecondModel`: another model
 * trains before; `before`: code that runs before all training.
 */
export type ProjectFaults = StartOptions & {
  readonly runDir?: string | null;
  readonly isSecondModel?: boolean;
  readonly before?: string;
};

/**
 * A project with shuffling and dropout, that is saved after each update.
 * @param always for every start
 */
export function faultProject(
  program: TrainProgram,
  epochs: number,
  always: ProjectFaults = {},
): FaultProject {
  const { runDir = 'run', isSecondModel = false, before = '', ...forAll } = always;
  const plain = mlp({ epochs, shuffle: true, layers, callbacks }).replace(
    beforeTraining,
    `${before}\n  ${beforeTraining}`,
  );
  const script = isSecondModel ? plain.replace(beforeTraining, `${otherModel}${beforeTraining}`) : plain;
  const project = program.project({ script, ...sizes });
  const start = (options: StartOptions = {}): Running => {
    const {
      arguments: more = [],
      prefix = [],
      environment = {},
      updatePause = 30,
      holdAfter,
    } = { ...forAll, ...options };
    const [command = process.execPath, ...words] = [
      ...prefix,
      process.execPath,
      ...[path.join(program.folder, 'main.cjs'), project.configPath],
      ...(runDir === null ? [] : ['--run-dir', path.resolve(project.folder, runDir)]),
      ...['--seed', seed, '--checkpoint-updates', '1', ...more],
    ];
    return startProcess(command, words, project.folder, {
      UPDATE_PAUSE: String(updatePause),
      ...(holdAfter === undefined ? {} : { HOLD_AFTER: String(holdAfter) }),
      ...environment,
    });
  };
  const fault: FaultProject = {
    project,
    updates: epochs * updatesPerEpoch,
    folder: path.join(project.folder, 'run'),
    start,
    run: (options) => start(options).end,
    events: () => eventsIn(fault.folder),
    done: () => fault.events().filter(({ type }) => type === 'update').length,
    untilDone: (updates) => until(() => fault.done() >= updates, `update ${updates}`),
    trainerPid: () => {
      const started = fault.events().findLast((event) => event.type === 'started');
      return started?.type === 'started' ? started.pid : Number.NaN;
    },
  };
  return fault;
}

/** The leader of a process group, as a shell starts it. */
function startProcess(
  command: string,
  words: readonly string[],
  folder: string,
  environment: Readonly<Record<string, string>>,
): Running {
  const child = spawn(command, words, {
    cwd: folder,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '', NO_COLOR: '1', ...environment },
  });
  return runOf(child);
}

/** Ends the supervisor and the trainer in one moment. Resolves when both are gone. */
export async function endAll(fault: FaultProject, { child, end }: Running): Promise<void> {
  const trainer = fault.trainerPid();
  const pids = [child.pid ?? Number.NaN, trainer];
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  await end;
  await until(() => !isAlive(trainer), 'the end of the trainer');
}

/** Events of a run; what is no event is passed over. */
export function eventsIn(folder: string): RunEvent[] {
  const file = path.join(folder, 'events.ndjson');
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.map(parseRunEvent).filter((event) => event !== null);
}

/** Notes of a run, in order. */
export function notesIn(folder: string): string[] {
  return eventsIn(folder).flatMap((event) => (event.type === 'warning' ? [event.warning.message] : []));
}

/** Updates that are done in the newest sound checkpoint; 0 where there is none. Nothing half-made may lie beside it. */
export function savedUpdates(folder: string): number {
  const checkpoints = path.join(folder, 'checkpoints');
  return newestSound(checkpoints).sound?.state.position.update ?? 0;
}

/** Files in the checkpoints folder that are no whole checkpoint. */
export function halfCheckpoints(folder: string): string[] {
  const checkpoints = path.join(folder, 'checkpoints');
  if (!existsSync(checkpoints)) return [];
  return readdirSync(checkpoints).filter((name) => {
    const isWhole = ['model-0.safetensors', 'state.json'].join();
    return !/^\d+$/.test(name) || readdirSync(path.join(checkpoints, name)).sort().join() !== isWhole;
  });
}

/** Goes on with a training until it is done: its result must be that of an undisturbed one, bit by bit. */
export async function expectToComplete(
  fault: FaultProject,
  weights: string,
  options: StartOptions = {},
): Promise<Ended> {
  rmSync(path.join(fault.project.folder, 'weights.json'), { force: true });
  const resume = ['--resume', ...(options.arguments ?? [])];
  const ended = await fault.run({ updatePause: 0, ...options, arguments: resume });
  expect(ended).toMatchObject({ code: 0 });
  expect(fault.project.read('weights.json')).toBe(weights);
  return ended;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
