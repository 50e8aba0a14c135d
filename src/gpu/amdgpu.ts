// AMD GPUs on Linux: the kernel driver tells memory and utilisation in files that anyone may read.
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { normaliseBusId } from './busId';
import type { GpuReading } from './types';

/** A GPU of the amdgpu driver. */
export type AmdGpu = Omit<GpuReading, 'readAt'> & { readonly vendor: 'amd'; readonly source: 'amdgpu' };

const amdVendorId = '0x1002';

/**
 * The GPUs under `drmFolder` (`/sys/class/drm`) that tell their memory. The kernel documents the files:
 * https://docs.kernel.org/gpu/amdgpu/driver-misc.html.
 */
export async function readAmdGpus(drmFolder: string | null): Promise<AmdGpu[]> {
  if (drmFolder === null) return [];
  const cards = (await namesIn(drmFolder)).filter((name) => /^card\d+$/.test(name)).sort();
  const gpus = await Promise.all(cards.map((card) => readCard(path.join(drmFolder, card, 'device'))));
  return gpus.filter((gpu) => gpu !== null);
}

async function readCard(device: string): Promise<AmdGpu | null> {
  const text = (file: string): Promise<string | null> => textOf(path.join(device, file));
  if ((await text('vendor')) !== amdVendorId) return null;
  const total = numberIn(await text('mem_info_vram_total'));
  if (total === null) return null;
  const used = numberIn(await text('mem_info_vram_used'));
  const busy = numberIn(await text('gpu_busy_percent'));
  const slot = /^PCI_SLOT_NAME=(\S+)$/m.exec((await text('uevent')) ?? '')?.[1] ?? '';
  const product = await text('product_name');
  return {
    name: product === null || product === '' ? 'AMD GPU' : product,
    vendor: 'amd',
    busId: normaliseBusId(slot),
    uuid: null,
    index: null,
    memoryTotalBytes: total,
    memoryUsedBytes: used,
    memoryFreeBytes: used === null ? null : Math.max(0, total - used),
    memoryReservedBytes: null,
    utilisationPercent: busy === null || busy > 100 ? null : busy,
    driver: 'amdgpu',
    mig: null,
    source: 'amdgpu',
  };
}

/** Names in a folder; none where there is no such folder (a container without graphics devices). */
async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(absent<string[]>([]));
}

/** A file's trimmed text; null where it is absent (other drivers and older cards lack some) or may not be read. */
async function textOf(file: string): Promise<string | null> {
  return readFile(file, 'utf8').then((text) => text.trim(), absent<string | null>(null));
}

/** Answers `value` for a file error, which here means "not told"; anything else is passed on. */
function absent<T>(value: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof Error && 'code' in error) return value;
    throw error;
  };
}

function numberIn(text: string | null): number | null {
  return text !== null && /^\d+$/.test(text) ? Number(text) : null;
}
