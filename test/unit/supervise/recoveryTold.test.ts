// What is told of a training that dies and goes on: history, totals, terminal and the cost of saving, none of it twice.
import { describe, expect, test } from 'vitest';
import type { RunEvent } from '../../../src/protocol/runEvents';
import { RunHistory } from '../../../src/supervise/runs/runHistory';
import { TrainingProgress } from '../../../src/supervise/runs/trainingProgress';
import { restartSentence } from '../../../src/supervise/train/trainingSupervisorSentences';
import { TrainingTally } from '../../../src/supervise/train/trainingSupervisorTally';
import { createTrainingDisplay } from '../../../src/terminal/trainingDisplay';
import { update } from '../../support/recoveryOutcomes';

const time = '2026-11-24T10:00:00.000Z';
const place = (index: number) => ({ call: 0, epoch: 0, update: index });

function started(attempt: number): RunEvent {
  const backend = {
    name: 'cpu' as const,
    version: '4.22.0',
    reason: '',
    usesGpu: false,
    deviceName: null,
    passedOver: [],
  };
  return { type: 'started', time, pid: 1, attempt, backend, tfjsVersion: '4.22.0', nodeVersion: '20.0.0' };
}
function call(microbatchSize: number): RunEvent {
  return {
    type: 'call',
    time,
    call: 0,
    method: 'fit',
    modelName: 'small',
    targetBatchSize: 64,
    microbatchSize,
    examples: 640,
    epochs: 1,
    updatesPerEpoch: 10,
    passThrough: null,
  };
}
const checkpoint = (index: number, ms = 5): RunEvent => {
  return { type: 'checkpoint', time, ...place(index), path: 'x', ms, best: false };
};
const resumed = (index: number): RunEvent => ({ type: 'resumed', time, ...place(index) });
const paused = (index: number): RunEvent => ({ type: 'paused', time, ...place(index) });
const updates = (from: number, to: number): RunEvent[] =>
  Array.from({ length: to - from }, (_, i) => update(from + i));
const outOfMemory: RunEvent[] = [
  { type: 'outOfMemory', time, ...place(0), microbatch: 64, message: 'killed by the system' },
  { type: 'microbatchReduced', time, ...place(0), from: 64, to: 32, reason: 'memory ran out.' },
];

/** Four updates, a death for want of memory before anything was saved, and all ten from the beginning. */
const anew: RunEvent[] = [
  started(1),
  call(64),
  ...updates(0, 4),
  started(2),
  ...outOfMemory,
  resumed(0),
  call(32),
  ...updates(0, 10),
];

function told(events: readonly RunEvent[]): { history: RunHistory; progress: TrainingProgress } {
  const history = new RunHistory('run', Date.parse(time));
  const progress = new TrainingProgress();
  for (const event of events) {
    history.add(event);
    progress.add(event);
  }
  return { history, progress };
}

describe('a training that begins anew, as nothing was saved', () => {
  test('has each of its updates once, in the charts, the totals and the terminal', () => {
    const { history, progress } = told(anew);
    expect(history.length).toBe(10);
    expect(history.totals).toMatchObject({ updates: 10, reducedTo: 32 });
    expect(progress).toMatchObject({ updates: 10, updateOfEpoch: 10, epoch: 0 });
  });

  test('stands at its beginning before the first update of the new process', () => {
    const { history, progress } = told(anew.slice(0, -10));
    expect(history.length).toBe(0);
    expect(progress).toMatchObject({ updates: 0, updateOfEpoch: 0 });
  });
});

test('a pause while a new process passes over what is done undoes nothing', () => {
  const { history } = told([
    started(1),
    call(64),
    ...updates(0, 6),
    checkpoint(6),
    started(2),
    paused(2),
    resumed(2),
    resumed(6),
    ...updates(6, 10),
  ]);
  expect(history.length).toBe(10);
  expect(history.totals.updates).toBe(10);
});

