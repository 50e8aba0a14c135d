import { expect, test } from 'vitest';
import type { ControllerGpu } from '../../../src/gpu/controllers';
import { mergeReadings } from '../../../src/gpu/mergeReadings';
import type { NvidiaGpu } from '../../../src/gpu/nvidiaSmi';
import { GB, gpu, untimed } from './readings';

const readAt = '2026-01-01T00:00:00.000Z';

function direct(more: Partial<NvidiaGpu> = {}): NvidiaGpu {
  return { ...untimed(gpu()), ...more, vendor: 'nvidia', source: 'nvidia-smi' };
}

function controller(more: Partial<ControllerGpu> = {}): ControllerGpu {
  return { ...untimed(gpu({ uuid: null, index: null, mig: null })), ...more, source: 'systeminformation' };
}

test('two equal cards, to which Windows gives the figures of the first, are read from nvidia-smi', () => {
  const nvidia = {
    answered: true,
    gpus: [direct(), direct({ index: 1, busId: '0000:3b:00.0' })],
    problems: [],
  };
  const controllers = [controller(), controller()];
  const merged = mergeReadings({ controllers, nvidia, amd: [] }, readAt);
  expect(merged.map((each) => each.busId)).toEqual(['0000:17:00.0', '0000:3b:00.0']);
});

test("where nvidia-smi does not answer, systeminformation's figures are shown", () => {
  const nvidia = { answered: false, gpus: [], problems: [] };
  const [only] = mergeReadings({ controllers: [controller()], nvidia, amd: [] }, readAt);
  expect(only).toMatchObject({ source: 'systeminformation', memoryUsedBytes: 10 * GB });
});

test('a card without an address is not shown twice', () => {
  const nvidia = { answered: true, gpus: [direct()], problems: [] };
  const merged = mergeReadings({ controllers: [controller({ busId: null })], nvidia, amd: [] }, readAt);
  expect(merged).toHaveLength(1);
});

test("NVIDIA's cards come first, in their own order, the others by address", () => {
  const nvidia = {
    answered: true,
    gpus: [direct({ index: 1, busId: '0000:01:00.0' }), direct({ index: 0, busId: '0000:99:00.0' })],
    problems: [],
  };
  const controllers = [
    controller({ vendor: 'intel', name: 'b', busId: '0000:05:00.0' }),
    controller({ vendor: 'intel', name: 'a', busId: '0000:00:02.0' }),
  ];
  const merged = mergeReadings({ controllers, nvidia, amd: [] }, readAt);
  expect(merged.map((each) => each.busId)).toEqual([
    '0000:99:00.0',
    '0000:01:00.0',
    '0000:00:02.0',
    '0000:05:00.0',
  ]);
});
