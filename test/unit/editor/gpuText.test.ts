// What the status bar says of a reading.
import { describe, expect, it } from 'vitest';
import {
  escapeMarkdown,
  gpuStatus,
  gpuTable,
  shownGpu,
  usedOfTotal,
  type Translate,
} from '../../../src/editor/gpuText';
import type { DeviceReading, GpuReading } from '../../../src/gpu/types';
import { GB, gpu as anyGpu, reading as anyReading } from '../gpu/readings';

const t: Translate = (text, ...values) =>
  text.replace(/\{(\d)\}/g, (_, place: string) => String(values[Number(place)]));
const options = { systemMemory: false, lowMemoryPercent: 5, t };

/** A card of the size that people have at home. */
function gpu(change: Partial<GpuReading> = {}): GpuReading {
  return anyGpu({
    name: 'NVIDIA GeForce RTX 3070',
    busId: '0000:01:00.0',
    uuid: 'GPU-1',
    memoryTotalBytes: 8 * GB,
    memoryUsedBytes: 3.2 * GB,
    memoryFreeBytes: 4.7 * GB,
    ...change,
  });
}

function reading(gpus: GpuReading[], problems: DeviceReading['problems'] = []): DeviceReading {
  return anyReading({ gpus, problems });
}

const second = gpu({
  index: 1,
  busId: '0000:02:00.0',
  uuid: 'GPU-2',
  memoryUsedBytes: GB,
  memoryFreeBytes: 7 * GB,
});

describe('the status text', () => {
  it('is used of total, as the maker counts', () => {
    const one = reading([gpu()]);
    expect(gpuStatus(one, shownGpu(one, '', {}), options)?.text).toBe('3.2/8.0 GB');
    expect(usedOfTotal(12.4 * GB, 141 * GB)).toBe('12.4/141 GB');
    expect(usedOfTotal(100 * 2 ** 20, 512 * 2 ** 20)).toBe('100/512 MB');
  });

  it('names the GPU where there are several, and shows the one with the most free memory', () => {
    const two = reading([gpu(), second]);
    expect(gpuStatus(two, shownGpu(two, '', {}), options)?.text).toBe('GPU 1: 1.0/8.0 GB');
  });

  it('shows the chosen one by its bus, though another has the same name', () => {
    const two = reading([gpu(), second]);
    expect(gpuStatus(two, shownGpu(two, '00000000:01:00.0', {}), options)?.text).toBe('GPU 0: 3.2/8.0 GB');
  });

  it('shows another one once the chosen one is gone', () => {
    const one = reading([second]);
    expect(gpuStatus(one, shownGpu(one, '0000:01:00.0', {}), options)?.text).toBe('1.0/8.0 GB');
  });

  it('warns under the given part of free memory, and not at it', () => {
    const at = (freeBytes: number): boolean | undefined => {
      const one = reading([gpu({ memoryFreeBytes: freeBytes })]);
      return gpuStatus(one, shownGpu(one, '', {}), options)?.isLow;
    };
    expect([at(0.39 * GB), at(0.4 * GB), at(8 * GB)]).toEqual([true, false, false]);
  });

  it('is nothing without a GPU, or the memory of the computer, labelled so', () => {
    expect(gpuStatus(reading([]), null, options)).toBeNull();
    const status = gpuStatus(reading([]), null, { ...options, systemMemory: true });
    expect([status?.text, status?.isGpu]).toEqual(['RAM 11.0/24.0 GB', false]);
  });

  it('says that a GPU does not answer, instead of going away', () => {
    const problem = { kind: 'gpuLost' as const, message: 'Unable to determine the device handle' };
    expect(gpuStatus(reading([], [problem]), null, options)?.text).toBe('GPU —');
    const silent = reading([gpu({ memoryUsedBytes: null })]);
    expect(gpuStatus(silent, shownGpu(silent, '', {}), options)?.text).toBe('—');
  });

  it('shows a GPU of another maker where its memory is known', () => {
    const amd = reading([gpu({ vendor: 'amd', name: 'Radeon', index: null })]);
    expect(gpuStatus(amd, shownGpu(amd, '', {}), options)?.text).toBe('3.2/8.0 GB');
  });

  it('reads out what it shows', () => {
    const one = reading([gpu()]);
    expect(gpuStatus(one, shownGpu(one, '', {}), options)?.label).toBe(
      'NVIDIA GeForce RTX 3070 memory: 3.2/8.0 GB used',
    );
  });
});

describe('the tooltip', () => {
  const table = (of: DeviceReading): string =>
    gpuTable(of, shownGpu(of, '', {}), { t, time: '18:00:00', host: 'ssh-remote' });

  it('has a line for each GPU, with the shown one marked', () => {
    const lines = table(reading([gpu(), second])).split('\n');
    expect(lines[2]?.replaceAll('\u00a0', '')).toBe(
      '|  | 0: NVIDIA GeForce RTX 3070 | 0000:01:00.0 | 3.2 GB | 4.7 GB | 8.0 GB | 12 % |',
    );
    expect(lines[3]?.startsWith('| $(check) | 1: ')).toBe(true);
    expect(lines.at(-1)).toBe('Read at 18:00:00 on ssh\\-remote');
  });

  it('tells problems and parts of a GPU that is cut up', () => {
    const instance = {
      name: '1g.10gb',
      uuid: 'MIG-1',
      memoryTotalBytes: 10 * GB,
      memoryUsedBytes: GB,
      memoryFreeBytes: 9 * GB,
    };
    const text = table(
      reading(
        [gpu({ mig: { enabled: true, instances: [instance] } })],
        [{ kind: 'noPermission', message: 'No permission.' }],
      ),
    );
    expect(text).toContain('MIG 1g\\.10gb: 1.0/10.0 GB');
    expect(text).toContain('$(warning) No permission\\.');
  });

  it('lets nothing of a name become a link, a cell or an icon', () => {
    expect(escapeMarkdown('[x](command:evil) | $(bug)\n# <b>')).toBe(
      '\\[x\\]\\(command:evil\\) \\| \\$\\(bug\\) \\# \\<b\\>',
    );
  });
});