test('in a terminal, why a process follows another one is told once: by its supervisor', () => {
  let text = '';
  const out = { isTTY: false, write: (piece: string) => (text += piece) };
  const display = createTrainingDisplay(out);
  for (const event of anew) display.event(event);
  const lost: RunEvent = {
    type: 'outOfMemory',
    time,
    ...place(9),
    microbatch: 32,
    message: 'in the process itself',
  };
  display.event(lost);
  display.end();
  expect(text).not.toContain('killed by the system');
  expect(text).not.toContain('64 → 32');
  expect(text).toContain('out of memory at microbatch 32 (in the process itself)');
});

describe('the sentence of a restart', () => {
  const message = 'killed by the system';
  const recovery = { kind: 'outOfMemory' as const, message, microbatch: 64 };
  test.each([
    [
      { recovery, firstMicrobatchSize: 32 },
      { call: 0, update: 119 },
      'Out of memory at 64 at once (killed by the system): going on from update 120 with 32 at once.',
    ],
    [
      { recovery, firstMicrobatchSize: 32 },
      null,
      'Out of memory at 64 at once (killed by the system): nothing is saved yet, so it begins anew with 32 at once.',
    ],
    [
      {
        recovery: {
          kind: 'crash' as const,
          message: 'The training process was ended by SIGSEGV.',
          microbatch: 64,
        },
        firstMicrobatchSize: 64,
      },
      { call: 7, update: 0 },
      'The training process was ended by SIGSEGV: going on from the last checkpoint.',
    ],
  ])('%j from %j', (job, from, sentence) => expect(restartSentence(job, from)).toBe(sentence));
});

describe('the cost of saving', () => {
  /** Events, each with the second in which it came; the last one ends the training. */
  function tally(
    events: readonly [number, RunEvent][],
    endSecond: number,
    earlier: RunEvent[] = [],
  ): TrainingTally {
    const at = (second: number): string => new Date(Date.parse(time) + second * 1000).toISOString();
    const result = new TrainingTally(earlier);
    for (const [second, event] of events) result.add({ ...event, time: at(second) });
    result.add({ type: 'ended', time: at(endSecond), how: 'stopped', exitCode: 130, failure: null });
    return result;
  }

  test('is the part of the time in which was trained, pauses not counted', () => {
    const events: [number, RunEvent][] = [
      [5, started(1)],
      [5, call(64)],
      [6, update(0)],
      [10, checkpoint(1, 40)],
      [10, paused(1)],
      [1000, resumed(1)],
      [1002, checkpoint(2, 40)],
    ];
    // Five seconds before the pause, five after it.
    expect(tally(events, 1005).savingSentence).toBe('Saved 2 times (0.8 % of the time).');
  });

  test.each<[number, number, number, string | null]>([
    [0, 0, 10, null],
    [1, 5, 10, 'Saved once (less than 0.1 % of the time).'],
    [12, 10, 30, 'Saved 12 times (0.4 % of the time).'],
    [2, 10, 0.5, 'Saved 2 times.'],
  ])('%i checkpoints of %i ms in %f s', (count, ms, seconds, sentence) => {
    const events: [number, RunEvent][] = Array.from({ length: count }, () => [0, checkpoint(1, ms)]);
    expect(tally([[0, started(1)], ...events], seconds).savingSentence).toBe(sentence);
  });

  test('counts the updates of this training that stand, and none of an earlier one', () => {
    const earlier = [started(1), call(64), ...updates(0, 4), checkpoint(4)];
    const events = [
      started(2),
      resumed(4),
      ...updates(4, 7),
      checkpoint(5),
      started(3),
      resumed(5),
      ...updates(5, 10),
    ];
    const result = tally(
      events.map((event) => [1, event]),
      2,
      earlier,
    );
    expect(result.updates).toBe(6);
    expect(result.saved).toMatchObject({ call: 0, update: 5 });
  });
});
