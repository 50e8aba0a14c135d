// A training over as many processes as it takes: one that dies is followed by another in the same run folder.
import { exitCodes } from '../../protocol/exitCodes';
import type { RunEvent } from '../../protocol/runEvents';
import type { RunPaths } from '../runs/runFolder';
import { readControl } from '../runs/runFolderFiles';
import type { ScriptCommand } from '../scriptCommand';
import type { TrainingDisplay } from './trainingDisplay';
import {
  decideRecovery,
  mayRestart,
  noHistory,
  type RecoveryDecision,
  type RecoveryHistory,
} from './trainingRecovery';
import { TrainingAttempt, type AttemptMemory } from './trainingSupervisorAttempt';
import type { AttemptJob } from './trainingSupervisorJob';
import type { AttemptOutcome } from './trainingSupervisorNotes';
import { deathSentence, type Verdict } from './trainingSupervisorOutcome';
import { hasCheckpoint, isGone } from './trainingSupervisorRun';
import { restartSentence } from './trainingSupervisorSentences';
import type { Stoppable } from './trainingSupervisorSignals';
import type { TrainingTally } from './trainingSupervisorTally';

export interface TrainingLoopOptions {
  readonly paths: RunPaths;
  readonly command: ScriptCommand;
  readonly display: TrainingDisplay;
  readonly tally: TrainingTally;
  /** Watches the memory of a process that is about to be started. */
  watchMemory(): Promise<AttemptMemory>;
  /** Called once a process is there. */
  onStarted(pid: number): Promise<void>;
  onEvent(event: RunEvent): Promise<void>;
  /** Writes the job of the next process. A rejection ends the training; its message says why. */
  prepare(job: AttemptJob): Promise<void>;
}

/** How a training ended. */
export interface TrainingEnd {
  readonly verdict: Verdict;
  readonly folderIsGone: boolean;
  /** True where no process has told of this end: it is the supervisor's decision. */
  readonly isOwn: boolean;
}

export class TrainingLoop implements Stoppable {
  #attempt: TrainingAttempt | null = null;
  #stopAsked = false;
  #killed = false;

  constructor(private readonly options: TrainingLoopOptions) {}

  get isStopping(): boolean {
    return this.#stopAsked || this.#attempt?.isStopping === true;
  }

  get trains(): boolean {
    return this.#attempt?.trains === true;
  }

  async stop(): Promise<void> {
    this.#stopAsked = true;
    await this.#attempt?.stop();
  }

  kill(): void {
    this.#killed = true;
    this.#attempt?.kill();
  }

  /** Runs the first process, whose job is written, and those that follow it. */
  async run(first: AttemptJob): Promise<TrainingEnd> {
    const { display } = this.options;
    let job = first;
    let history: RecoveryHistory = noHistory;
    let lastUpdate: AttemptOutcome['lastUpdate'] = null;
    for (;;) {
      const ended = await this.#runOne(job);
      lastUpdate = ended.lastUpdate ?? lastUpdate;
      const outcome = { ...ended, lastUpdate };
      const decision = decideRecovery(outcome, history);
      if (decision.action === 'end') return endOf(decision, outcome);
      history = decision.history;
      job = this.#nextJob(decision.job);
      display.say(restartSentence(decision.job, job.resumeFrom === null ? null : this.options.tally.saved));
      try {
        await this.options.prepare(job);
      } catch (error) {
        return { verdict: notStarted(outcome, error), isOwn: true, folderIsGone: false };
      }
      const now = await this.#withRequests(outcome);
      if (!mayRestart(now)) {
        const asked = decideRecovery(now, history);
        if (asked.action === 'end') return endOf(asked, now);
      }
    }
  }

  async #runOne({ firstMicrobatchSize }: AttemptJob): Promise<AttemptOutcome> {
    const { paths, command, display, tally, onStarted, onEvent, watchMemory } = this.options;
    const memory = await watchMemory();
    const attempt = new TrainingAttempt({
      paths,
      command,
      display,
      firstMicrobatchSize,
      memory,
      onStarted,
      onEvent: async (event) => {
        tally.add(event);
        await onEvent(event);
      },
    });
    this.#attempt = attempt;
    try {
      const running = attempt.run();
      // Asked while there was no process.
      if (this.#stopAsked || this.#killed) attempt.kill();
      return await this.#withRequests(await running);
    } finally {
      this.#attempt = null;
    }
  }

  /** With what was asked of it, by whatever way, and with the folder as it is now. */
  async #withRequests(outcome: AttemptOutcome): Promise<AttemptOutcome> {
    const { paths } = this.options;
    const folderIsGone = outcome.folderIsGone || (await isGone(paths.record));
    const asked = await readControl(paths);
    const stopAsked = outcome.stopAsked || this.#stopAsked || asked === 'stop';
    return { ...outcome, folderIsGone, stopAsked, killed: outcome.killed || this.#killed || asked === 'end' };
  }

  #nextJob({
    firstMicrobatchSize,
    mayGrow,
    recovery,
  }: Pick<AttemptJob, 'firstMicrobatchSize' | 'mayGrow' | 'recovery'>): AttemptJob {
    const { paths } = this.options;
    return {
      firstMicrobatchSize,
      mayGrow,
      recovery,
      resumeFrom: hasCheckpoint(paths) ? paths.checkpoints : null,
    };
  }
}

function notStarted(outcome: AttemptOutcome, error: unknown): Verdict {
  const reason = error instanceof Error ? error.message : String(error);
  return {
    state: 'failed',
    exitCode: exitCodes.failed,
    sentences: [`${deathSentence(outcome)}, and no other one can be started. ${reason}`],
  };
}

function endOf(
  { verdict, isOwn }: Extract<RecoveryDecision, { action: 'end' }>,
  { folderIsGone }: AttemptOutcome,
): TrainingEnd {
  return { verdict, isOwn, folderIsGone };
}
