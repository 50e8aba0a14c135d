// What follows the end of a training process, decided from what it left: tables of deaths, and of several in a row.
import { describe, expect, test } from 'vitest';
import type { RunEvent } from '../../../src/protocol/runEvents';
import {
  decideRecovery,
  mostCrashRestarts,
  noHistory,
  type RecoveryHistory,
} from '../../../src/supervise/train/trainingRecovery';
import { ended, failedReport, neverTrained, outcomeOf, update } from '../../support/recoveryOutcomes';

const badAlloc =
  "terminate called after throwing an instance of 'std::bad_alloc'\n  what():  std::bad_alloc\n";
const heap = 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n';
const tensorflow = 'Invalid TF_Status: 8\nMessage: OOM when allocating tensor';
const ranOut: Extract<RunEvent, { type: 'outOfMemory' }> = {
  type: 'outOfMemory',
  time: '2026-11-24T10:00:00.000Z',
  call: 0,
  epoch: 0,
  update: 3,
  microbatch: 16,
  message: 'the device has no more memory',
};

describe('a death with evidence of memory: half of what was in use, from the checkpoint', () => {
  test.each<[string, Parameters<typeof outcomeOf>[0]]>([
    ['std::bad_alloc and SIGABRT', { signal: 'SIGABRT', textSinceUpdate: badAlloc }],
    ['the same through a shell', { code: 134, textSinceUpdate: badAlloc }],
    ['a JavaScript heap that is full', { code: 134, textSinceUpdate: heap }],
    ['SIGKILL by the kernel', { signal: 'SIGKILL', killedByKernel: true }],
    ['the same through a shell', { code: 137, killedByKernel: true }],
    ['SIGKILL with nearly all memory in use', { signal: 'SIGKILL', memoryExhausted: true }],
    ['SIGSEGV after a text', { signal: 'SIGSEGV', textSinceUpdate: tensorflow }],
    ['the same through a shell', { code: 139, textSinceUpdate: tensorflow }],
    ['SIGSEGV after an event', { signal: 'SIGSEGV', outOfMemory: ranOut }],
    ['SIGKILL of its own after an event', { signal: 'SIGKILL', outOfMemory: ranOut }],
    ['the same on Windows, where its exit code is 1', { code: 1, outOfMemory: ranOut }],
    ['STATUS_NO_MEMORY', { code: 0xc0000017 }],
    ['STATUS_NO_MEMORY, signed', { code: 0xc0000017 | 0 }],
    ['STATUS_COMMITMENT_LIMIT', { code: 0xc000012d }],
    ['STATUS_ACCESS_VIOLATION after a text', { code: 0xc0000005, textSinceUpdate: tensorflow }],
    ['STATUS_STACK_BUFFER_OVERRUN after a text', { code: 0xc0000409, textSinceUpdate: badAlloc }],
    ['an error of the script that says so', { code: 1, ended: ended('failed', 1, `Error: ${tensorflow}`) }],
    [
      'an error that the script printed before it exited',
      { code: 1, ended: ended('failed', 1), textSinceUpdate: tensorflow },
    ],
    ['an error that only the hook has told of', { code: 1, reports: [failedReport(tensorflow)] }],
  ])('%s', (_name, facts) => {
    const outcome = outcomeOf({ lastUpdate: update(3), ...facts });
    const decision = decideRecovery(outcome, noHistory);
    expect(decision).toMatchObject({
      action: 'restart',
      job: { firstMicrobatchSize: 8, mayGrow: false, recovery: { kind: 'outOfMemory', microbatch: 16 } },
    });
    // In the very first update, too: what was planned may not fit any more.
    expect(decideRecovery({ ...outcome, lastUpdate: null }, noHistory).action).toBe('restart');
  });

  test('at one example: an end of its own, with exit code 3 and a plain reason', () => {
    const outcome = outcomeOf({
      signal: 'SIGKILL',
      killedByKernel: true,
      microbatch: 1,
      lastUpdate: update(3),
    });
    const decision = decideRecovery(outcome, noHistory);
    expect(decision).toMatchObject({
      action: 'end',
      isOwn: true,
      verdict: { state: 'failed', exitCode: 3 },
    });
    if (decision.action === 'end') {
      expect(decision.verdict.sentences).toEqual([
        'Memory ran out with one example at a time (the system ended the process because memory ran out). Free memory on the device, then go on.',
      ]);
    }
  });

  test('from 64 down to one it is never asked for the same size twice, nor for more', () => {
    const sizes: number[] = [];
    let history: RecoveryHistory = noHistory;
    for (let microbatch = 64; ;) {
      const decision = decideRecovery(
        outcomeOf({ signal: 'SIGKILL', killedByKernel: true, microbatch }),
        history,
      );
      if (decision.action === 'end') break;
      expect(decision.job.mayGrow).toBe(false);
      ({ history } = decision);
      microbatch = decision.job.firstMicrobatchSize;
      sizes.push(microbatch);
    }
    expect(sizes).toEqual([32, 16, 8, 4, 2, 1]);
  });

  test('where no microbatch is to blame, the size stays', () => {
    for (const facts of [{ canCut: false }, { callHasEnded: true }, { hasStarted: false }]) {
      const outcome = outcomeOf({ signal: 'SIGKILL', killedByKernel: true, lastUpdate: update(3), ...facts });
      expect(decideRecovery(outcome, noHistory)).toMatchObject({
        action: 'restart',
        job: { firstMicrobatchSize: 16, recovery: { kind: 'crash' } },
      });
    }
  });
});

