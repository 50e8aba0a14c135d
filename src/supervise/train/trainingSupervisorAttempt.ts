// One training process from its start to its end: started, followed, asked to stop, and judged by what it left.
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, statSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { controlRequest } from '../../protocol/job';
import { engineReport, type EngineReport } from '../../protocol/report';
import type { RunEvent } from '../../protocol/runEvents';
import { FileTail, Lines, RunEventTail } from '../runs/runFolderTail';
import { readJson, readRunProgress, writeControl } from '../runs/runFolderFiles';
import type { RunPaths } from '../runs/runFolder';
import { endTree, treeSpawnOptions } from '../processTree';
import type { ScriptCommand } from '../scriptCommand';
import type { TrainingDisplay } from './trainingDisplay';

/** Between two looks at what the process tells, in ms. */
const pollPause = 100;
/** A run folder that is missing for this many looks is deleted, and not just being moved or saved to. */
const goneLooks = 30;
/** As much of the end of the output as is kept to find the cause of a death. */
const keptOutput = 16_384;

/** Everything that is known of a training process that has ended. */
export interface AttemptOutcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** How it said that it ended; null where it died without a word. */
  readonly ended: Extract<RunEvent, { type: 'ended' }> | null;
  readonly lastUpdate: Extract<RunEvent, { type: 'update' }> | null;
  readonly updates: number;
  readonly epochs: number;
  /** True where the last training call had ended: what came after was the script's own. */
  readonly callHasEnded: boolean;
  /** True where an earlier attempt of this run had trained. */
  readonly isResumed: boolean;
  readonly reports: readonly EngineReport[];
  /** End of what the script wrote. */
  readonly output: string;
  /** Ended by this supervisor, without waiting. */
  readonly killed: boolean;
  /** The run folder was deleted: nothing can be saved or asked any more, so the process was ended. */
  readonly folderIsGone: boolean;
}

export interface AttemptOptions {
  readonly paths: RunPaths;
  readonly command: ScriptCommand;
  readonly display: TrainingDisplay;
  /** Called once the process is there. */
  onStarted(pid: number): Promise<void>;
  onEvent(event: RunEvent): Promise<void>;
}

/** A training process. A restart after a death is a new attempt in the same run folder. */
export class TrainingAttempt {
  #child: ChildProcess | null = null;
  #killed = false;
  #stopAsked = false;
  #eventsStart = 0;
  #updates = 0;
  #epochs = 0;
  #lastUpdate: AttemptOutcome['lastUpdate'] = null;
  #ended: AttemptOutcome['ended'] = null;
  #callHasEnded = false;
  #output = '';
  #missingLooks = 0;
  readonly #reports: EngineReport[] = [];
  readonly #reportLines = new Lines();

  constructor(private readonly options: AttemptOptions) {}

  /**
   * True once the script has made its first training call: from then on there is something to save. Looks at the file
   * itself, as events may wait to be read.
   */
  get trains(): boolean {
    return sizeOf(this.options.paths.events) > this.#eventsStart;
  }

