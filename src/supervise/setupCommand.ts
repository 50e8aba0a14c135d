// `setup tensorflow`: makes a working TensorFlow for Node.js in the user's folder, says what it does, and proves it.
import { existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { exitCodes, type ExitCode } from '../protocol/exitCodes';
import { runCommand, type RunCommand } from './tensorflowSetup/command';
import { ownSurroundings, type Surroundings } from './tensorflowSetup/executables';
import { gatherFacts } from './tensorflowSetup/facts';
import { planSetup } from './tensorflowSetup/planSetup';
import { GpuNotUsedError, setUp, type SetupTools } from './tensorflowSetup/setUp';
import { findTensorflow, type TensorflowState } from './tensorflowSetup/state';
import { checkByTraining, type TrainingCheck } from './tensorflowSetup/trainingCheck';
import {
  SetupError,
  type PipPackage,
  type SetupFacts,
  type SetupPlan,
  type TensorflowSource,
} from './tensorflowSetup/types';

/** What the command was called with, and where it writes. */
export interface SetupCommand {
  /** `--folder`; null: the project that `cwd` lies in. */
  readonly folder: string | null;
  /** `--from`; null: whichever suits the machine. */
  readonly from: TensorflowSource | null;
  /** `--package`; null: with CUDA where there is an NVIDIA GPU. */
  readonly package: PipPackage | null;
  /** `--force`: make it anew although one works. */
  readonly force: boolean;
  readonly out: { write(text: string): unknown };
  readonly err: { write(text: string): unknown };
  /** Default: this process's own folder. */
  readonly cwd?: string;
  /** Aborted: what was done is taken back. Default: at Ctrl-C, SIGTERM or the terminal's end. */
  readonly signal?: AbortSignal;
  /** Injected in tests. */
  readonly run?: RunCommand;
  readonly surroundings?: Surroundings;
}

/**
 * Runs the command. Exit codes: 0 it works (also: it did already); 1 it was made and does not work; 2 the folder stands in the way;
 * 4 it cannot be had here; 130 interrupted. The last line told is the reason.
 */
export async function runSetupCommand(command: SetupCommand): Promise<ExitCode> {
  const interruption =
    command.signal === undefined ? untilInterrupted() : { signal: command.signal, release: () => undefined };
  const tell = (line: string) => command.err.write(`${line}\n`);
  try {
    return await attemptSetup(command, interruption.signal);
  } catch (error) {
    if (interruption.signal.aborted) {
      tell('Interrupted; nothing was left behind.');
      return exitCodes.interrupted;
    }
    if (!(error instanceof SetupError)) throw error;
    tell(error.message);
    return { unavailable: exitCodes.noBackend, broken: exitCodes.failed, usage: exitCodes.usage }[error.kind];
  } finally {
    interruption.release();
  }
}

/** A signal that this process's own interruption aborts. Asking again changes nothing: taking back is a matter of seconds. */
function untilInterrupted(): { signal: AbortSignal; release: () => void } {
  const controller = new AbortController();
  const abort = () => controller.abort(new Error('interrupted'));
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of names) process.on(name, abort);
  const release = () => names.forEach((name) => process.off(name, abort));
  return { signal: controller.signal, release };
}

