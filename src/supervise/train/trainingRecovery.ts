// What follows the end of a training process: the end of the run, or another process in the same run folder.
//
// What a script throws is never tried again. A death with evidence of memory is followed by half the microbatch, or by the
// same where no microbatch is to blame; any other one by the same, once there is an update. Pure: nothing is read or
// started here.
import { formatCounted } from '../../planning/units';
import { exitCodes } from '../../protocol/exitCodes';
import type { TrainJob } from '../../protocol/job';
import { saysOutOfMemory, outOfMemoryLine } from '../../protocol/outOfMemoryText';
import { deathSign, memoryDeath } from '../deathEvidence';
import type { AttemptOutcome } from './trainingSupervisorNotes';
import { deathSentence, endedUntold, judgeAttempt, type Verdict } from './trainingSupervisorOutcome';

/** Restarts after a crash without an update that no process before had done. */
export const mostCrashRestarts = 3;
/** As much of a message as stands in a sentence. */
const messageLength = 160;

/** What is remembered of the processes before. */
export interface RecoveryHistory {
  /** Restarts after a crash since the training last came farther than before. */
  readonly crashRestarts: number;
  /** The farthest update that was done; null before the first. */
  readonly farthest: { readonly call: number; readonly update: number } | null;
  /** False once a process died for want of memory. */
  readonly mayGrow: boolean;
}

export const noHistory: RecoveryHistory = { crashRestarts: 0, farthest: null, mayGrow: true };

export type RecoveryDecision =
  | {
      readonly action: 'end';
      readonly verdict: Verdict;
      /** True where no process has told of this end: it is the supervisor's decision. */
      readonly isOwn: boolean;
    }
  | {
      readonly action: 'restart';
      readonly job: Pick<TrainJob, 'firstMicrobatchSize' | 'mayGrow'> & {
        readonly recovery: NonNullable<TrainJob['recovery']>;
      };
      readonly history: RecoveryHistory;
    };

/** Decides what follows a process that has ended. */
export function decideRecovery(outcome: AttemptOutcome, history: RecoveryHistory): RecoveryDecision {
  const now = progressed(outcome, history);
  const asToldOrSeen: RecoveryDecision = { action: 'end', verdict: verdictOf(outcome), isOwn: false };
  if (!mayRestart(outcome) || isForGood(outcome)) return asToldOrSeen;
  const memory = memoryReason(outcome);
  if (memory !== null) return afterOutOfMemory(outcome, now, memory);
  if (outcome.ended !== null || hasOwnReason(outcome) || now.farthest === null) return asToldOrSeen;
  return afterCrash(outcome, now);
}

/** False where a person asked for the end, or there is no folder to go on in. */
export function mayRestart({
  killed,
  stopAsked,
  folderIsGone,
}: Pick<AttemptOutcome, 'killed' | 'stopAsked' | 'folderIsGone'>): boolean {
  return !killed && !stopAsked && !folderIsGone;
}

/** A process that told of an end that is one, or came to it without being able to tell. */
function isForGood(outcome: AttemptOutcome): boolean {
  const { ended } = outcome;
  if (endedUntold(outcome)) return true;
  return ended !== null && (ended.how !== 'failed' || ended.exitCode === exitCodes.nothingFits);
}

/** A process that dies while it is to stop, or was ended for it, is stopped: what it had saved is there. */
function verdictOf(outcome: AttemptOutcome): Verdict {
  const { ended, killed, stopAsked, folderIsGone } = outcome;
  if (endedUntold(outcome) || !stopAsked || killed || folderIsGone || ended !== null)
    return judgeAttempt(outcome);
  const sentence = `${deathSentence(outcome)}, before it had saved and stopped as it was asked to.`;
  return { state: 'stopped', exitCode: exitCodes.interrupted, sentences: [sentence] };
}

/** The script, or the hook for it, told why it did not train; of one that trained, its launcher says that it never did. */
function hasOwnReason({ reports, hasStarted }: AttemptOutcome): boolean {
  return reports.some(
    ({ type }) => type === 'failed' || type === 'noBackend' || (type === 'neverTrained' && !hasStarted),
  );
}

