// What a container or a service manager allows this process of memory: Linux control groups, versions 1 and 2.
import path from 'node:path';

/** Reads a whole file; null where it is absent or may not be read. */
export type ReadText = (file: string) => Promise<string | null>;

/** The tightest limit above this process, at one moment. */
export interface CgroupMemory {
  readonly limitBytes: number;
  /** Limit less what is in use, file caches (which the kernel gives up before it kills) not counted as in use. */
  readonly availableBytes: number;
}

/** Files and fields of one version of control groups. See the kernel's cgroup-v2.rst and cgroup-v1/memory.rst. */
interface Version {
  readonly limits: readonly string[];
  readonly usage: string;
  /** Fields of memory.stat that the kernel gives up under pressure. */
  readonly reclaimable: readonly string[];
}

const version2: Version = {
  // Above memory.high a process is slowed to a crawl, so it limits as well as memory.max.
  limits: ['memory.max', 'memory.high'],
  usage: 'memory.current',
  reclaimable: ['inactive_file', 'active_file', 'slab_reclaimable'],
};
const version1: Version = {
  limits: ['memory.limit_in_bytes'],
  usage: 'memory.usage_in_bytes',
  reclaimable: ['total_inactive_file', 'total_active_file'],
};

/** The control group's limit that leaves the least, among this process's own group and all above; null without one. */
export async function readCgroupMemory(readText: ReadText): Promise<CgroupMemory | null> {
  const groups = (await readText('/proc/self/cgroup')) ?? '';
  const mounts = (await readText('/proc/self/mountinfo')) ?? '';
  const found: CgroupMemory[] = [];
  for (const line of groups.split('\n')) {
    const [, controllers, group] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === undefined || group === undefined) continue;
    const version =
      controllers === '' ? version2 : controllers.split(',').includes('memory') ? version1 : null;
    if (version === null) continue;
    for (const folder of foldersOf(mounts, version === version2, group)) {
      const level = await readLevel(readText, folder, version);
      if (level !== null) found.push(level);
    }
  }
  return found.reduce<CgroupMemory | null>(
    (least, level) => (least === null || level.availableBytes < least.availableBytes ? level : least),
    null,
  );
}

/** Folders of a group and of those above it, up to where the hierarchy is mounted. */
function foldersOf(mounts: string, isVersion2: boolean, group: string): string[] {
  for (const line of mounts.split('\n')) {
    // id parent major:minor root mountPoint options... - type source superOptions (proc_pid_mountinfo(5))
    const [before = '', after = ''] = line.split(' - ');
    const [, , , root = '', mountPoint = ''] = before.split(' ');
    const [type = '', , options = ''] = after.split(' ');
    const isIt = isVersion2 ? type === 'cgroup2' : type === 'cgroup' && options.split(',').includes('memory');
    if (!isIt) continue;
    const below = path.posix.relative(root, group);
    // Seen from a container that shares no view of the host's groups, its own group is the mount itself.
    const parts = below.startsWith('..') ? [] : below.split('/').filter((part) => part !== '');
    return Array.from({ length: parts.length + 1 }, (_, depth) =>
      path.posix.join(mountPoint, ...parts.slice(0, depth)),
    );
  }
  return [];
}

async function readLevel(readText: ReadText, folder: string, version: Version): Promise<CgroupMemory | null> {
  const limits = await Promise.all(
    version.limits.map(async (file) => sizeIn(await readText(`${folder}/${file}`))),
  );
  const limitBytes = Math.min(...limits.map((limit) => limit ?? Number.POSITIVE_INFINITY));
  const usage = sizeIn(await readText(`${folder}/${version.usage}`));
  if (!Number.isFinite(limitBytes) || usage === null) return null;
  const stat = (await readText(`${folder}/memory.stat`)) ?? '';
  const reclaimable = version.reclaimable
    .map((field) => sizeIn(new RegExp(`^${field} (\\d+)$`, 'm').exec(stat)?.[1] ?? null) ?? 0)
    .reduce((sum, size) => sum + size, 0);
  return { limitBytes, availableBytes: Math.max(0, limitBytes - Math.max(0, usage - reclaimable)) };
}

/** A size in bytes; null for `max` and for version 1's way to say "no limit" (a number of about 2^63). */
function sizeIn(text: string | null): number | null {
  const trimmed = text?.trim() ?? '';
  if (!/^\d+$/.test(trimmed)) return null;
  const size = Number(trimmed);
  return size >= 2 ** 60 ? null : size;
}
