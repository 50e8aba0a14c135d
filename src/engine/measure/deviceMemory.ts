// What the process or the device really used in a trial, beside what tensors account for: workspaces, allocator slack.
import { readFileSync, writeFileSync } from 'node:fs';
import type { ChosenBackend } from '../backends/choose';

/** Reads the real use of memory of one trial. Bytes above what was used before the model was there. */
export interface DeviceMemory {
  /** Begins a trial. */
  reset(): void;
  /** Most bytes used since `reset`; null where it cannot be told from within the process. */
  peakBytes(): number | null;
}

/** The process's own figures, injected for tests. */
export interface ProcessMemory {
  /** Resident bytes now. */
  residentBytes(): number;
  /** Most resident bytes since `forgetPeak`, or since the process began where the system cannot forget. */
  peakResidentBytes(): number;
  forgetPeak(): void;
}

/** This process's memory: Linux tells and forgets its peak; elsewhere the peak is the whole process's life. */
export function processMemory(platform: NodeJS.Platform = process.platform): ProcessMemory {
  if (platform !== 'linux') {
    return {
      residentBytes: () => process.memoryUsage.rss(),
      // Node gives kilobytes on every platform (libuv converts macOS's bytes).
      peakResidentBytes: () => process.resourceUsage().maxRSS * 1024,
      forgetPeak: () => undefined,
    };
  }
  return {
    residentBytes: () => statusBytes('VmRSS') ?? process.memoryUsage.rss(),
    peakResidentBytes: () => statusBytes('VmHWM') ?? process.resourceUsage().maxRSS * 1024,
    forgetPeak: () => {
      try {
        // proc(5): 5 resets the peak resident set size to the present one.
        writeFileSync('/proc/self/clear_refs', '5');
      } catch (error) {
        // Not built in or not permitted (some containers): the peak then counts from the process's start.
        const code = (error as NodeJS.ErrnoException).code;
        if (
          code !== 'ENOENT' &&
          code !== 'EACCES' &&
          code !== 'EPERM' &&
          code !== 'EINVAL' &&
          code !== 'EROFS'
        ) {
          throw error;
        }
      }
    },
  };
}

/** A field of /proc/self/status, given there in kB; null where it is missing. */
function statusBytes(field: string): number | null {
  const value = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(
    readFileSync('/proc/self/status', 'utf8'),
  )?.[1];
  return value === undefined ? null : Number(value) * 1024;
}

/**
 * How a backend's real use is told.
 * - WebGPU: what its buffer manager allocated; free buffers are kept for reuse, so the present figure is the peak.
 * - TensorFlow on a GPU: null; its allocator takes memory from the driver in steps of its own, and only the
 *   supervisor sees the device.
 * - All others work in the process's memory. `before` is its resident size before the model was there.
 */
export function deviceMemoryOf(
  backend: Pick<ChosenBackend, 'core' | 'report'>,
  memory: ProcessMemory,
  before: number,
): DeviceMemory {
  const { core, report } = backend;
  if (report.name === 'webgpu') {
    return { reset: () => undefined, peakBytes: () => allocatedInGpu(core.memory()) };
  }
  if (report.usesGpu) return { reset: () => undefined, peakBytes: () => null };
  return {
    reset: () => memory.forgetPeak(),
    peakBytes: () => Math.max(0, memory.peakResidentBytes() - before),
  };
}

/** `tf.memory()` of the WebGPU backend; its type lies in that package. */
function allocatedInGpu(memory: object): number | null {
  const bytes: unknown = Reflect.get(memory, 'numBytesAllocatedInGPU');
  return typeof bytes === 'number' ? bytes : null;
}