describe('a death with evidence of memory before the first training call: the same size again', () => {
  const early = { hasStarted: false, lastUpdate: null };

  test.each<[string, Parameters<typeof outcomeOf>[0]]>([
    ['SIGKILL by the kernel', { signal: 'SIGKILL', killedByKernel: true }],
    ['the same through a launcher', { code: 137, killedByKernel: true, reports: [neverTrained(137)] }],
    ['std::bad_alloc and SIGABRT', { signal: 'SIGABRT', textSinceUpdate: badAlloc }],
    ['a JavaScript heap that is full', { code: 134, textSinceUpdate: heap }],
    ['STATUS_NO_MEMORY', { code: 0xc0000017 }],
  ])('%s', (_name, facts) => {
    expect(decideRecovery(outcomeOf({ ...early, ...facts }), noHistory)).toMatchObject({
      action: 'restart',
      job: { firstMicrobatchSize: 16, mayGrow: true, recovery: { kind: 'crash', microbatch: 16 } },
      history: { crashRestarts: 1 },
    });
  });

  test('three times in a row, then it is given up, with the reason', () => {
    let history: RecoveryHistory = noHistory;
    const outcome = outcomeOf({ ...early, signal: 'SIGKILL', killedByKernel: true });
    for (let restart = 1; restart <= 3; restart++) {
      const decision = decideRecovery(outcome, history);
      if (decision.action === 'end') throw new Error('ended too soon');
      ({ history } = decision);
    }
    expect(decideRecovery(outcome, history)).toMatchObject({
      action: 'end',
      isOwn: true,
      verdict: {
        state: 'failed',
        exitCode: 1,
        sentences: [
          'The training process was ended by SIGKILL before the first update (the system ended the process because memory ran out), 4 times in a row without a new update: it is not started again. The last of its output is in trainer.log.',
        ],
      },
    });
  });

  test.each<[string, Parameters<typeof outcomeOf>[0]]>([
    ['SIGKILL by somebody', { signal: 'SIGKILL' }],
    ['SIGABRT without a text', { signal: 'SIGABRT' }],
    ['an error of the script, even of memory', { code: 1, reports: [failedReport(tensorflow)] }],
    ['an exit after a text', { code: 1, textSinceUpdate: tensorflow, reports: [neverTrained(1)] }],
  ])('but not after %s', (_name, facts) => {
    expect(decideRecovery(outcomeOf({ ...early, ...facts }), noHistory)).toMatchObject({
      action: 'end',
      isOwn: false,
      verdict: { state: 'failed', exitCode: 1 },
    });
  });
});

