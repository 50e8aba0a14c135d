// What people see of a reading, at the widths of real terminals.
import { PassThrough } from 'node:stream';
import { createColors } from 'picocolors';
import { expect, test } from 'vitest';
import { renderGpuTable } from '../../../src/terminal/gpuTable';
import { createGpuView } from '../../../src/terminal/gpuView';
import type { DeviceReading } from '../../../src/gpu/types';
import { GB, gpu, reading } from './readings';

const wide = { columns: 200, colors: createColors(false) };
const two = reading({
  gpus: [
    gpu({ memoryUsedBytes: 0, memoryFreeBytes: 79.5 * GB }),
    gpu({
      name: 'Intel UHD Graphics 630',
      vendor: 'intel',
      index: null,
      busId: '0000:00:02.0',
      memoryTotalBytes: null,
      memoryUsedBytes: null,
      memoryFreeBytes: null,
      utilisationPercent: null,
      driver: null,
    }),
  ],
});

test('a wide terminal shows everything; what is not known is a dash, and zero is zero', () => {
  expect(renderGpuTable(two, wide)).toEqual([
    'GPU  Name                    Bus id           Used     Free    Total  Load  Driver',
    '0    NVIDIA H100 80GB HBM3   0000:17:00.0  0 bytes  79.5 GB  80.0 GB  12 %  580.159.04',
    '–    Intel UHD Graphics 630  0000:00:02.0        –        –        –     –  –',
    'System memory: 11.0 GB of 24.0 GB used, 13.0 GB available.',
  ]);
});

test('a narrower terminal loses the least telling columns first', () => {
  expect(renderGpuTable(two, { columns: 80, colors: createColors(false) })[0]).toBe(
    'GPU  Name                    Bus id           Used     Free    Total  Load',
  );
  expect(renderGpuTable(two, { columns: 60, colors: createColors(false) })[0]).toBe(
    'GPU  Name                       Used     Free    Total  Load',
  );
});

const everything = reading({
  gpus: [
    ...two.gpus,
    gpu({
      mig: {
        enabled: true,
        instances: [
          {
            name: '1g.10gb',
            uuid: 'MIG-1',
            memoryTotalBytes: 10 * GB,
            memoryUsedBytes: null,
            memoryFreeBytes: null,
          },
        ],
      },
    }),
  ],
  problems: [{ kind: 'toolFailed', message: `nvidia-smi failed (exit code 1): ${'x'.repeat(250)} and more` }],
  systemMemory: { totalBytes: 8 * GB, availableBytes: 5 * GB, usedBytes: 3 * GB, limitedBy: 'cgroup' },
});

test.each([1, 10, 20, 40, 53, 54, 60, 74, 80, 98, 120, 200])(
  'no line is wider than a terminal of %d columns',
  (columns) => {
    for (const shown of [everything, two, reading({ gpus: [] })]) {
      for (const line of renderGpuTable(shown, { columns, colors: createColors(false) }))
        expect(line.length).toBeLessThanOrEqual(columns);
    }
  },
);

test('a very narrow terminal gets lines instead of a table, with nothing lost', () => {
  expect(renderGpuTable(reading(), { columns: 40, colors: createColors(false) })).toEqual([
    'GPU 0: NVIDIA H100 80GB HBM3',
    '10.0 GB used, 69.0 GB free, 80.0 GB',
    'total',
    'System memory: 11.0 GB of 24.0 GB used,',
    '13.0 GB available.',
  ]);
});

test('MIG instances stand below their GPU, and the limit of a container is called so', () => {
  const lines = renderGpuTable(everything, wide);
  expect(lines.find((line) => line.includes('MIG 1g.10gb'))).toMatch(/^ +MIG 1g\.10gb .* – +– +10\.0 GB/);
  expect(lines.at(-1)).toBe(
    'System memory (limit of this container): 3.0 GB of 8.0 GB used, 5.0 GB available.',
  );
});

test('no GPU, and no GPU that could be read, are told apart', () => {
  expect(renderGpuTable(reading({ gpus: [] }), wide)).toEqual([
    'No GPU was found on this machine.',
    'System memory: 11.0 GB of 24.0 GB used, 13.0 GB available.',
  ]);
  const problems: DeviceReading['problems'] = [{ kind: 'timeout', message: 'nvidia-smi did not answer.' }];
  expect(renderGpuTable(reading({ gpus: [], problems }), wide).slice(0, 2)).toEqual([
    'No GPU could be read.',
    'nvidia-smi did not answer.',
  ]);
});

test('text of a tool cannot steer the terminal', () => {
  const lines = renderGpuTable(reading({ gpus: [gpu({ name: 'H100\u001b[2J', driver: '1\r2' })] }), wide);
  expect(lines.join('\n')).not.toMatch(/[\u001b\r]/);
});

test('a GPU with under 5 % free is coloured, where there is colour', () => {
  const low = reading({ gpus: [gpu({ memoryFreeBytes: 2 * GB }), gpu()] });
  const [, first = '', second = ''] = renderGpuTable(low, { columns: 200, colors: createColors(true) });
  expect(first).toContain('\u001b[33m');
  expect(second).not.toContain('\u001b[');
});

function shownOn(isTTY: boolean, watch: boolean, environment: NodeJS.ProcessEnv): string {
  const out = Object.assign(new PassThrough(), { isTTY, columns: 120, rows: 30 });
  const view = createGpuView(out, { watch }, environment);
  view.show(reading());
  view.show(reading({ gpus: [] }));
  view.end();
  return String(out.read());
}

test('colour only on a terminal and never with NO_COLOR', () => {
  const dim = '\u001b[2m';
  expect(shownOn(true, false, { TERM: 'xterm' })).toContain(dim);
  expect(shownOn(true, false, { TERM: 'xterm', NO_COLOR: '1' })).not.toContain(dim);
  expect(shownOn(true, false, { TERM: 'dumb' })).not.toContain(dim);
  expect(shownOn(false, false, { TERM: 'xterm' })).not.toContain(dim);
  expect(shownOn(false, false, { FORCE_COLOR: '1' })).toContain(dim);
});

test('watching draws over the earlier reading on a terminal, and goes on below it when piped', () => {
  expect(shownOn(true, true, { TERM: 'xterm' })).toContain('\u001b[');
  const piped = shownOn(false, true, {});
  expect(piped).not.toContain('\u001b');
  expect(piped.split('\n').filter((line) => line === reading().readAt)).toHaveLength(2);
});
