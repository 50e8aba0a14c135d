// The history of a run against a brute-force reading of the same events, whatever deaths and resumes lie between.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RunEpoch, RunHistoryPart, RunMark, RunPoints } from '../../../src/protocol/page';
import { runEvent, type RunEvent } from '../../../src/protocol/runEvents';
import { RunHistory } from '../../../src/supervise/runs/runHistory';
import { isBetterHigher } from '../../../src/supervise/runs/runHistoryFigures';
import { bruteForce, start, TrainingStory, type Turn } from './trainingStory';

const stories = fc
  .record({
    calls: fc.integer({ min: 1, max: 3 }),
    epochs: fc.integer({ min: 1, max: 3 }),
    perEpoch: fc.integer({ min: 1, max: 4 }),
    turns: fc.array(
      fc.constantFrom<Turn>(
        'none',
        'none',
        'checkpoint',
        'pause',
        'death',
        'deathAndDamage',
        'reduced',
        'nan',
      ),
      { maxLength: 40 },
    ),
  })
  .map(({ calls, epochs, perEpoch, turns }) => new TrainingStory(calls, epochs, perEpoch).tell(turns));

function historyOf(events: readonly RunEvent[]): RunHistory {
  const history = new RunHistory('run', start);
  for (const event of events) history.add(event);
  return history;
}

/** What is expected of the columns, from the updates that stand. */
function expectedPoints(events: readonly RunEvent[]): RunPoints {
  const { updates } = bruteForce(events);
  // A column is there for each metric that was ever told, as the page keeps its charts.
  const names = new Set(
    events.flatMap((event) => (event.type === 'update' ? Object.keys(event.metrics) : [])),
  );
  return {
    timeMs: updates.map(({ time }) => Date.parse(time) - start),
    loss: updates.map(({ loss }) => loss),
    memoryBytes: updates.map(({ memoryBytes }) => memoryBytes),
    examplesPerSecond: updates.map(({ examples, ms }) => (ms === 0 ? null : (examples * 1000) / ms)),
    metrics: Object.fromEntries(
      [...names].map((name) => [name, updates.map(({ metrics }) => metrics[name] ?? null)]),
    ),
  };
}

/** A page as the contract has it: a part replaces what there is of its first point and later. */
class Page {
  points: RunPoints = { timeMs: [], loss: [], memoryBytes: [], examplesPerSecond: [], metrics: {} };
  epochs: RunEpoch[] = [];
  marks: RunMark[] = [];

  take({ from, points, epochs, marks }: RunHistoryPart): void {
    const joined = <Value>(
      before: readonly Value[] | undefined,
      more: readonly Value[] | undefined,
    ): Value[] => [...(before ?? []).slice(0, from), ...(more ?? [])];
    const names = new Set([...Object.keys(this.points.metrics), ...Object.keys(points.metrics)]);
    const none = (length: number): null[] => Array.from({ length }, () => null);
    this.points = {
      timeMs: joined(this.points.timeMs, points.timeMs),
      loss: joined(this.points.loss, points.loss),
      memoryBytes: joined(this.points.memoryBytes, points.memoryBytes),
      examplesPerSecond: joined(this.points.examplesPerSecond, points.examplesPerSecond),
      metrics: Object.fromEntries(
        [...names].map((name) => [
          name,
          joined(this.points.metrics[name] ?? none(from), points.metrics[name] ?? none(points.loss.length)),
        ]),
      ),
    };
    this.epochs = [...this.epochs.filter(({ point }) => point < from), ...epochs];
    this.marks = [...this.marks.filter(({ point }) => point < from), ...marks];
  }
}

