// Plans in a child process, for the editor: messages as they come, one outcome, and a cancel that leaves nothing behind.
import { spawn, type ChildProcess } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';
import type { BackendName } from '../../planning/backendName';
import type { Objective, Plan } from '../../planning/plan';
import { exitCodes } from '../../protocol/exitCodes';
import { checkOutside } from '../../protocol/outsideValue';
import { planStreamMessage, type PlanFailure, type PlanStreamMessage } from '../../protocol/planStream';
import { Lines } from '../runs/runFolderTail';
import { endProcessTree } from './endProcessTree';

export interface PlanProcessOptions {
  /** The user's Node, and the command line's file. */
  readonly nodePath: string;
  readonly cliFile: string;
  /** Absolute path of the script or model.json. */
  readonly entry: string;
  /** Null: as planned before, or as the script asks. */
  readonly targetBatchSize: number | null;
  /** Null: what is free, less the headroom. */
  readonly budgetBytes: number | null;
  /** Null: the usual one. */
  readonly headroomBytes: number | null;
  /** Null: the best that works. */
  readonly backend: BackendName | null;
  readonly objective: Objective;
  /** Bus id, UUID or index of a GPU; null: the freest. */
  readonly device: string | null;
  readonly cwd: string;
  readonly environment: Readonly<NodeJS.ProcessEnv>;
  readonly onMessage: (message: PlanStreamMessage) => void;
  /** What the script prints, and what the command line says besides. */
  readonly onOutput: (text: string) => void;
  /** Injected in tests. */
  readonly spawn?: typeof spawn;
}

export type PlanOutcome =
  | {
      readonly kind: 'planned';
      readonly plan: Plan;
      readonly configPath: string;
      readonly needsData: boolean;
    }
  | { readonly kind: 'failed'; readonly failure: PlanFailure }
  | { readonly kind: 'cancelled' };

export interface PlanProcess {
  /** How it ended; never rejects. */
  readonly done: Promise<PlanOutcome>;
  /** Asks it to end, and ends it where it does not. Resolves when it is gone; the outcome tells if it came too late. */
  cancel(): Promise<void>;
}

/** A planning that was cancelled ends its children and cleans up within this time, in ms, or is ended itself. */
const graceMs = 5_000;
/** After its end, children of its own may hold its streams open: this long is waited for the rest, in ms. */
const drainMs = 1_000;
/** Kept of the end of stderr. */
const keptCharacters = 8_192;
const shownLines = 12;

/** Starts `plan --stream`. Whatever happens is told by the outcome. */
export function startPlanProcess(options: PlanProcessOptions): PlanProcess {
  return new Planning(options);
}

class Planning implements PlanProcess {
  readonly done: Promise<PlanOutcome>;
  #child: ChildProcess | null = null;
  #isCancelled = false;
  #last: PlanOutcome | null = null;
  #listenerFailure: PlanOutcome | null = null;
  #stderr = '';
  #resolve: (outcome: PlanOutcome) => void = () => undefined;
  #grace: NodeJS.Timeout | null = null;

  constructor(private readonly options: PlanProcessOptions) {
    this.done = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    try {
      this.#start();
    } catch (error) {
      // An argument that no process can have: a path with a null byte, for one.
      this.#end(failed('internal', errorText(error)));
    }
  }

  async cancel(): Promise<void> {
    const child = this.#child;
    if (!this.#isCancelled && child !== null) {
      this.#isCancelled = true;
      child.stdin?.end();
      this.#grace = setTimeout(() => this.#kill(child), graceMs);
    }
    await this.done;
  }