async function attemptSetup(command: SetupCommand, signal: AbortSignal): Promise<ExitCode> {
  const { from, package: pipPackage, force } = command;
  if (from === 'stock' && pipPackage !== null) {
    throw new SetupError(
      'usage',
      '--package names a Python package and goes with --from pip, not with --from stock.',
    );
  }
  const say = (line: string) => void command.out.write(`${line}\n`);
  const tools: SetupTools = {
    run: command.run ?? runCommand,
    signal,
    surroundings: command.surroundings ?? ownSurroundings(),
    processorName: os.cpus()[0]?.model.trim() || 'the processor',
    say,
  };
  const cwd = command.cwd ?? process.cwd();
  const folder = command.folder === null ? projectOf(cwd) : path.resolve(cwd, command.folder);
  const found = findTensorflow(folder, { ancestors: command.folder === null });
  const { state: present, check } = await tryPresent(found, folder, tools);
  const facts = await gatherFacts(folder, present, tools);
  if (check !== null && present.state === 'complete' && !force) {
    say(`${present.packageName} ${present.version} in ${folder} works already: ${describe(check)}`);
    const gpu = facts.gpus[0];
    if (gpu !== undefined && !check.usesGpu)
      say(`The ${gpu.name} is not used; --force makes one anew that can use it.`);
    return exitCodes.done;
  }
  if (present.state === 'broken')
    say(`${present.packageName} is there and does not work: ${present.message}`);
  if (present.state === 'withoutNativePart')
    say(`${present.packageName} is there without its native part; adding it.`);

  const plan = planSetup(facts, { from, pipPackage });
  if (plan.kind !== 'plan') throw new SetupError(plan.kind, plan.message);
  for (const note of plan.notes) say(note);
  const made = await firstThatWorks(plan, facts, tools);
  say(`${plan.packageName} ${plan.version} in ${folder} works: ${describe(made)}`);
  if (plan.layout === 'inside') {
    const add = `npm install --ignore-scripts --save-optional --save-exact ${plan.packageName}@${plan.version}`;
    say(
      `Your package.json was not changed, so the next npm install removes it. To keep it: ${add}, then run this again.`,
    );
  }
  return exitCodes.done;
}

/** What is there is tried before it is left alone, or mended. */
async function tryPresent(
  found: TensorflowState,
  folder: string,
  tools: SetupTools,
): Promise<{ state: TensorflowState; check: TrainingCheck | null }> {
  if (found.state !== 'complete') return { state: found, check: null };
  tools.say(`Trying ${found.packageName} ${found.version}, which is there.`);
  try {
    const where = { ...tools, nodePath: tools.surroundings.nodePath };
    return { state: found, check: await checkByTraining(found.packageName, folder, where) };
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    return { state: { ...found, state: 'broken', message: error.message }, check: null };
  }
}

/** Goes through the attempts. The error that counts at the end is of what was made and did not work, else the first. */
async function firstThatWorks(plan: SetupPlan, facts: SetupFacts, tools: SetupTools): Promise<TrainingCheck> {
  const failures: SetupError[] = [];
  for (const [index, attempt] of plan.attempts.entries()) {
    const source =
      attempt.source === 'stock' ? 'The stock binary' : `TensorFlow from pip (${attempt.pipPackage})`;
    tools.say(`${source}: ${attempt.reason}.`);
    const isLast = index === plan.attempts.length - 1;
    try {
      return await setUp(plan, attempt, facts, isLast && failures.length === 0, tools);
    } catch (error) {
      if (!(error instanceof SetupError) || error.kind === 'usage') throw error;
      failures.push(error);
      if (!isLast) tools.say(error.message);
    }
  }
  const kind = failures.some((failure) => failure.kind === 'broken') ? 'broken' : 'unavailable';
  const onCpu = failures.some((failure) => failure instanceof GpuNotUsedError);
  const hint = onCpu ? ' To keep one on the CPU, name the way with --from.' : '';
  throw new SetupError(kind, failures.map(({ message }) => message).join(' ') + hint, { cause: failures[0] });
}

function describe(check: TrainingCheck): string {
  const device = `${check.usesGpu ? 'the GPU' : 'the CPU'} (${check.deviceName})`;
  const missing =
    check.missingLibraries.length > 0 ? ` Not found: ${check.missingLibraries.join(', ')}.` : '';
  const [before, after] = [check.lossBefore, check.lossAfter].map((loss) => loss.toPrecision(4));
  return `TensorFlow ${check.tensorflowVersion} trained a step on ${device}, loss ${before} to ${after}.${missing}`;
}

/** The nearest folder upwards that is a project, as npm sees it; cwd where there is none. */
function projectOf(cwd: string): string {
  for (let at = path.resolve(cwd); ; at = path.dirname(at)) {
    if (['package.json', 'node_modules'].some((name) => existsSync(path.join(at, name)))) return at;
    if (at === path.dirname(at)) return path.resolve(cwd);
  }
}