describe('a history', () => {
  test('the made events are events', () => {
    fc.assert(
      fc.property(stories, (events) => {
        for (const event of events) expect(runEvent.safeParse(event).error).toBeUndefined();
      }),
      { numRuns: 20 },
    );
  });

  test('has each update of the training as it stands once, in order, and each epoch where it ended', () => {
    fc.assert(
      fc.property(stories, (events) => {
        const history = historyOf(events);
        const page = new Page();
        for (const part of history.parts(0)) page.take(part);
        expect(page.points).toEqual(expectedPoints(events));
        const { updates, epochs } = bruteForce(events);
        expect(history.length).toBe(updates.length);
        expect(history.totals.updates).toBe(updates.length);
        expect(page.epochs).toEqual(
          epochs.map(({ call, epoch, logs }) => ({
            call,
            epoch,
            logs,
            point: updates.filter((each) => each.call < call || (each.call === call && each.epoch <= epoch))
              .length,
          })),
        );
        expect(new Set(page.epochs.map(({ call, epoch }) => `${call} ${epoch}`)).size).toBe(epochs.length);
      }),
      { numRuns: 300 },
    );
  });

  test('its last and best figures are those of the epochs that stand', () => {
    fc.assert(
      fc.property(stories, (events) => {
        const { totals } = historyOf(events);
        const { epochs } = bruteForce(events);
        expect(totals.last).toEqual(epochs.at(-1)?.logs);
        for (const name of ['loss', 'acc', 'val_acc']) {
          const told = epochs.flatMap(({ epoch, logs }) => {
            const value = logs[name] ?? null;
            return value === null ? [] : [{ value, epoch: epoch + 1 }];
          });
          const values = told.map(({ value }) => value);
          const value = name === 'loss' ? Math.min(...values) : Math.max(...values);
          expect(totals.best[name]).toEqual(told.find((each) => each.value === value));
        }
      }),
      { numRuns: 200 },
    );
  });

  test('in parts of any size, taken at any moment, it is the same on the page', () => {
    fc.assert(
      fc.property(
        stories,
        fc.array(fc.nat(6), { maxLength: 60 }),
        fc.integer({ min: 1, max: 9 }),
        (events, waits, size) => {
          const history = new RunHistory('run', start);
          const page = new Page();
          const sent = { revision: history.revision, points: 0 };
          const send = (): void => {
            const from = sent.revision === history.revision ? sent.points : 0;
            const parts = [...history.parts(from, size)];
            for (const part of parts) {
              expect(part.points.loss.length).toBeLessThanOrEqual(size);
              page.take(part);
            }
            Object.assign(sent, { revision: history.revision, points: history.length });
          };
          let next = waits[0] ?? 0;
          events.forEach((event, index) => {
            history.add(event);
            if (index < next) return;
            send();
            next = index + 1 + (waits[index % Math.max(1, waits.length)] ?? 3);
          });
          send();
          const whole = new Page();
          for (const part of historyOf(events).parts(0)) whole.take(part);
          expect(page).toEqual(whole);
          // Nothing is given out again where nothing but the end of it is new.
          expect([...history.parts(history.length)].every(({ points }) => points.loss.length === 0)).toBe(
            true,
          );
        },
      ),
      { numRuns: 300 },
    );
  });

  test('calls side by side: going back undoes what comes later in either of them', () => {
    const update = (call: number, index: number, loss: number): RunEvent => ({
      type: 'update',
      time: new Date(start).toISOString(),
      call,
      epoch: 0,
      update: index,
      examples: 1,
      microbatches: 1,
      ms: 1,
      loss,
      metrics: {},
      memoryBytes: null,
    });
    const [begun, call] = new TrainingStory(1, 1, 1).tell([]) as [RunEvent, RunEvent];
    const resumed = { ...update(0, 1, 0), type: 'resumed' } as unknown as RunEvent;
    const history = historyOf([
      begun,
      call,
      update(0, 0, 1),
      update(1, 0, 2),
      update(0, 1, 3),
      update(1, 1, 4),
      begun,
      resumed,
      update(0, 1, 5),
      update(1, 0, 6),
      update(1, 1, 7),
    ]);
    expect([...history.parts(0)][0]?.points.loss).toEqual([1, 5, 6, 7]);
  });

  test('marks: in order, checkpoints among them, the last two thousand', () => {
    const events = new TrainingStory(1, 1, 2_600).tell(
      Array.from({ length: 2_600 }, () => 'checkpoint' as const),
    );
    const { marks } = historyOf(events);
    expect(marks).toHaveLength(2_000);
    expect(marks.at(-1)).toMatchObject({ kind: 'ended', text: 'Completed.', point: 2_600 });
    expect(marks[0]).toMatchObject({ kind: 'checkpoint', text: '12 ms', point: 2_600 - 1_998 });
  });

  test('what is saved is where a resume goes on from', () => {
    const turns: Turn[] = ['none', 'checkpoint', 'none', 'checkpoint', 'none', 'deathAndDamage'];
    const events = new TrainingStory(1, 2, 4).tell(turns);
    const again = events.findIndex(({ type }) => type === 'resumed');
    expect(historyOf(events.slice(0, again)).totals.saved?.update).toBe(4);
    const { totals, marks } = historyOf(events.slice(0, again + 1));
    expect(totals.saved?.update).toBe(2);
    expect(totals.updates).toBe(2);
    expect(marks.filter(({ kind }) => kind === 'checkpoint')).toHaveLength(1);
  });

  test('a reduced microbatch holds until a training process uses another one', () => {
    const events = new TrainingStory(1, 1, 4).tell(['checkpoint', 'reduced', 'death']);
    const again = events.findLastIndex(({ type }) => type === 'started');
    expect(historyOf(events.slice(0, again)).totals.reducedTo).toBe(2);
    expect(historyOf(events).totals.reducedTo).toBe(4);
  });

  test('a million updates: nothing is lost, and a part is as large as any other', () => {
    const history = new RunHistory('run', start);
    const time = new Date(start).toISOString();
    const count = 1_000_000;
    for (let update = 0; update < count; update++) {
      const place = { call: 0, epoch: Math.floor(update / 1000), update };
      const figures = {
        loss: update,
        metrics: { acc: 1 },
        memoryBytes: 1,
        examples: 1,
        microbatches: 1,
        ms: 1,
      };
      history.add({ type: 'update', time, ...place, ...figures });
    }
    const parts = [...history.parts(0)];
    expect(parts).toHaveLength(50);
    expect(parts.at(-1)?.points.loss.at(-1)).toBe(count - 1);
    expect([...history.parts(count - 1)][0]?.points.loss).toEqual([count - 1]);
  });
});

test.each([
  ['acc', true],
  ['val_acc', true],
  ['categoricalAccuracy', true],
  ['acceleration_loss', false],
  ['binary_accuracy', true],
  ['val_precision', true],
  ['recall_1', true],
  ['fmeasure', true],
  ['val_auc', true],
  ['loss', false],
  ['val_meanSquaredError', false],
  ['mae', false],
])('%s is better when higher: %s', (name, expected) => {
  expect(isBetterHigher(name)).toBe(expected);
});
