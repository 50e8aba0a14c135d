// Brings together what systeminformation, nvidia-smi and the amdgpu driver say of the same GPUs.
import type { AmdGpu } from './amdgpu';
import type { ControllerGpu } from './controllers';
import type { NvidiaAnswer } from './nvidiaQuery';
import type { GpuReading } from './types';

/** What each source says; `controllers` is systeminformation's list. */
export interface SourceAnswers {
  readonly controllers: readonly ControllerGpu[];
  readonly nvidia: NvidiaAnswer;
  readonly amd: readonly AmdGpu[];
}

/**
 * One reading a GPU. A driver's own figures go before systeminformation's, which leave out zeros and, on Windows,
 * give two equal cards the figures of the first. GPUs are ordered: NVIDIA by number, then the others by bus id.
 */
export function mergeReadings({ controllers, nvidia, amd }: SourceAnswers, readAt: string): GpuReading[] {
  const direct = [...nvidia.gpus, ...amd.map((gpu) => named(gpu, controllers))];
  const seen = new Set(direct.map((gpu) => gpu.busId));
  const others = controllers.filter((gpu) => {
    if (gpu.busId !== null) return !seen.has(gpu.busId);
    // Without an address, a card is one of those that its driver has listed already.
    if (gpu.vendor === 'nvidia') return !nvidia.answered || nvidia.gpus.length === 0;
    return gpu.vendor !== 'amd' || amd.length === 0;
  });
  const withoutStale = others.map((gpu) =>
    nvidia.answered && gpu.vendor === 'nvidia' ? withoutFigures(gpu) : gpu,
  );
  return [...direct, ...withoutStale].sort(inOrder).map((gpu) => ({ ...gpu, readAt }));
}

/** True where a GPU's figures in use can only be had from systeminformation, which then is asked each time. */
export function dependsOnControllers(gpus: readonly GpuReading[]): boolean {
  return gpus.some((gpu) => gpu.source === 'systeminformation' && gpu.memoryUsedBytes !== null);
}

/** sysfs rarely knows a product's name; lspci does. */
function named(gpu: AmdGpu, controllers: readonly ControllerGpu[]): AmdGpu {
  const known = controllers.find((controller) => controller.busId !== null && controller.busId === gpu.busId);
  return known !== undefined && gpu.name === 'AMD GPU' ? { ...gpu, name: known.name } : gpu;
}

/** A card that nvidia-smi no longer lists but that is still on the bus: earlier figures would be lies. */
function withoutFigures(gpu: ControllerGpu): ControllerGpu {
  return { ...gpu, memoryUsedBytes: null, memoryFreeBytes: null, utilisationPercent: null };
}

function inOrder(left: Omit<GpuReading, 'readAt'>, right: Omit<GpuReading, 'readAt'>): number {
  const rank = (gpu: Omit<GpuReading, 'readAt'>): number => gpu.index ?? Number.MAX_SAFE_INTEGER;
  return rank(left) - rank(right) || (left.busId ?? '~').localeCompare(right.busId ?? '~');
}