describe('a death without evidence, once updates were done: the same size again', () => {
  test.each<[string, Parameters<typeof outcomeOf>[0]]>([
    ['SIGSEGV', { signal: 'SIGSEGV' }],
    ['SIGABRT', { signal: 'SIGABRT', textSinceUpdate: 'Assertion failed: shape' }],
    ['SIGKILL by somebody', { signal: 'SIGKILL', killedByKernel: false, memoryExhausted: false }],
    ['SIGKILL where nothing tells who', { signal: 'SIGKILL', killedByKernel: null, memoryExhausted: null }],
    ['SIGKILL, whatever was printed before', { signal: 'SIGKILL', textSinceUpdate: tensorflow }],
    ['STATUS_ACCESS_VIOLATION', { code: 0xc0000005 | 0 }],
    ["a process that Windows' task manager ended", { code: 1 }],
  ])('%s', (_name, facts) => {
    const outcome = outcomeOf({ lastUpdate: update(3), ...facts });
    expect(decideRecovery(outcome, noHistory)).toMatchObject({
      action: 'restart',
      job: { firstMicrobatchSize: 16, mayGrow: true, recovery: { kind: 'crash' } },
    });
    // A script that cannot start.
    expect(decideRecovery({ ...outcome, lastUpdate: null }, noHistory)).toMatchObject({
      action: 'end',
      isOwn: false,
      verdict: { state: 'failed', exitCode: 1 },
    });
  });

  test('but not after a clean exit whose end could not be recorded: it is completed', () => {
    const outcome = outcomeOf({ code: 0, lastUpdate: update(3) });
    const verdict = { state: 'completed', exitCode: 0, sentences: [] };
    for (const stopAsked of [false, true]) {
      const decision = decideRecovery({ ...outcome, stopAsked }, noHistory);
      expect(decision).toEqual({ action: 'end', isOwn: false, verdict });
    }
    expect(decideRecovery({ ...outcome, lastUpdate: null }, noHistory)).toMatchObject({
      verdict: { state: 'failed', exitCode: 1 },
    });
  });

  test('three times in a row without a new update, then it is given up, with signal, update and trainer.log', () => {
    let history: RecoveryHistory = noHistory;
    // After each restart some updates are done again, none of them new.
    for (const farthest of [9, 8, 9]) {
      const decision = decideRecovery(
        outcomeOf({ signal: 'SIGSEGV', lastUpdate: update(farthest) }),
        history,
      );
      if (decision.action === 'end') throw new Error('ended too soon');
      ({ history } = decision);
    }
    expect(history.crashRestarts).toBe(mostCrashRestarts);
    expect(decideRecovery(outcomeOf({ signal: 'SIGSEGV', lastUpdate: update(9) }), history)).toEqual({
      action: 'end',
      isOwn: true,
      verdict: {
        state: 'failed',
        exitCode: 1,
        sentences: [
          'The training process was ended by SIGSEGV after update 10 (epoch 1), 4 times in a row without a new update: it is not started again. The last of its output is in trainer.log.',
        ],
      },
    });
    // A single new update makes the count begin anew.
    const farther = decideRecovery(outcomeOf({ signal: 'SIGSEGV', lastUpdate: update(10) }), history);
    expect(farther).toMatchObject({ action: 'restart', history: { crashRestarts: 1 } });
  });

  test('an update of a later call is new, too', () => {
    const history: RecoveryHistory = { ...noHistory, crashRestarts: 3, farthest: { call: 0, update: 90 } };
    const outcome = outcomeOf({ signal: 'SIGSEGV', lastUpdate: { ...update(0), call: 1 } });
    expect(decideRecovery(outcome, history)).toMatchObject({ action: 'restart' });
  });

  test('a process that dies before it trains counts as well', () => {
    const history: RecoveryHistory = { ...noHistory, crashRestarts: 1, farthest: { call: 0, update: 9 } };
    const early = outcomeOf({ signal: 'SIGKILL', killedByKernel: true, hasStarted: false });
    expect(decideRecovery(early, history)).toMatchObject({
      action: 'restart',
      job: { firstMicrobatchSize: 16 },
      history: { crashRestarts: 2 },
    });
  });
});

describe('ends', () => {
  test.each<[string, Parameters<typeof outcomeOf>[0], object]>([
    ['completed', { code: 0, ended: ended('completed', 0) }, { state: 'completed', exitCode: 0 }],
    ['stopped', { code: null, signal: 'SIGKILL', ended: ended('stopped', 130) }, { state: 'stopped' }],
    ['interrupted', { signal: 'SIGKILL', ended: ended('interrupted', 130) }, { exitCode: 130 }],
    [
      'not even one example fits',
      { signal: 'SIGKILL', ended: ended('failed', 3, 'Memory ran out with one example at a time.') },
      { exitCode: 3, sentences: ['Memory ran out with one example at a time.'] },
    ],
    [
      "a script's exception",
      { code: 1, ended: ended('failed', 1, 'TypeError: x is undefined') },
      { exitCode: 1 },
    ],
    ["the script's own exit", { code: 2, ended: ended('failed', 2) }, { exitCode: 1 }],
    [
      'an exception in a later process',
      { code: 1, reports: [failedReport('Error: no data')] },
      { exitCode: 1 },
    ],
    ['deleted folder', { signal: 'SIGKILL', killedByKernel: true, folderIsGone: true }, { exitCode: 1 }],
    ['killed by a person', { signal: 'SIGKILL', killed: true }, { state: 'stopped', exitCode: 130 }],
    [
      'asked to stop while it died',
      { signal: 'SIGSEGV', stopAsked: true },
      { state: 'stopped', exitCode: 130 },
    ],
    [
      'asked to stop while memory ran out',
      { signal: 'SIGKILL', killedByKernel: true, stopAsked: true },
      { state: 'stopped', exitCode: 130 },
    ],
    [
      'asked to stop, and the script threw for want of memory',
      { code: 1, ended: ended('failed', 1, tensorflow), stopAsked: true },
      { state: 'failed', exitCode: 1 },
    ],
    [
      "an error of the script's own after its training, even of memory",
      { code: 1, ended: ended('failed', 1, tensorflow), callHasEnded: true },
      { state: 'failed', exitCode: 1 },
    ],
  ])('%s: nothing is started again', (_name, facts, verdict) => {
    const decision = decideRecovery(outcomeOf({ lastUpdate: update(3), ...facts }), noHistory);
    expect(decision).toMatchObject({ action: 'end', isOwn: false, verdict });
  });
});
