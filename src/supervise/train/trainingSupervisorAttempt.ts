// One training process from its start to its end: started, followed, asked to stop, and judged by what it left.
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { readSystemMemory } from '../../gpu/systemMemory';
import { engineReport } from '../../protocol/report';
import type { RunEvent } from '../../protocol/runEvents';
import { FileTail, Lines, RunEventTail } from '../runs/runFolderTail';
import { readControl, readRunProgress, writeControl } from '../runs/runFolderFiles';
import type { RunPaths } from '../runs/runFolder';
import type { MemoryWatch } from '../memoryWatch';
import { endTree, treeSpawnOptions } from '../processTree';
import type { ScriptCommand } from '../scriptCommand';
import type { TrainingDisplay } from './trainingDisplay';
import { isGone } from './trainingSupervisorRun';
import { AttemptNotes, type AttemptOutcome } from './trainingSupervisorNotes';

/** Between two looks at what the process tells, in ms. */
const pollPause = 100;
/** A run folder that is missing for this many looks is deleted, and not just being moved or saved to. */
const goneLooks = 30;
/** Every how many looks the machine is asked for the memory that it has left. */
const machineLooks = 10;
/** The evidence of memory of one process. */
export type AttemptMemory = Pick<
  MemoryWatch,
  'follow' | 'stepStarted' | 'sample' | 'isExhausted' | 'killedByKernel'
>;

export interface AttemptOptions {
  readonly paths: RunPaths;
  readonly command: ScriptCommand;
  readonly display: TrainingDisplay;
  /** The microbatch size that its job begins with. */
  readonly firstMicrobatchSize: number;
  /** Watches its memory; made before it is started. */
  readonly memory: AttemptMemory;
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
  #missingLooks = 0;
  #looks = 0;
  readonly #notes: AttemptNotes;
  readonly #reportLines = new Lines();

  constructor(private readonly options: AttemptOptions) {
    this.#notes = new AttemptNotes(options.firstMicrobatchSize);
  }

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
      if (child.pid !== undefined && this.#mayHaveLeft(child)) endTree(child.pid);
      await Promise.all([events.close(), output.close(), reports.close()]);
    }
  }

  /** Asks for the state to be saved after this update. Where nothing is trained yet, there is nothing to wait for. */
  async stop(): Promise<void> {
    this.#stopAsked = true;
    if (!this.trains) return this.kill();
    try {
      await writeControl(this.options.paths, 'stop');
    } catch (error) {
      // On a full disk the process itself is asked; Windows has no such way, and would end it.
      if (process.platform === 'win32' || this.#child?.kill('SIGTERM') !== true) throw error;
    }
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
    const asked = await readControl(this.options.paths);
    if (asked === 'end') this.kill();
    else if (asked === 'stop' && !this.#stopAsked) {
      this.#stopAsked = true;
      if (!this.trains) this.kill();
    }
  }

  /** A training without its folder could be neither saved nor stopped. */
  async #endWithFolder(): Promise<void> {
    this.#missingLooks = (await isGone(this.options.paths.record)) ? this.#missingLooks + 1 : 0;
    if (this.#missingLooks === goneLooks) this.kill();
  }

  async #look(events: RunEventTail, output: FileTail, reports: FileTail): Promise<void> {
    const { display, paths, onEvent } = this.options;
    const { updates } = this.#notes;
    // Read before the events but shown after them: what the script printed after an epoch then stands below it.
    const text = await output.read();
    for (const line of this.#reportLines.add(await reports.read())) this.#report(line);
    for (const event of await events.read()) {
      this.#notes.event(event);
      if (event.type === 'started') this.#watch(event.pid);
      display.event(event);
      await onEvent(event);
    }
    if (text !== '') {
      this.#notes.text(text);
      display.output(text);
    }
    const progress = await readRunProgress(paths);
    if (progress) display.progress(progress);
    display.refresh();
    await this.#watchMemory(updates);
  }

  #watch(pid: number): void {
    this.options.memory.follow(pid);
    this.options.memory.stepStarted();
  }

  /** Looks at the process's memory; now and then also at what the machine has left. */
  async #watchMemory(updates: number): Promise<void> {
    const { memory } = this.options;
    if (this.#notes.updates > updates) memory.stepStarted();
    const asksMachine = this.#looks++ % machineLooks === 0;
    memory.sample(asksMachine ? (await readSystemMemory()).availableBytes : null);
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
    if (checked.success) this.#notes.report(checked.data);
  }

  /** Something of it may still run: it did not end by itself, or only a launcher of it did, with the training under way. */
  #mayHaveLeft({ exitCode }: ChildProcess): boolean {
    const { started, facts } = this.#notes;
    return exitCode === null || this.#killed || (started !== null && facts.ended === null);
  }

  #outcome(): Omit<AttemptOutcome, 'code' | 'signal'> {
    const { memory } = this.options;
    return {
      ...this.#notes.facts,
      isResumed: this.#eventsStart > 0,
      killed: this.#killed,
      stopAsked: this.#stopAsked,
      folderIsGone: this.#missingLooks >= goneLooks,
      killedByKernel: memory.killedByKernel(),
      memoryExhausted: memory.isExhausted,
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
