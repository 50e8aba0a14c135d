// Which GPU a training runs on, and the environment that makes CUDA use that one and no other.
import { normaliseBusId } from './busId';
import type { GpuReading, MigInstance } from './types';

/** A GPU, or one MIG instance of it. */
export interface SelectedDevice {
  readonly gpu: GpuReading;
  readonly instance: MigInstance | null;
}

/** A device was asked for that is not there. */
export class NoSuchDeviceError extends Error {
  override readonly name = 'NoSuchDeviceError';
}

/** Memory of a selected device in bytes; null where it is not known. */
export function deviceMemory(device: SelectedDevice): {
  totalBytes: number | null;
  freeBytes: number | null;
} {
  const { memoryTotalBytes, memoryFreeBytes } = device.instance ?? device.gpu;
  return { totalBytes: memoryTotalBytes, freeBytes: memoryFreeBytes };
}

/**
 * The device that `wanted` names: a bus id in any spelling, a UUID (of a GPU or a MIG instance, or its beginning, as
 * CUDA takes it) or NVIDIA's number. A GPU that is cut up gives its first instance, because CUDA cannot use it whole.
 * @throws {NoSuchDeviceError} with the devices that there are
 */
export function findDevice(gpus: readonly GpuReading[], wanted: string): SelectedDevice {
  const text = wanted.trim();
  const device = byBusId(gpus, text) ?? byUuid(gpus, text) ?? byIndex(gpus, text);
  if (device !== undefined) return device;
  const known = gpus.map((gpu) => gpu.busId ?? gpu.name).join(', ');
  throw new NoSuchDeviceError(
    gpus.length === 0
      ? `There is no GPU, so none can be chosen by "${wanted}": leave --device out.`
      : `No GPU has the bus id, UUID or number "${wanted}"; there is: ${known}.`,
  );
}

/**
 * The device to use when none is named: of the NVIDIA devices that `CUDA_VISIBLE_DEVICES` leaves visible, the one
 * with the most free memory, the first of equals; null where there is none.
 */
export function chooseDevice(
  gpus: readonly GpuReading[],
  environment: Readonly<Record<string, string | undefined>> = {},
): SelectedDevice | null {
  const free = (device: SelectedDevice): number => deviceMemory(device).freeBytes ?? -1;
  return visibleDevices(gpus, environment).reduce<SelectedDevice | null>(
    (best, device) => (best === null || free(device) > free(best) ? device : best),
    null,
  );
}

/**
 * The NVIDIA devices that CUDA would see. A number in `CUDA_VISIBLE_DEVICES` counts in PCI order, which is the order
 * that `deviceEnvironment` sets; as in CUDA, the first entry that names nothing hides all after it.
 */
export function visibleDevices(
  gpus: readonly GpuReading[],
  environment: Readonly<Record<string, string | undefined>>,
): SelectedDevice[] {
  const nvidia = gpus.filter((gpu) => gpu.vendor === 'nvidia');
  const listed = environment['CUDA_VISIBLE_DEVICES'];
  if (listed === undefined) return nvidia.flatMap(devicesOf);
  const devices: SelectedDevice[] = [];
  for (const entry of listed.split(',').map((part) => part.trim())) {
    const device = byUuid(nvidia, entry) ?? byIndex(nvidia, entry);
    if (device === undefined) break;
    devices.push(device);
  }
  return devices;
}

/**
 * Environment variables for a process that must use this device: CUDA numbers devices by PCI address, as nvidia-smi
 * does, and sees only this one. Empty for a device that CUDA cannot use.
 */
export function deviceEnvironment(device: SelectedDevice): Record<string, string> {
  const { gpu, instance } = device;
  if (gpu.vendor !== 'nvidia') return {};
  const name = instance?.uuid ?? gpu.uuid ?? (gpu.index === null ? null : String(gpu.index));
  return name === null
    ? { CUDA_DEVICE_ORDER: 'PCI_BUS_ID' }
    : { CUDA_DEVICE_ORDER: 'PCI_BUS_ID', CUDA_VISIBLE_DEVICES: name };
}

function devicesOf(gpu: GpuReading): SelectedDevice[] {
  if (gpu.mig?.enabled !== true || gpu.mig.instances.length === 0) return [{ gpu, instance: null }];
  return gpu.mig.instances.map((instance) => ({ gpu, instance }));
}

function byBusId(gpus: readonly GpuReading[], text: string): SelectedDevice | undefined {
  const busId = normaliseBusId(text);
  return busId === null ? undefined : firstOf(gpus.find((gpu) => gpu.busId === busId));
}

function byUuid(gpus: readonly GpuReading[], text: string): SelectedDevice | undefined {
  if (!/^(GPU|MIG)-./i.test(text)) return undefined;
  const begins = (uuid: string | null): boolean =>
    uuid?.toLowerCase().startsWith(text.toLowerCase()) === true;
  const instance = gpus
    .flatMap(devicesOf)
    .find((device) => device.instance !== null && begins(device.instance.uuid));
  return instance ?? firstOf(gpus.find((gpu) => begins(gpu.uuid)));
}

function byIndex(gpus: readonly GpuReading[], text: string): SelectedDevice | undefined {
  return /^\d+$/.test(text) ? firstOf(gpus.find((gpu) => gpu.index === Number(text))) : undefined;
}

function firstOf(gpu: GpuReading | undefined): SelectedDevice | undefined {
  return gpu === undefined ? undefined : devicesOf(gpu)[0];
}
