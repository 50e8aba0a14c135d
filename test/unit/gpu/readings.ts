// Readings for tests: a whole one, of which a test says only what matters to it.
import type { DeviceReading, GpuReading } from '../../../src/gpu/types';

export const GB = 2 ** 30;

export function gpu(more: Partial<GpuReading> = {}): GpuReading {
  return {
    name: 'NVIDIA H100 80GB HBM3',
    vendor: 'nvidia',
    busId: '0000:17:00.0',
    uuid: 'GPU-aaaa',
    index: 0,
    memoryTotalBytes: 80 * GB,
    memoryUsedBytes: 10 * GB,
    memoryFreeBytes: 69 * GB,
    memoryReservedBytes: GB,
    utilisationPercent: 12,
    driver: '580.159.04',
    mig: { enabled: false, instances: [] },
    source: 'nvidia-smi',
    readAt: '2026-01-01T00:00:00.000Z',
    ...more,
  };
}

export function reading(more: Partial<DeviceReading> = {}): DeviceReading {
  return {
    gpus: [gpu()],
    systemMemory: { totalBytes: 24 * GB, availableBytes: 13 * GB, usedBytes: 11 * GB, limitedBy: 'machine' },
    problems: [],
    readAt: '2026-01-01T00:00:00.000Z',
    ...more,
  };
}

/** A reading as its source tells it: without the time, which is added when sources are brought together. */
export function untimed<T extends { readAt: string }>(timed: T): Omit<T, 'readAt'> {
  const copy: Omit<T, 'readAt'> & { readAt?: string } = { ...timed };
  delete copy.readAt;
  return copy;
}
