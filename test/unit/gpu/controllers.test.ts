// What systeminformation answers on each platform, reduced to GPUs.
import { expect, test } from 'vitest';
import { gpusOfControllers, graphicsData } from '../../../src/gpu/controllers';

const MiB = 1024 * 1024;
const read = (platform: NodeJS.Platform, ...controllers: object[]): ReturnType<typeof gpusOfControllers> =>
  gpusOfControllers(graphicsData.parse({ controllers, displays: [] }), platform);

test('BSD and Solaris, where systeminformation answers null, have no GPU', () => {
  expect(gpusOfControllers(graphicsData.parse(null), 'freebsd')).toEqual([]);
});

test('Apple silicon has a name and no memory of its own', () => {
  const [gpu] = read('darwin', {
    vendor: 'Apple',
    model: 'Apple M3 Max',
    bus: 'Built-In',
    vramDynamic: true,
    vram: null,
    deviceId: '',
    cores: '40',
  });
  expect(gpu).toMatchObject({ name: 'Apple M3 Max', vendor: 'apple', busId: null, memoryTotalBytes: null });
});

test("on Windows a card's memory is taken, but not the number that stands for 4 GiB or more", () => {
  const gpus = read(
    'win32',
    { vendor: 'Advanced Micro Devices, Inc.', model: 'AMD Radeon RX 6800', vram: 16368, vramDynamic: false },
    { vendor: 'Intel Corporation', model: 'Intel(R) Arc(TM) A770', vram: 4095, vramDynamic: false },
    { vendor: 'Intel Corporation', model: 'Intel(R) UHD Graphics 770', vram: 2048, vramDynamic: true },
    { vendor: 'Microsoft', model: 'Microsoft Basic Render Driver', vram: 0, vramDynamic: false },
    { vendor: 'Parsec Cloud, Inc.', model: 'Parsec Virtual Display Adapter', vram: 0 },
  );
  expect(gpus.map((gpu) => [gpu.name, gpu.memoryTotalBytes])).toEqual([
    ['AMD Radeon RX 6800', 16368 * MiB],
    ['Intel(R) Arc(TM) A770', null],
    ['Intel(R) UHD Graphics 770', null],
  ]);
});

test("on Linux the size of a card's address window is not taken for its memory", () => {
  const [gpu] = read('linux', {
    vendor: 'NVIDIA Corporation',
    model: 'GA104 [GeForce RTX 3070]',
    busAddress: '01:00.0',
    vram: 256,
    vramDynamic: false,
  });
  expect(gpu).toMatchObject({
    vendor: 'nvidia',
    busId: '0000:01:00.0',
    memoryTotalBytes: null,
    memoryUsedBytes: null,
  });
});

test('what systeminformation took from nvidia-smi is kept; what it left out is unknown', () => {
  const [gpu] = read('linux', {
    vendor: 'NVIDIA Corporation',
    model: 'GA104 [GeForce RTX 3070]',
    name: 'NVIDIA GeForce RTX 3070',
    busAddress: '01:00.0',
    pciBus: '00000000:01:00.0',
    vram: 8192,
    memoryTotal: 8192,
    memoryFree: 7000,
    driverVersion: '535.1',
  });
  expect(gpu).toMatchObject({
    name: 'NVIDIA GeForce RTX 3070',
    memoryTotalBytes: 8192 * MiB,
    memoryUsedBytes: null,
    memoryFreeBytes: 7000 * MiB,
    driver: '535.1',
  });
});

test('displays of virtual machines and of server management are no GPUs', () => {
  const models = [
    ['ASPEED Technology, Inc.', 'ASPEED Graphics Family'],
    ['Matrox Electronics Systems Ltd.', 'G200eW3'],
    ['Red Hat, Inc.', 'QXL paravirtual graphic card'],
    ['VMware', 'SVGA II Adapter'],
    ['Microsoft Corporation', 'Hyper-V virtual VGA'],
    ['Amazon.com, Inc.', 'Device 1111'],
    ['Cirrus Logic', 'GD 5446'],
  ];
  expect(
    read('linux', ...models.map(([vendor, model]) => ({ vendor, model, busAddress: '00:02.0' }))),
  ).toEqual([]);
});
