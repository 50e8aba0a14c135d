// What nvidia-smi says of MIG instances, understood: the list of -L, and their memory in the XML of -q -x.
import { normaliseBusId } from './busId';
import type { NvidiaGpu } from './nvidiaSmi';
import { linesOf, mebibytes } from './nvidiaText';
import type { MigInstance } from './types';

/** A MIG instance as `nvidia-smi -L` lists it. */
export interface ListedInstance {
  readonly gpuUuid: string;
  /** Number of the instance within its GPU. */
  readonly device: number;
  readonly name: string;
  readonly uuid: string;
}

/** Understands `nvidia-smi -L`; whole GPUs without instances give nothing. */
export function parseMigList(stdout: string): ListedInstance[] {
  const instances: ListedInstance[] = [];
  let gpuUuid: string | null = null;
  for (const line of linesOf(stdout)) {
    const gpu = /^GPU\s+\d+:.*\(UUID:\s*([^)\s]+)\)/.exec(line);
    if (gpu?.[1] !== undefined) gpuUuid = gpu[1];
    const instance = /^MIG\s+(\S+)\s+Device\s+(\d+):\s*\(UUID:\s*([^)\s]+)\)/.exec(line);
    if (instance === null || gpuUuid === null) continue;
    const [, name = '', device = '', uuid = ''] = instance;
    instances.push({ gpuUuid, device: Number(device), name, uuid });
  }
  return instances;
}

/** Memory of one MIG instance in bytes. */
export type MigMemory = Pick<MigInstance, 'memoryTotalBytes' | 'memoryUsedBytes' | 'memoryFreeBytes'>;

/**
 * Memory of each MIG instance from `nvidia-smi -q -x`, by bus id and number of the instance (`busId#device`).
 * The query fields of --query-gpu tell only of whole GPUs.
 */
export function parseMigMemory(xml: string): Map<string, MigMemory> {
  const memory = new Map<string, MigMemory>();
  for (const [, id = '', gpu = ''] of xml.matchAll(/<gpu id="([^"]+)">([\s\S]*?)<\/gpu>/g)) {
    const busId = normaliseBusId(id);
    if (busId === null) continue;
    for (const [, instance = ''] of gpu.matchAll(/<mig_device>([\s\S]*?)<\/mig_device>/g)) {
      const device = /<index>\s*(\d+)\s*<\/index>/.exec(instance)?.[1];
      const framebuffer = /<fb_memory_usage>([\s\S]*?)<\/fb_memory_usage>/.exec(instance)?.[1];
      if (device === undefined || framebuffer === undefined) continue;
      const figure = (tag: string): number | null => {
        const text = new RegExp(`<${tag}>\\s*([^<]*?)\\s*MiB\\s*</${tag}>`).exec(framebuffer)?.[1];
        return text === undefined ? null : mebibytes(text);
      };
      memory.set(`${busId}#${device}`, {
        memoryTotalBytes: figure('total'),
        memoryUsedBytes: figure('used'),
        memoryFreeBytes: figure('free'),
      });
    }
  }
  return memory;
}

/** Adds to each GPU its MIG instances, with their memory where it is told. */
export function withInstances(
  gpus: readonly NvidiaGpu[],
  listed: readonly ListedInstance[],
  memory: ReadonlyMap<string, MigMemory>,
): NvidiaGpu[] {
  const unknown: MigMemory = { memoryTotalBytes: null, memoryUsedBytes: null, memoryFreeBytes: null };
  return gpus.map((gpu) => {
    if (gpu.mig?.enabled !== true) return gpu;
    const instances = listed
      .filter((instance) => instance.gpuUuid === gpu.uuid)
      .map(({ name, uuid, device }) => ({
        name,
        uuid,
        ...(memory.get(`${gpu.busId}#${device}`) ?? unknown),
      }));
    return { ...gpu, mig: { enabled: true, instances } };
  });
}
