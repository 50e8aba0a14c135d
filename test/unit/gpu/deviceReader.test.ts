// How often systeminformation's slow list is asked for; the sources here are told, not real.
import { expect, test } from 'vitest';
import { DeviceReader } from '../../../src/gpu/deviceReader';
import type { NvidiaAnswer } from '../../../src/gpu/nvidiaQuery';
import type { ControllerGpu } from '../../../src/gpu/controllers';
import { gpu, reading, untimed } from './readings';

const request = { locations: { nvidiaSmi: ['nvidia-smi'], drm: null }, toolTimeoutMs: 1000 };
const plain = untimed(gpu());
const direct: NvidiaAnswer = {
  answered: true,
  gpus: [{ ...plain, vendor: 'nvidia', source: 'nvidia-smi' }],
  problems: [],
};
const none: NvidiaAnswer = { answered: false, gpus: [], problems: [] };

function readerOf(nvidia: () => NvidiaAnswer, controllers: () => Promise<ControllerGpu[]>) {
  const state = { clock: 0, asked: 0 };
  const reader = new DeviceReader({
    controllers: () => {
      state.asked += 1;
      return controllers();
    },
    systemMemory: () => Promise.resolve(reading().systemMemory),
    nvidia: () => Promise.resolve(nvidia()),
    amd: () => Promise.resolve([]),
    now: () => state.clock,
  });
  return { reader, state };
}

const listed: ControllerGpu = { ...plain, source: 'systeminformation' };

test('the list is asked for at first and every five minutes while the drivers answer', async () => {
  const { reader, state } = readerOf(
    () => direct,
    () => Promise.resolve([listed]),
  );
  for (let count = 0; count < 5; count += 1) await reader.read(request);
  expect(state.asked).toBe(1);
  state.clock += 5 * 60_000;
  await reader.read(request);
  expect(state.asked).toBe(2);
});

test('the list is asked for each time where it alone tells the memory in use', async () => {
  const { reader, state } = readerOf(
    () => none,
    () => Promise.resolve([listed]),
  );
  for (let count = 0; count < 3; count += 1) await reader.read(request);
  expect(state.asked).toBe(3);
});

test('the list is asked for again when the GPUs that the drivers tell of have changed', async () => {
  let nvidia = direct;
  const { reader, state } = readerOf(
    () => nvidia,
    () => Promise.resolve([]),
  );
  await reader.read(request);
  nvidia = { ...direct, gpus: [] };
  expect((await reader.read(request)).gpus).toEqual([]);
  expect(state.asked).toBe(2);
});

test("a list that cannot be read is told, and the drivers' figures are given", async () => {
  const { reader } = readerOf(
    () => direct,
    () => Promise.reject(new Error('spawn /bin/sh ENOENT')),
  );
  const { gpus, problems } = await reader.read(request);
  expect(gpus).toHaveLength(1);
  expect(problems[0]?.message).toContain('spawn /bin/sh ENOENT');
});

test('where nvidia-smi hangs, the list, which calls it as well, is not waited for', async () => {
  const hangs: NvidiaAnswer = { ...none, problems: [{ kind: 'timeout', message: 'hangs' }] };
  const { reader } = readerOf(
    () => hangs,
    () => new Promise(() => undefined),
  );
  expect((await reader.read(request)).problems).toEqual(hangs.problems);
});
