// The memory that a training on the processor may use: what the machine has available, or what a container allows.
import { readFile } from 'node:fs/promises';
import os from 'node:os';
import { readCgroupMemory, type ReadText } from './cgroupMemory';
import type { SystemMemoryReading } from './types';

/** What differs by machine; each part has the real one as its default. */
export interface SystemMemorySources {
  readonly platform?: NodeJS.Platform;
  readonly readText?: ReadText;
  /** Bytes that the system counts as installed and as free. */
  readonly totalBytes?: () => number;
  readonly freeBytes?: () => number;
  /**
   * Available bytes on macOS, where the system's "free" leaves out most of what gives way; null: not known.
   * Absent, the system's free bytes are taken.
   */
  readonly macAvailableBytes?: () => Promise<number | null>;
}

/** Reads a text file; null where it is absent or may not be read. Rejects for anything but a file error. */
export async function readTextOrNull(file: string): Promise<string | null> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error) return null;
    throw error;
  });
}

/** One reading. Per-process limits (`ulimit -v`) are not visible to Node and not counted. */
export async function readSystemMemory(sources: SystemMemorySources = {}): Promise<SystemMemoryReading> {
  const { platform = process.platform, readText = readTextOrNull } = sources;
  const machineTotal = (sources.totalBytes ?? os.totalmem)();
  const machineFree = (sources.freeBytes ?? os.freemem)();
  if (platform === 'linux' || platform === 'android') {
    const meminfo = (await readText('/proc/meminfo')) ?? '';
    const total = kilobytes(meminfo, 'MemTotal') ?? machineTotal;
    // Kernels before 3.14 have no MemAvailable.
    const available = kilobytes(meminfo, 'MemAvailable') ?? machineFree;
    const cgroup = await readCgroupMemory(readText);
    return cgroup !== null && cgroup.limitBytes < total && cgroup.availableBytes < available
      ? reading(cgroup.limitBytes, cgroup.availableBytes, 'cgroup')
      : reading(total, available, 'machine');
  }
  const available =
    platform === 'darwin' ? ((await sources.macAvailableBytes?.()) ?? machineFree) : machineFree;
  return reading(machineTotal, available, 'machine');
}

function reading(
  total: number,
  available: number,
  limitedBy: SystemMemoryReading['limitedBy'],
): SystemMemoryReading {
  const availableBytes = Math.min(available, total);
  return { totalBytes: total, availableBytes, usedBytes: total - availableBytes, limitedBy };
}

function kilobytes(meminfo: string, field: string): number | null {
  const text = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(meminfo)?.[1];
  return text === undefined ? null : Number(text) * 1024;
}