/** Why the end is put down to memory; null where nothing says so. */
function memoryReason(outcome: AttemptOutcome): string | null {
  const { ended, outOfMemory, textSinceUpdate, hasStarted } = outcome;
  const thrown = thrownMessage(outcome);
  if (thrown !== null) {
    // What a script throws before it trains is its own.
    return hasStarted && saysOutOfMemory(thrown) ? cut(outOfMemoryLine(thrown) ?? thrown) : null;
  }
  // A script that catches an error, prints it and exits tells of it in its output only.
  if (ended !== null) return cut(outOfMemoryLine(textSinceUpdate));
  if (outOfMemory !== null) return cut(outOfMemory.message);
  // Whoever kills a process from outside does not look at what it printed before.
  const text = deathSign(outcome) === 'SIGKILL' ? '' : textSinceUpdate;
  return cut(memoryDeath({ ...outcome, text }));
}

function thrownMessage({ ended, reports }: AttemptOutcome): string | null {
  if (ended?.failure) return ended.failure.message;
  const failed = reports.findLast(({ type }) => type === 'failed');
  return failed?.type === 'failed' ? failed.failure.message : null;
}

function afterOutOfMemory(
  outcome: AttemptOutcome,
  history: RecoveryHistory,
  message: string,
): RecoveryDecision {
  const { microbatch, canCut, callHasEnded, ended, hasStarted } = outcome;
  // What a script takes before it trains depends on no microbatch, nor does what it takes after.
  if (!hasStarted || callHasEnded || !canCut) {
    // No microbatch is to blame. An error that the script had there is its own; a death may have been bad luck.
    const verdict = judgeAttempt(outcome);
    return ended === null ? afterCrash(outcome, history, message) : { action: 'end', verdict, isOwn: false };
  }
  if (microbatch <= 1) {
    const sentence = `Memory ran out with one example at a time (${message}). Free memory on the device, then go on.`;
    return {
      action: 'end',
      verdict: { state: 'failed', exitCode: exitCodes.nothingFits, sentences: [sentence] },
      isOwn: true,
    };
  }
  return {
    action: 'restart',
    job: {
      firstMicrobatchSize: Math.floor(microbatch / 2),
      mayGrow: false,
      recovery: { kind: 'outOfMemory', message, microbatch },
    },
    history: { ...history, mayGrow: false },
  };
}

function afterCrash(
  outcome: AttemptOutcome,
  history: RecoveryHistory,
  memory: string | null = null,
): RecoveryDecision {
  const { microbatchSize, microbatch } = outcome;
  const why = memory === null ? '' : ` (${memory})`;
  if (history.crashRestarts >= mostCrashRestarts) {
    const times = formatCounted(mostCrashRestarts + 1, 'time');
    const sentence =
      `${deathSentence(outcome)}${why}, ${times} in a row without a new update: it is not started again. ` +
      'The last of its output is in trainer.log.';
    return {
      action: 'end',
      verdict: { state: 'failed', exitCode: exitCodes.failed, sentences: [sentence] },
      isOwn: true,
    };
  }
  return {
    action: 'restart',
    job: {
      firstMicrobatchSize: microbatchSize,
      mayGrow: history.mayGrow,
      recovery: { kind: 'crash', message: `${deathSentence(outcome)}${why}.`, microbatch },
    },
    history: { ...history, crashRestarts: history.crashRestarts + 1 },
  };
}

/** An update that no process before had done makes the count of crashes begin anew. */
function progressed({ lastUpdate }: AttemptOutcome, history: RecoveryHistory): RecoveryHistory {
  const { farthest } = history;
  if (lastUpdate === null) return history;
  const { call, update } = lastUpdate;
  const isNew =
    farthest === null || call > farthest.call || (call === farthest.call && update > farthest.update);
  return isNew ? { ...history, farthest: { call, update }, crashRestarts: 0 } : history;
}

function cut(message: string): string;
function cut(message: string | null): string | null;
function cut(message: string | null): string | null {
  if (message === null || message.length <= messageLength) return message;
  return `${message.slice(0, messageLength - 1)}…`;
}