  #start(): void {
    const { nodePath, cliFile, cwd, environment, onOutput } = this.options;
    const child = (this.options.spawn ?? spawn)(nodePath, [cliFile, ...argumentsOf(this.options)], {
      cwd,
      env: environment,
      stdio: ['pipe', 'pipe', 'pipe'],
      windowsHide: true,
      // A group of its own: a Ctrl-C in the terminal that the editor was started from is not for it.
      detached: process.platform !== 'win32',
    });
    this.#child = child;
    const lines = new Lines();
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      for (const line of lines.add(piece)) this.#take(line);
    });
    child.stderr.setEncoding('utf8').on('data', (piece: string) => {
      this.#stderr = (this.#stderr + piece).slice(-keptCharacters);
      this.#guard(() => onOutput(piece));
    });
    // Streams of a process that is gone fail; its end tells all there is to tell.
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.on('error', () => undefined);
    child.once('error', (error) => this.#end(this.#startFailure(error)));
    child.once('exit', (code, signal) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#end(this.#outcome(code, signal));
      };
      const timer = setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
        end();
      }, drainMs);
      child.once('close', end);
    });
  }

  #take(line: string): void {
    if (line.trim() === '') return;
    const message = parse(line);
    if (message === null) {
      // Nothing but messages goes to stdout: anything else is worth a look.
      this.#guard(() => this.options.onOutput(`${line}\n`));
      return;
    }
    if (message.type === 'finished') {
      const { plan, configPath, needsData } = message;
      this.#last = { kind: 'planned', plan, configPath, needsData };
    } else if (message.type === 'failed') this.#last = { kind: 'failed', failure: message.failure };
    this.#guard(() => this.options.onMessage(message));
  }

  /** A listener that throws ends the planning: nobody follows it any more. */
  #guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#listenerFailure ??= failed('internal', errorText(error));
      void this.cancel();
    }
  }

  #outcome(code: number | null, signal: NodeJS.Signals | null): PlanOutcome {
    const last = this.#last;
    // A config that was written before the cancel came is there.
    if (last?.kind === 'planned') return last;
    if (this.#listenerFailure !== null) return this.#listenerFailure;
    if (this.#isCancelled && (last === null || isInterruption(last))) return { kind: 'cancelled' };
    if (last !== null) return last;
    const how = signal === null ? `with exit code ${code ?? 0}` : `by ${signal}`;
    const said = stripVTControlCharacters(this.#stderr)
      .split('\n')
      .filter((line) => line.trim() !== '')
      .slice(-shownLines);
    if (code === exitCodes.usage && said.length > 0) return failed('usage', said.join('\n'));
    return failed('internal', [`Planning ended ${how} without an answer.`, ...said].join('\n'));
  }

  #startFailure(error: NodeJS.ErrnoException): PlanOutcome {
    const { nodePath, cwd } = this.options;
    const what = error.code === 'ENOENT' ? `it, or the folder ${cwd}, does not exist` : error.message;
    return failed('node', `Node.js (${nodePath}) cannot be started: ${what}.`, 'chooseNode');
  }

  #kill(child: ChildProcess): void {
    if (child.pid === undefined) return;
    endProcessTree(child.pid).catch((error: unknown) => {
      this.#stderr += errorText(error);
      child.kill('SIGKILL');
    });
  }

  #end(outcome: PlanOutcome): void {
    if (this.#grace !== null) clearTimeout(this.#grace);
    this.#resolve(outcome);
  }
}

function argumentsOf(options: PlanProcessOptions): string[] {
  const { entry, targetBatchSize, budgetBytes, headroomBytes, backend, objective, device } = options;
  const optional = (name: string, value: number | string | null): string[] =>
    value === null ? [] : [`--${name}=${value}`];
  return [
    'plan',
    '--stream',
    `--objective=${objective}`,
    ...optional('target-batch', targetBatchSize),
    // Whole bytes, which are taken exactly.
    ...optional('budget', budgetBytes === null ? null : Math.floor(budgetBytes)),
    ...optional('headroom', headroomBytes === null ? null : Math.floor(headroomBytes)),
    ...optional('backend', backend),
    ...optional('device', device),
    entry,
  ];
}

function parse(line: string): PlanStreamMessage | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  return checkOutside(planStreamMessage, value).data ?? null;
}

function failed(
  kind: PlanFailure['kind'],
  message: string,
  remedy: PlanFailure['remedy'] = null,
): PlanOutcome {
  return { kind: 'failed', failure: { kind, message, file: null, line: null, remedy } };
}

function isInterruption(outcome: PlanOutcome): boolean {
  return outcome.kind === 'failed' && outcome.failure.kind === 'interrupted';
}

function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
