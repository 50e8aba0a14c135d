// The memory that a plan may use: what is free where the backend computes, less the headroom, or what the user set.
import type { BackendReport } from '../../protocol/backend';
import { chooseDevice, deviceMemory, findDevice, type SelectedDevice } from '../../gpu/select';
import type { DeviceReading } from '../../gpu/types';
import type { PlanDevice } from '../../planning/plan';

/** Memory that is kept free: 5 % of the device, at least 256 MiB. */
export const leastHeadroomBytes = 256 * 2 ** 20;
const headroomShare = 0.05;

export interface BudgetRequest {
  readonly backend: BackendReport;
  /** The device and the machine's memory before the first child began. */
  readonly devices: DeviceReading;
  /** The GPU that the user named (bus id, UUID or number); null: the one with the most free memory. */
  readonly gpu: string | null;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What the user set; null: what is free. */
  readonly budgetBytes: number | null;
  /** Memory to keep free that the user set; null: 5 %, at least 256 MiB. */
  readonly headroomBytes: number | null;
  /** What the child's process held before the model was there, in bytes: it is not free for the model. */
  readonly residentBytes: number;
  /** Most bytes that the backend lets tensors take; null where only memory limits it. */
  readonly tensorLimitBytes: number | null;
}

export interface Budget {
  /** The GPU; null where the backend uses the processor and its memory. */
  readonly device: PlanDevice | null;
  /** Undefined: nothing tells how much is free, so running out of it must. */
  readonly budgetBytes: number | undefined;
}

/**
 * The budget of a plan. On a GPU: its free memory; WebGPU does not say which GPU it took, so only a single one, or
 * one of the same name, counts as known. Otherwise the machine's available memory, or the container's. A limit of the
 * backend's own (WASM) holds in every case.
 */
export function budgetFor(request: BudgetRequest): Budget {
  const { backend, devices, tensorLimitBytes } = request;
  const limited = (bytes: number | undefined): number | undefined =>
    tensorLimitBytes === null ? bytes : Math.min(bytes ?? tensorLimitBytes, tensorLimitBytes);
  if (!backend.usesGpu) {
    const { totalBytes, availableBytes } = devices.systemMemory;
    const free = availableBytes - request.residentBytes;
    return { device: null, budgetBytes: limited(request.budgetBytes ?? less(free, totalBytes, request)) };
  }
  const selected = gpuOf(request);
  if (selected === null) return { device: null, budgetBytes: limited(request.budgetBytes ?? undefined) };
  const { totalBytes, freeBytes } = deviceMemory(selected);
  return {
    device: {
      name: selected.instance?.name ?? selected.gpu.name,
      busId: selected.gpu.busId,
      memoryTotalBytes: totalBytes,
      memoryFreeBytes: freeBytes,
    },
    budgetBytes: limited(
      request.budgetBytes ??
        (freeBytes === null ? undefined : less(freeBytes, totalBytes ?? freeBytes, request)),
    ),
  };
}

/** The GPU that the backend computes on; null where that cannot be told. */
function gpuOf({ backend, devices, gpu, environment }: BudgetRequest): SelectedDevice | null {
  if (backend.name !== 'webgpu') {
    return gpu === null ? chooseDevice(devices.gpus, environment) : findDevice(devices.gpus, gpu);
  }
  const named = devices.gpus.filter(({ name }) => name === backend.deviceName);
  const [only, another] = named.length > 0 ? named : devices.gpus;
  return only !== undefined && another === undefined ? { gpu: only, instance: null } : null;
}

function less(freeBytes: number, totalBytes: number, { headroomBytes }: BudgetRequest): number {
  const headroom = headroomBytes ?? Math.max(leastHeadroomBytes, headroomShare * totalBytes);
  return Math.max(0, Math.floor(freeBytes - headroom));
}
