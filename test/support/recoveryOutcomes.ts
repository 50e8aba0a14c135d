// Ends of training processes for tests of what follows them.
import type { EngineReport } from '../../src/protocol/report';
import type { RunEvent } from '../../src/protocol/runEvents';
import type { AttemptOutcome } from '../../src/supervise/train/trainingSupervisorNotes';

type EventOf<Type extends RunEvent['type']> = Extract<RunEvent, { type: Type }>;

const time = '2026-11-24T10:00:00.000Z';

/** A process that trained 16 rows at once and died without a word, with what is different about it. */
export function outcomeOf(facts: Partial<AttemptOutcome>): AttemptOutcome {
  return {
    code: null,
    signal: null,
    ended: null,
    lastUpdate: null,
    updates: 0,
    epochs: 0,
    callHasEnded: false,
    isResumed: false,
    reports: [],
    output: '',
    killed: false,
    folderIsGone: false,
    stopAsked: false,
    hasStarted: true,
    microbatchSize: 16,
    microbatch: 16,
    canCut: true,
    outOfMemory: null,
    textSinceUpdate: '',
    killedByKernel: false,
    memoryExhausted: false,
    ...facts,
  };
}

/** The n-th update, from 0, of the first call and epoch. */
export function update(index: number): EventOf<'update'> {
  return {
    type: 'update',
    time,
    call: 0,
    epoch: 0,
    update: index,
    examples: 32,
    microbatches: 2,
    ms: 10,
    loss: 0.5,
    metrics: {},
    memoryBytes: null,
  };
}

export function ended(
  how: EventOf<'ended'>['how'],
  exitCode: number,
  message: string | null = null,
): EventOf<'ended'> {
  const failure = message === null ? null : { message, file: null, line: null, stack: '' };
  return { type: 'ended', time, how, exitCode, failure };
}

export function failedReport(message: string): EngineReport {
  return { type: 'failed', failure: { message, file: null, line: null, stack: '' } };
}

/** What a launcher, or a script that ended before its first training call, tells. */
export function neverTrained(code: number): EngineReport {
  return { type: 'neverTrained', code, ownLoop: false, tensorflowLoaded: false };
}
