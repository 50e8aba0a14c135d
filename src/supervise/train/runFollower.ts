// Shows a training that another process supervises: what its run folder tells, until it has ended or nobody looks any more.
import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { exitCodes, type ExitCode } from '../../protocol/exitCodes';
import type { ControlRequest } from '../../protocol/job';
import type { RunPaths } from '../runs/runFolder';
import { readRunProgress, writeControl } from '../runs/runFolderFiles';
import { FileTail, Lines, RunEventTail } from '../runs/runFolderTail';
import { parseLogLine, supervisorLogOf, type LoggedLine } from './supervisorLog';
import type { TrainingDisplay } from './trainingDisplay';

/** Bytes of a run's files that are known already. */
export interface FollowStart {
  readonly events: number;
  readonly output: number;
  readonly log: number;
}

/** As large as the files are now. */
export async function followStart(paths: RunPaths): Promise<FollowStart> {
  const sizeOf = async (file: string): Promise<number> => (await statIfThere(file))?.size ?? 0;
  return {
    events: await sizeOf(paths.events),
    output: await sizeOf(paths.log),
    log: await sizeOf(supervisorLogOf(paths.folder)),
  };
}

/** Null where there is nothing of that name. */
export async function statIfThere(file: string): Promise<Stats | null> {
  try {
    return await stat(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
}

export interface FollowOptions {
  readonly paths: RunPaths;
  readonly start: FollowStart;
  /** The events that are there at the first look are an earlier part of the run: known, but not told again. */
  readonly firstArePast?: boolean;
  readonly display: TrainingDisplay;
  readonly err: { write(text: string): unknown };
  /** The exit code once the run has ended; null while it goes on. Asked before each look at the files. */
  readonly ended: () => Promise<ExitCode | null>;
  /** Where Ctrl-C and requests to terminate come from. */
  readonly signals: Pick<NodeJS.EventEmitter, 'on' | 'off'>;
  /** Aborted once nobody reads any more what is shown. */
  readonly closed?: AbortSignal | undefined;
}

/** Between two looks, in ms. */
const pollPause = 100;

/**
 * Shows the run to its end. Ctrl-C asks it to stop, a second one to end at once; a terminal that is closed, or a
 * request to terminate, only ends the showing.
 * @returns the run's exit code; null where the run goes on without being shown
 */
export async function followRun(options: FollowOptions): Promise<ExitCode | null> {
  const follower = new Follower(options);
  return follower.run();
}

class Follower {
  readonly #events: RunEventTail;
  readonly #output: FileTail;
  readonly #log: FileTail;
  readonly #logLines = new Lines();
  #arePast: boolean;
  #leaves = false;
  #stopAsked = false;
  #trains = false;

  constructor(private readonly options: FollowOptions) {
    const { paths, start, firstArePast = false } = options;
    this.#arePast = firstArePast;
    this.#events = new RunEventTail(paths.events, start.events);
    this.#output = new FileTail(paths.log, start.output);
    this.#log = new FileTail(supervisorLogOf(paths.folder), start.log);
  }

  async run(): Promise<ExitCode | null> {
    const { signals, closed, ended, display } = this.options;
    const leave = (): void => {
      this.#leaves = true;
    };
    const stop = (): void => this.#ask();
    signals.on('SIGINT', stop);
    for (const signal of ['SIGTERM', 'SIGHUP']) signals.on(signal, leave);
    closed?.addEventListener('abort', leave);
    try {
      for (;;) {
        if (this.#leaves || closed?.aborted === true) return null;
        const code = await ended();
        await this.#look();
        if (code !== null) return code;
        await sleep(pollPause);
      }
    } finally {
      signals.off('SIGINT', stop);
      for (const signal of ['SIGTERM', 'SIGHUP']) signals.off(signal, leave);
      closed?.removeEventListener('abort', leave);
      display.end();
      await Promise.all([this.#events.close(), this.#output.close(), this.#log.close()]);
    }
  }

  async #look(): Promise<void> {
    const { display, paths } = this.options;
    // In this order: the events that something was said after are then read, too.
    const said = this.#logLines.add(await this.#log.read()).map(parseLogLine);
    const text = await this.#output.read();
    const events = await this.#events.read();
    for (const event of events) {
      while (said[0] !== undefined && (said[0].after ?? '') < event.time) this.#say(said.shift());
      this.#trains = true;
      display.event(event, this.#arePast);
    }
    this.#arePast = false;
    if (text !== '') display.output(text);
    for (const line of said) this.#say(line);
    const progress = await readRunProgress(paths);
    if (progress) display.progress(progress);
    display.refresh();
  }

  #say(line: LoggedLine | undefined): void {
    if (line === undefined) return;
    const { display, err } = this.options;
    if (!line.isError) display.say(line.text);
    else {
      // The last that there is to tell: the line that is redrawn would be torn by it.
      display.end();
      err.write(`${line.text}\n`);
    }
  }

  #ask(): void {
    const request: ControlRequest['request'] = this.#stopAsked ? 'end' : 'stop';
    const { display, paths } = this.options;
    if (request === 'stop' && this.#trains)
      display.say('Stopping after this update, and saving. Once more ends at once.');
    this.#stopAsked = true;
    writeControl(paths, request).catch((error: unknown) => {
      display.say(`The training cannot be asked to ${request}: ${String(error)}`);
    });
  }
}

/** What an exit code of another process means as one of ours. */
export function asExitCode(code: number | null): ExitCode {
  return Object.values(exitCodes).find((each) => each === code) ?? exitCodes.failed;
}