  /** Runs the process to its end. Whatever happens, no process is left. */
  async run(): Promise<AttemptOutcome> {
    const { paths, command } = this.options;
    this.#eventsStart = sizeOf(paths.events);
    const events = new RunEventTail(paths.events, this.#eventsStart);
    const output = new FileTail(paths.log, sizeOf(paths.log));
    const reports = new FileTail(paths.reports, sizeOf(paths.reports));
    const { child, end } = start(command, paths.log);
    this.#child = child;
    try {
      if (child.pid !== undefined) await this.options.onStarted(child.pid);
      let exit: { code: number | null; signal: NodeJS.Signals | null } | null = null;
      const ended = end.then((how) => (exit = how));
      while (exit === null) {
        await Promise.race([ended, sleep(pollPause)]);
        await this.#obey();
        await this.#endWithFolder();
        await this.#look(events, output, reports);
      }
      await this.#look(events, output, reports);
      const { code, signal } = await end;
      return { code, signal, ...this.#outcome() };
    } finally {
      if (child.pid !== undefined && (child.exitCode === null || this.#killed)) endTree(child.pid);
      await Promise.all([events.close(), output.close(), reports.close()]);
    }
  }

  /** Asks for the state to be saved after this update. Where nothing is trained yet, there is nothing to wait for. */
  async stop(): Promise<void> {
    this.#stopAsked = true;
    if (this.trains) await writeControl(this.options.paths, 'stop');
    else this.kill();
  }

  get isStopping(): boolean {
    return this.#stopAsked;
  }

  /** Ends the process and everything that it started, at once. */
  kill(): void {
    this.#killed = true;
    const pid = this.#child?.pid;
    if (pid !== undefined && this.#child?.exitCode === null) endTree(pid);
  }

  /**
   * Does what is asked through the control file and not the trainer's to do: to end at once, and to stop while
   * there is nothing to save. Everything else the trainer does between two updates.
   */
  async #obey(): Promise<void> {
    const asked = controlRequest.safeParse(await readJson(this.options.paths.control)).data?.request;
    if (asked === 'end') this.kill();
    else if (asked === 'stop' && !this.#stopAsked) {
      this.#stopAsked = true;
      if (!this.trains) this.kill();
    }
  }

  /** A training without its folder could be neither saved nor stopped. */
  async #endWithFolder(): Promise<void> {
    const isThere = await access(this.options.paths.record).then(
      () => true,
      (error: NodeJS.ErrnoException) => error.code !== 'ENOENT' && error.code !== 'ENOTDIR',
    );
    this.#missingLooks = isThere ? 0 : this.#missingLooks + 1;
    if (this.#missingLooks === goneLooks) this.kill();
  }

  async #look(events: RunEventTail, output: FileTail, reports: FileTail): Promise<void> {
    const { display, paths, onEvent } = this.options;
    // Read before the events but shown after them: what the script printed after an epoch then stands below it.
    const text = await output.read();
    for (const line of this.#reportLines.add(await reports.read())) this.#report(line);
    for (const event of await events.read()) {
      this.#note(event);
      display.event(event);
      await onEvent(event);
    }
    if (text !== '') {
      this.#output = (this.#output + text).slice(-keptOutput);
      display.output(text);
    }
    const progress = await readRunProgress(paths);
    if (progress) display.progress(progress);
    display.refresh();
  }

  #note(event: RunEvent): void {
    if (event.type === 'update') {
      this.#updates++;
      this.#lastUpdate = event;
    } else if (event.type === 'epoch') this.#epochs++;
    else if (event.type === 'call') this.#callHasEnded = false;
    else if (event.type === 'callEnded') this.#callHasEnded = true;
    else if (event.type === 'ended') this.#ended = event;
  }

  /** Lines that are not reports (another program's, or torn) are none. */
  #report(line: string): void {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      return;
    }
    const checked = engineReport.safeParse(value);
    if (checked.success) this.#reports.push(checked.data);
  }

  #outcome(): Omit<AttemptOutcome, 'code' | 'signal'> {
    return {
      ended: this.#ended,
      lastUpdate: this.#lastUpdate,
      updates: this.#updates,
      epochs: this.#epochs,
      callHasEnded: this.#callHasEnded,
      isResumed: this.#eventsStart > 0,
      reports: this.#reports,
      output: this.#output,
      killed: this.#killed,
      folderIsGone: this.#missingLooks >= goneLooks,
    };
  }
}

/**
 * Starts the script. Its output goes straight to the log file and not through a pipe: when the supervisor dies, the
 * script must still be able to write and to save.
 */
function start(
  { command, arguments: commandArguments, folder, environment }: ScriptCommand,
  logFile: string,
): { child: ChildProcess; end: Promise<{ code: number | null; signal: NodeJS.Signals | null }> } {
  const log = openSync(logFile, 'a', 0o600);
  try {
    const child = spawn(command, commandArguments, {
      cwd: folder,
      env: environment,
      stdio: ['ignore', log, log],
      windowsHide: true,
      ...treeSpawnOptions(process.platform),
    });
    const end = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => resolve({ code, signal }));
    });
    return { child, end };
  } finally {
    closeSync(log);
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
