// Available memory from the files of each platform, as their kernels write them.
import { expect, test } from 'vitest';
import { readSystemMemory } from '../../../src/gpu/systemMemory';

const GiB = 2 ** 30;
const meminfo = [
  'MemTotal:       33554432 kB',
  'MemFree:         1048576 kB',
  'MemAvailable:   20971520 kB',
  '',
].join('\n');
const v2Mount = '30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n';

function linux(files: Record<string, string>): Promise<Awaited<ReturnType<typeof readSystemMemory>>> {
  return readSystemMemory({
    platform: 'linux',
    readText: (file) => Promise.resolve(files[file] ?? null),
    totalBytes: () => 32 * GiB,
    freeBytes: () => GiB,
  });
}

test('a machine without limits: what the kernel estimates as available', async () => {
  expect(await linux({ '/proc/meminfo': meminfo })).toEqual({
    totalBytes: 32 * GiB,
    availableBytes: 20 * GiB,
    usedBytes: 12 * GiB,
    limitedBy: 'machine',
  });
});

test('a kernel without an estimate, or no /proc at all: what the system counts as free', async () => {
  expect((await linux({ '/proc/meminfo': 'MemTotal: 33554432 kB\n' })).availableBytes).toBe(GiB);
  expect((await linux({})).availableBytes).toBe(GiB);
});

test('a container of version 2: its limit less its use, file caches counted as available', async () => {
  const reading = await linux({
    '/proc/meminfo': meminfo,
    '/proc/self/cgroup': '0::/\n',
    '/proc/self/mountinfo': v2Mount,
    '/sys/fs/cgroup/memory.max': `${8 * GiB}\n`,
    '/sys/fs/cgroup/memory.high': 'max\n',
    '/sys/fs/cgroup/memory.current': `${6 * GiB}\n`,
    '/sys/fs/cgroup/memory.stat': `anon ${3 * GiB}\nfile ${3 * GiB}\ninactive_file ${2 * GiB}\nactive_file ${GiB}\nslab_reclaimable 0\n`,
  });
  expect(reading).toEqual({
    totalBytes: 8 * GiB,
    availableBytes: 5 * GiB,
    usedBytes: 3 * GiB,
    limitedBy: 'cgroup',
  });
});

test('the tightest of the groups above counts, memory.high as well', async () => {
  const group = '/sys/fs/cgroup/user.slice/session.scope';
  const reading = await linux({
    '/proc/meminfo': meminfo,
    '/proc/self/cgroup': '0::/user.slice/session.scope\n',
    '/proc/self/mountinfo': v2Mount,
    [`${group}/memory.max`]: 'max',
    [`${group}/memory.current`]: `${GiB}`,
    '/sys/fs/cgroup/user.slice/memory.max': `${10 * GiB}`,
    '/sys/fs/cgroup/user.slice/memory.high': `${9 * GiB}`,
    '/sys/fs/cgroup/user.slice/memory.current': `${5 * GiB}`,
  });
  expect(reading).toMatchObject({ totalBytes: 9 * GiB, availableBytes: 4 * GiB, limitedBy: 'cgroup' });
});

const v1Group = '9:name=systemd:/\n4:memory:/docker/abc\n1:cpu:/\n0::/\n';
const v1Files = {
  '/proc/meminfo': meminfo,
  '/proc/self/cgroup': v1Group,
  '/sys/fs/cgroup/memory/memory.limit_in_bytes': `${4 * GiB}`,
  '/sys/fs/cgroup/memory/memory.usage_in_bytes': `${3 * GiB}`,
  '/sys/fs/cgroup/memory/memory.stat': `inactive_file 7\ntotal_inactive_file ${GiB}\ntotal_active_file 0\n`,
};

test.each([
  [
    'seen from within a container',
    '35 31 0:32 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n',
  ],
  ['without a view of the host', '35 31 0:32 /other /sys/fs/cgroup/memory rw - cgroup memory rw,memory\n'],
])('a container of version 1, %s', async (_name, mountinfo) => {
  const reading = await linux({ ...v1Files, '/proc/self/mountinfo': mountinfo });
  expect(reading).toEqual({
    totalBytes: 4 * GiB,
    availableBytes: 2 * GiB,
    usedBytes: 2 * GiB,
    limitedBy: 'cgroup',
  });
});

test('a group of version 1 on the host: the limits of all groups above', async () => {
  const mountinfo = '35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup memory rw,memory\n';
  const reading = await linux({
    ...v1Files,
    '/proc/self/mountinfo': mountinfo,
    '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712',
    '/sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes': `${2 * GiB}`,
    '/sys/fs/cgroup/memory/docker/abc/memory.usage_in_bytes': `${GiB}`,
  });
  expect(reading).toMatchObject({ totalBytes: 2 * GiB, availableBytes: GiB });
});

test('"no limit" in either version is none', async () => {
  const mountinfo = '35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup memory rw,memory\n';
  const unlimited = { '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712' };
  expect((await linux({ ...v1Files, ...unlimited, '/proc/self/mountinfo': mountinfo })).limitedBy).toBe(
    'machine',
  );
});

test('a limit that leaves more than the machine has does not count', async () => {
  const reading = await linux({
    '/proc/meminfo': meminfo,
    '/proc/self/cgroup': '0::/\n',
    '/proc/self/mountinfo': v2Mount,
    '/sys/fs/cgroup/memory.max': `${30 * GiB}`,
    '/sys/fs/cgroup/memory.current': `${GiB}`,
  });
  expect(reading).toMatchObject({ availableBytes: 20 * GiB, limitedBy: 'machine' });
});

test('a group that uses more than its limit leaves nothing, not less', async () => {
  const reading = await linux({
    '/proc/meminfo': meminfo,
    '/proc/self/cgroup': '0::/\n',
    '/proc/self/mountinfo': v2Mount,
    '/sys/fs/cgroup/memory.max': `${GiB}`,
    '/sys/fs/cgroup/memory.current': `${2 * GiB}`,
  });
  expect(reading.availableBytes).toBe(0);
});

test('Windows: what the system counts as free; macOS: what its own count says, where it is known', async () => {
  const machine = { totalBytes: () => 16 * GiB, freeBytes: () => 2 * GiB };
  const windows = await readSystemMemory({ platform: 'win32', ...machine });
  expect(windows).toEqual({
    totalBytes: 16 * GiB,
    availableBytes: 2 * GiB,
    usedBytes: 14 * GiB,
    limitedBy: 'machine',
  });
  const mac = (available: number | null): ReturnType<typeof readSystemMemory> =>
    readSystemMemory({ platform: 'darwin', ...machine, macAvailableBytes: () => Promise.resolve(available) });
  expect((await mac(9 * GiB)).availableBytes).toBe(9 * GiB);
  expect((await mac(null)).availableBytes).toBe(2 * GiB);
});

test('this machine can be read', async () => {
  const { totalBytes, availableBytes, usedBytes } = await readSystemMemory();
  expect(totalBytes).toBeGreaterThan(0);
  expect(availableBytes).toBeGreaterThan(0);
  expect(usedBytes + availableBytes).toBe(totalBytes);
});
