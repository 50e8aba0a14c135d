// nvidia-smi's answers, written out as it prints them.
import { expect, test } from 'vitest';
import { parseMigList, parseMigMemory } from '../../../src/gpu/nvidiaMig';
import { problemOf } from '../../../src/gpu/nvidiaProblem';
import { parseQuery, queryArguments, queryFieldLists } from '../../../src/gpu/nvidiaSmi';

const MiB = 1024 * 1024;
const [full = [], basic = []] = queryFieldLists;

test('the query asks for plain numbers without a heading', () => {
  expect(queryArguments(['index', 'name'])).toEqual([
    '--query-gpu=index,name',
    '--format=csv,noheader,nounits',
  ]);
});

test('used, free and reserved are taken as told, also where they do not add up to the total', () => {
  const { gpus, unreadLines } = parseQuery(
    '0, GPU-1, 00000000:17:00.0, 81559, 100, 80000, 7, 580.159.04, 621, Disabled, NVIDIA H100 80GB HBM3\n',
    full,
  );
  expect(unreadLines).toEqual([]);
  expect(gpus[0]).toMatchObject({
    memoryTotalBytes: 81559 * MiB,
    memoryUsedBytes: 100 * MiB,
    memoryFreeBytes: 80000 * MiB,
    memoryReservedBytes: 621 * MiB,
    utilisationPercent: 7,
    mig: { enabled: false, instances: [] },
  });
});

test.each([
  '[N/A]',
  'N/A',
  '[Not Supported]',
  '[Insufficient Permissions]',
  '[Unknown Error]',
  '[Not Found]',
  '',
])('a figure given as "%s" is unknown, and a zero beside it stays zero', (unknown) => {
  const { gpus } = parseQuery(
    `1, ${unknown}, 0000:01:00.0, ${unknown}, 0, ${unknown}, 0, ${unknown}, x, card`,
    [...basic.slice(0, -1), 'other', 'name'],
  );
  expect(gpus[0]).toMatchObject({
    uuid: null,
    memoryTotalBytes: null,
    memoryUsedBytes: 0,
    memoryFreeBytes: null,
    utilisationPercent: 0,
    driver: null,
    mig: null,
  });
});

test('a name with a comma, and Windows line ends, are read', () => {
  const { gpus } = parseQuery(
    '0, GPU-1, 00000000:01:00.0, 1, 2, 3, 4, 5.0, Card, Limited Edition\r\n',
    basic,
  );
  expect(gpus[0]?.name).toBe('Card, Limited Edition');
});

test('lines that are no GPU are kept apart', () => {
  const lost = 'Unable to determine the device handle for GPU 0000:02:00.0: GPU is lost.';
  const { gpus, unreadLines } = parseQuery(
    `0, GPU-1, 00000000:01:00.0, 1, 2, 3, 4, 5.0, Card\n${lost}\n`,
    basic,
  );
  expect(gpus).toHaveLength(1);
  expect(unreadLines).toEqual([lost]);
});

test('permissions that are missing are noticed', () => {
  const line = '0, GPU-1, 00000000:01:00.0, 1, [Insufficient Permissions], 3, 4, 5.0, Card';
  expect(parseQuery(line, basic).permissionMissing).toBe(true);
});

test('MIG instances are listed with the GPU they are part of, in both ways of writing their UUID', () => {
  const list = [
    'GPU 0: NVIDIA A100-SXM4-80GB (UUID: GPU-a)',
    'GPU 1: NVIDIA A100-SXM4-80GB (UUID: GPU-b)',
    '  MIG 2g.20gb     Device  0: (UUID: MIG-ec4c3916-65fa-5948-b9b5-9f21a2ddfcc0)',
    '  MIG 1c.3g.40gb Device 1: (UUID: MIG-GPU-b/3/0)',
  ].join('\n');
  expect(parseMigList(list)).toEqual([
    { gpuUuid: 'GPU-b', device: 0, name: '2g.20gb', uuid: 'MIG-ec4c3916-65fa-5948-b9b5-9f21a2ddfcc0' },
    { gpuUuid: 'GPU-b', device: 1, name: '1c.3g.40gb', uuid: 'MIG-GPU-b/3/0' },
  ]);
});

test("an instance's memory is its framebuffer's, not its address window's, and not known where it is withheld", () => {
  const device = (index: number, used: string): string =>
    `<mig_device><index>${index}</index><fb_memory_usage><total>9856 MiB</total><used>${used}</used>` +
    '<free>9000 MiB</free></fb_memory_usage><bar1_memory_usage><total>1 MiB</total></bar1_memory_usage></mig_device>';
  const memory = parseMigMemory(
    `<gpu id="00000000:17:00.0"><mig_devices>${device(0, '856 MiB')}${device(1, 'N/A')}</mig_devices></gpu>
     <gpu id="00000000:3B:00.0"><mig_devices>None</mig_devices></gpu>`,
  );
  expect([...memory]).toEqual([
    [
      '0000:17:00.0#0',
      { memoryTotalBytes: 9856 * MiB, memoryUsedBytes: 856 * MiB, memoryFreeBytes: 9000 * MiB },
    ],
    ['0000:17:00.0#1', { memoryTotalBytes: 9856 * MiB, memoryUsedBytes: null, memoryFreeBytes: 9000 * MiB }],
  ]);
});

test.each([
  [
    'Failed to initialize NVML: Driver/library version mismatch\nNVML library version: 535.161',
    'driverMismatch',
  ],
  ["NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.", 'driverNotRunning'],
  ['Failed to initialize NVML: Insufficient Permissions', 'noPermission'],
  ['Unable to determine the device handle for GPU 0000:3B:00.0: GPU is lost.', 'gpuLost'],
  ['Failed to initialize NVML: Unknown Error', 'toolFailed'],
  ['', 'toolFailed'],
])('the message "%s" is told as %s', (said, kind) => {
  expect(problemOf(said, 255).kind).toBe(kind);
});

test('a message in no known words is passed on, with the exit code', () => {
  expect(problemOf('Failed to initialize NVML: Unknown Error\n', 255).message).toBe(
    'nvidia-smi failed (exit code 255): Failed to initialize NVML: Unknown Error',
  );
});
