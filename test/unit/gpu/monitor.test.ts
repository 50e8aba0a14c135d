// When the monitor starts a reader, how long it waits after failures, and what it tells; the reader here is a fake.
import { expect, test } from 'vitest';
import { GpuMonitor } from '../../../src/gpu/monitor';
import type { GpuReader, ReaderOutcome } from '../../../src/gpu/readerProcess';
import type { GpuProblem } from '../../../src/gpu/types';
import { reading } from './readings';

const hang: GpuProblem = { kind: 'timeout', message: 'hangs' };

/** A monitor on fake readers that answer `outcomes` in turn, with a clock that the test moves. */
function monitorOn(...outcomes: ReaderOutcome[]) {
  const told: string[] = [];
  const state = { clock: 0, started: 0, killed: 0, told };
  const start = (): GpuReader => {
    state.started += 1;
    return {
      pid: state.started,
      read: () => Promise.resolve(outcomes.shift() ?? { reading: reading() }),
      kill: () => (state.killed += 1),
    };
  };
  const monitor = new GpuMonitor({
    readerPath: 'fake',
    start,
    now: () => state.clock,
    systemMemory: () => Promise.resolve(reading().systemMemory),
    onProblem: ({ message }) => told.push(message),
  });
  return { monitor, state };
}

test('one reader serves all readings while it answers', async () => {
  const { monitor, state } = monitorOn();
  for (let count = 0; count < 3; count += 1) expect((await monitor.read()).gpus).toHaveLength(1);
  expect(state.started).toBe(1);
});

test('after each failure in a row the pause doubles, up to five minutes', async () => {
  const { monitor, state } = monitorOn(...Array.from({ length: 12 }, () => ({ failure: hang })));
  const pauses: number[] = [];
  await monitor.read();
  for (let count = 0; count < 8; count += 1) {
    const failedAt = state.clock;
    const startedBefore = state.started;
    while (state.started === startedBefore) {
      state.clock += 1000;
      expect((await monitor.read()).problems).toEqual([hang]);
    }
    pauses.push((state.clock - failedAt) / 1000);
  }
  expect(pauses).toEqual([5, 10, 20, 40, 80, 160, 300, 300]);
  expect(state.told).toEqual(['hangs']);
});

test('a reading that was given while a tool hung ends that reader too', async () => {
  const { monitor, state } = monitorOn({ reading: reading({ problems: [hang] }) });
  expect((await monitor.read()).gpus).toHaveLength(1);
  expect(state.killed).toBe(1);
  state.clock += 5000;
  expect((await monitor.read()).problems).toEqual([]);
  expect(state.started).toBe(2);
});

test('a problem is told again only after it was gone', async () => {
  const problem: GpuProblem = { kind: 'noPermission', message: 'withheld' };
  const withProblem = { reading: reading({ problems: [problem] }) };
  const { monitor, state } = monitorOn(withProblem, withProblem, { reading: reading() }, withProblem);
  for (let count = 0; count < 4; count += 1) await monitor.read();
  expect(state.told).toEqual(['withheld', 'withheld']);
});

test('a monitor that is disposed reads no more', async () => {
  const { monitor, state } = monitorOn();
  await monitor.read();
  monitor.dispose();
  expect(state.killed).toBe(1);
  await expect(monitor.read()).rejects.toThrow('disposed');
});
