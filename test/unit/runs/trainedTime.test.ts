// The time that a run has trained: what is left of its length when pauses and interruptions are taken out by hand.
import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../../src/protocol/runEvents';
import type { TrainedTime } from '../../../src/supervise/runs/runHistoryTime';
import { RunTotals } from '../../../src/supervise/runs/runHistoryTotals';
import { start, TrainingStory } from './trainingStory';

const position = { call: 0, epoch: 0, update: 1 };

function at(second: number): string {
  return new Date(start + second * 1000).toISOString();
}

function started(second: number): RunEvent {
  const [event] = new TrainingStory(1, 1, 1).tell([]);
  if (event?.type !== 'started') throw new Error('a story begins with its start');
  return { ...event, time: at(second) };
}

function timeOf(events: readonly RunEvent[]): TrainedTime {
  const totals = new RunTotals();
  for (const event of events) totals.add(event);
  return totals.trained;
}

const first = [
  started(5),
  { type: 'paused', time: at(15), ...position },
  { type: 'resumed', time: at(100), ...position },
] as const;

describe('the time trained', () => {
  it('leaves out the start of the script and pauses', () => {
    const ended = { type: 'ended', time: at(130), how: 'completed', exitCode: 0, failure: null } as const;
    const trained = timeOf([...first, ended]);
    expect(trained.toLastEventMs).toBe((15 - 5 + 130 - 100) * 1000);
    expect(trained.since).toBeNull();
  });

  it('stands still in a pause', () => {
    const trained = timeOf(first.slice(0, 2));
    expect(trained.since).toBeNull();
    expect([trained.doneMs, trained.toLastEventMs]).toEqual([10_000, 10_000]);
  });

  it('goes on since the last event that let it', () => {
    const trained = timeOf(first);
    expect(trained.since).toBe(start + 100_000);
    expect(trained.doneMs).toBe(10_000);
  });

  it('ends at the last event of a process that died, and goes on with the next one', () => {
    const alive = { type: 'callEnded', time: at(120), call: 0 } as const;
    expect(timeOf([...first, alive]).toLastEventMs).toBe(30_000);
    const next = timeOf([...first, alive, started(500), { type: 'resumed', time: at(501), ...position }]);
    expect(next.doneMs).toBe(30_000);
    // Until it goes on from what is saved, it goes over what was done.
    expect(next.since).toBe(start + 501_000);
  });
});
