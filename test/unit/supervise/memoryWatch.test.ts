// The evidence of memory by which a child's abrupt death is judged, from what Linux tells of a process.
import { expect, test } from 'vitest';
import { MemoryWatch } from '../../../src/supervise/memoryWatch';

const gigabyte = 1e9;
const kB = (bytes: number) => Math.round(bytes / 1024);

/** What the kernel would say of process 7. */
function system(state: {
  size: number;
  peak: number;
  resident: number;
  limit: number | null;
  kills: number;
}) {
  return (file: string): string | null => {
    if (file === '/proc/7/status') {
      return `Name:\tnode\nVmPeak:\t${kB(state.peak)} kB\nVmSize:\t${kB(state.size)} kB\nVmHWM:\t${kB(state.resident)} kB\nVmRSS:\t${kB(state.resident)} kB\n`;
    }
    if (file === '/proc/7/limits') {
      return `Max cpu time   unlimited   unlimited   seconds\nMax address space         ${state.limit ?? 'unlimited'}           unlimited            bytes\n`;
    }
    return file === '/proc/vmstat' ? `nr_free_pages 1\noom_kill ${state.kills}\n` : null;
  };
}

test('memory counts as used up by what the trial took of what was left, not by what was in use before', () => {
  const state = { size: 2.2 * gigabyte, peak: 2.2 * gigabyte, resident: 0, limit: 2.5 * gigabyte, kills: 0 };
  const watch = new MemoryWatch(null, system(state));
  watch.follow(7);
  watch.stepStarted();
  expect(watch.isExhausted).toBe(false);
  state.peak = 2.3 * gigabyte;
  watch.sample();
  expect(watch.isExhausted).toBe(false);
  state.peak = 2.45 * gigabyte;
  watch.sample();
  expect(watch.isExhausted).toBe(true);
});

test('resident memory counts against what the machine could give', () => {
  const state = { size: gigabyte, peak: gigabyte, resident: gigabyte, limit: null, kills: 0 };
  const watch = new MemoryWatch(4 * gigabyte, system(state));
  watch.follow(7);
  watch.stepStarted();
  expect(watch.isExhausted).toBe(false);
  state.resident = 3.7 * gigabyte;
  watch.sample();
  expect(watch.isExhausted).toBe(true);
});

test('memory that another program has taken counts as gone, until the next step', () => {
  const state = { size: gigabyte, peak: gigabyte, resident: gigabyte, limit: null, kills: 0 };
  const watch = new MemoryWatch(16 * gigabyte, system(state));
  watch.follow(7);
  watch.stepStarted();
  watch.sample(10 * gigabyte);
  expect(watch.isExhausted).toBe(false);
  watch.sample(0.05 * gigabyte);
  expect(watch.isExhausted).toBe(true);
  watch.sample(10 * gigabyte);
  expect(watch.isExhausted).toBe(true);
  watch.stepStarted();
  expect(watch.isExhausted).toBe(false);
});

test("the kernel's out-of-memory killer is seen by its counter", () => {
  const state = { size: 0, peak: 0, resident: 0, limit: null, kills: 3 };
  const watch = new MemoryWatch(null, system(state));
  expect(watch.killedByKernel()).toBe(false);
  state.kills = 4;
  expect(watch.killedByKernel()).toBe(true);
});

test('where the system tells nothing, nothing is concluded', () => {
  const watch = new MemoryWatch(gigabyte, () => null);
  watch.follow(7);
  watch.stepStarted();
  watch.sample();
  expect(watch.isExhausted).toBeNull();
  expect(watch.killedByKernel()).toBeNull();
});
