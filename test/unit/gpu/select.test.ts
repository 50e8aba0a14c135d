import { expect, test } from 'vitest';
import {
  chooseDevice,
  deviceEnvironment,
  deviceMemory,
  findDevice,
  NoSuchDeviceError,
  visibleDevices,
} from '../../../src/gpu/select';
import { GB, gpu } from './readings';

const instance = (
  uuid: string,
  freeBytes: number,
): NonNullable<ReturnType<typeof gpu>['mig']>['instances'][number] => ({
  name: '1g.10gb',
  uuid,
  memoryTotalBytes: 10 * GB,
  memoryUsedBytes: 10 * GB - freeBytes,
  memoryFreeBytes: freeBytes,
});
const first = gpu();
const second = gpu({ index: 1, uuid: 'GPU-bbbb', busId: '0000:3b:00.0', memoryFreeBytes: 75 * GB });
const cut = gpu({
  index: 2,
  uuid: 'GPU-cccc',
  busId: '0001:00:00.0',
  mig: { enabled: true, instances: [instance('MIG-1111', 3 * GB), instance('MIG-2222', 9 * GB)] },
});
const intel = gpu({
  vendor: 'intel',
  name: 'Intel',
  index: null,
  uuid: null,
  busId: '0000:00:02.0',
  mig: null,
});
const gpus = [first, second, cut, intel];

test.each([
  ['0000:3b:00.0', second],
  ['00000000:3B:00.0', second],
  ['3b:00.0', second],
  ['GPU-bbbb', second],
  ['gpu-bb', second],
  ['1', second],
  ['0000:00:02.0', intel],
])('a device is found by %s, equal names notwithstanding', (wanted, expected) => {
  expect(findDevice(gpus, wanted)).toEqual({ gpu: expected, instance: null });
});

test('a GPU that is cut up is found with the instance named, or its first', () => {
  expect(findDevice(gpus, 'MIG-2222').instance?.uuid).toBe('MIG-2222');
  expect(findDevice(gpus, '2').instance?.uuid).toBe('MIG-1111');
});

test.each(['7', 'GPU-', 'NVIDIA', '', '0000:99:00.0'])(
  'a device that is not there ("%s") is an error',
  (wanted) => {
    expect(() => findDevice(gpus, wanted)).toThrow(NoSuchDeviceError);
  },
);

test('the error names what there is', () => {
  expect(() => findDevice([first, second], '7')).toThrow(
    'No GPU has the bus id, UUID or number "7"; there is: 0000:17:00.0, 0000:3b:00.0.',
  );
  expect(() => findDevice([], '0')).toThrow('There is no GPU');
});

test('without a wish the device with the most free memory is chosen, the first of equals', () => {
  expect(chooseDevice(gpus)?.gpu).toBe(second);
  expect(chooseDevice([first, { ...first, index: 1 }])?.gpu.index).toBe(0);
  expect(chooseDevice([cut])?.instance?.uuid).toBe('MIG-2222');
});

test('a device with unknown memory is chosen rather than none, and no other maker has one for CUDA', () => {
  expect(chooseDevice([gpu({ memoryFreeBytes: null })])?.gpu.name).toBe('NVIDIA H100 80GB HBM3');
  expect(chooseDevice([intel])).toBeNull();
  expect(chooseDevice([])).toBeNull();
});

test.each([
  ['1', ['GPU-bbbb']],
  ['1,0', ['GPU-bbbb', 'GPU-aaaa']],
  ['GPU-aaaa', ['GPU-aaaa']],
  ['MIG-2222', ['MIG-2222']],
  ['', []],
  ['-1', []],
  ['0,9,1', ['GPU-aaaa']],
  ['NoDevFiles', []],
])('with CUDA_VISIBLE_DEVICES=%s only these are visible: %j', (listed, expected) => {
  const devices = visibleDevices(gpus, { CUDA_VISIBLE_DEVICES: listed });
  expect(devices.map((device) => device.instance?.uuid ?? device.gpu.uuid)).toEqual(expected);
});

test('a process is shown the chosen device alone, by what names it best, in the order of nvidia-smi', () => {
  const order = { CUDA_DEVICE_ORDER: 'PCI_BUS_ID' };
  expect(deviceEnvironment({ gpu: second, instance: null })).toEqual({
    ...order,
    CUDA_VISIBLE_DEVICES: 'GPU-bbbb',
  });
  expect(deviceEnvironment(findDevice(gpus, 'MIG-2222'))).toEqual({
    ...order,
    CUDA_VISIBLE_DEVICES: 'MIG-2222',
  });
  expect(deviceEnvironment({ gpu: { ...second, uuid: null }, instance: null })).toEqual({
    ...order,
    CUDA_VISIBLE_DEVICES: '1',
  });
  expect(deviceEnvironment({ gpu: { ...second, uuid: null, index: null }, instance: null })).toEqual(order);
  expect(deviceEnvironment({ gpu: intel, instance: null })).toEqual({});
});

test("an instance's memory is its own, not the whole GPU's", () => {
  expect(deviceMemory(findDevice(gpus, 'MIG-1111'))).toEqual({ totalBytes: 10 * GB, freeBytes: 3 * GB });
  expect(deviceMemory({ gpu: first, instance: null })).toEqual({ totalBytes: 80 * GB, freeBytes: 69 * GB });
});
