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

test.each([
  {
    version: 'v2',
    cgroups: '0::/user.slice/app.scope\n',
    file: '/sys/fs/cgroup/user.slice/app.scope/memory.events',
    text: (kills: number) => `low 0\nhigh 0\nmax 2\noom 2\noom_kill ${kills}\noom_group_kill 0\n`,
  },
  {
    version: 'v2 of a container',
    cgroups: '0::/\n',
    file: '/sys/fs/cgroup/memory.events',
    text: (kills: number) => `oom_kill ${kills}\n`,
  },
  {
    version: 'v1',
    cgroups: '5:devices:/\n4:cpu,memory:/docker/8be8\n0::/\n',
    file: '/sys/fs/cgroup/memory/docker/8be8/memory.oom_control',
    text: (kills: number) => `oom_kill_disable 0\nunder_oom 0\noom_kill ${kills}\n`,
  },
])(
  'a process that the kernel ended elsewhere on the machine says nothing (cgroup $version)',
  ({ cgroups, file, text }) => {
    let [machine, own] = [10, 3];
    const watch = new MemoryWatch(null, (asked) => {
      if (asked === '/proc/self/cgroup') return cgroups;
      if (asked === file) return text(own);
      return asked === '/proc/vmstat' ? `oom_kill ${machine}\n` : null;
    });
    machine += 1;
    expect(watch.killedByKernel()).toBe(false);
    own += 1;
    expect(watch.killedByKernel()).toBe(true);
  },
);

test('where the system tells nothing, nothing is concluded', () => {
  const watch = new MemoryWatch(gigabyte, () => null);
  watch.follow(7);
  watch.stepStarted();
  watch.sample();
  expect(watch.isExhausted).toBeNull();
  expect(watch.killedByKernel()).toBeNull();
});
