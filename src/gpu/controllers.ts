// The graphics controllers that systeminformation tells of, reduced to what a reading needs.
import * as z from 'zod';
import { normaliseBusId } from './busId';
import type { GpuReading } from './types';

const optionalText = z.string().nullish();
const optionalNumber = z.number().nullish();

/** `systeminformation.graphics()`: null on BSD and Solaris; sizes are in MiB. */
export const graphicsData = z
  .looseObject({
    controllers: z.array(
      z.looseObject({
        vendor: optionalText,
        model: optionalText,
        name: optionalText,
        busAddress: optionalText,
        pciBus: optionalText,
        vram: optionalNumber,
        vramDynamic: z.boolean().nullish(),
        memoryTotal: optionalNumber,
        memoryUsed: optionalNumber,
        memoryFree: optionalNumber,
        utilizationGpu: optionalNumber,
        driverVersion: optionalText,
      }),
    ),
  })
  .nullable();
export type GraphicsData = z.infer<typeof graphicsData>;
type Controller = NonNullable<GraphicsData>['controllers'][number];

/** A GPU as systeminformation tells it. */
export type ControllerGpu = Omit<GpuReading, 'readAt'> & { readonly source: 'systeminformation' };

/** Chips and adapters that only put a picture on a screen: servers' management controllers, virtual machines' displays. */
const displayOnly =
  /aspeed|matrox|cirrus|vmware|virtio|qemu|red hat|bochs|hyper-v|microsoft|amazon\.com|virtualbox|innotek|parallels|citrix|silicon motion|displaylink|virtual display|remote display|parsec|idd/i;

/** AdapterRAM of Windows is 32 bits wide: this value (in MiB) stands for "4 GiB or more". */
const windowsLargestAdapterRam = 4095;

/** The GPUs among the controllers, with what is known of their memory. */
export function gpusOfControllers(data: GraphicsData, platform: NodeJS.Platform): ControllerGpu[] {
  return (data?.controllers ?? [])
    .filter((controller) => !displayOnly.test(`${controller.vendor ?? ''} ${controller.model ?? ''}`))
    .filter((controller) => nameOf(controller) !== '')
    .map((controller) => gpuOf(controller, platform));
}

function gpuOf(controller: Controller, platform: NodeJS.Platform): ControllerGpu {
  const total = controller.memoryTotal ?? sizeOnBoard(controller, platform);
  return {
    name: nameOf(controller),
    vendor: vendorOf(controller),
    busId: normaliseBusId(controller.pciBus ?? '') ?? normaliseBusId(controller.busAddress ?? ''),
    uuid: null,
    index: null,
    memoryTotalBytes: mebibytes(total),
    // systeminformation leaves a zero out, so nothing here is unknown, never zero; nvidia-smi is asked for the rest.
    memoryUsedBytes: mebibytes(controller.memoryUsed),
    memoryFreeBytes: mebibytes(controller.memoryFree),
    memoryReservedBytes: null,
    utilisationPercent: percentage(controller.utilizationGpu),
    driver:
      controller.driverVersion === undefined || controller.driverVersion === ''
        ? null
        : controller.driverVersion,
    mig: null,
    source: 'systeminformation',
  };
}

/**
 * Memory on the board as the system tells it, in MiB, or null. On Linux it is the largest address window of the
 * card, which may be far smaller or larger than its memory; memory shared with the processor is not the GPU's own.
 */
function sizeOnBoard(controller: Controller, platform: NodeJS.Platform): number | null {
  if (platform === 'linux' || controller.vramDynamic === true) return null;
  const { vram } = controller;
  if (vram === null || vram === undefined || vram <= 0) return null;
  return platform === 'win32' && vram === windowsLargestAdapterRam ? null : vram;
}

function nameOf(controller: Controller): string {
  const model = (controller.name ?? controller.model ?? '').replace(/\s*\(rev [0-9a-f]+\)\s*$/i, '').trim();
  if (model === '') return '';
  const vendor = shortVendor[vendorOf(controller)];
  return vendor === '' || model.toLowerCase().includes(vendor.toLowerCase()) ? model : `${vendor} ${model}`;
}

const shortVendor = { nvidia: 'NVIDIA', amd: 'AMD', intel: 'Intel', apple: 'Apple', other: '' } as const;

function vendorOf(controller: Controller): GpuReading['vendor'] {
  const text = `${controller.vendor ?? ''} ${controller.model ?? ''}`;
  if (/nvidia/i.test(text)) return 'nvidia';
  if (/\bamd\b|advanced micro devices|\bati\b|radeon/i.test(text)) return 'amd';
  if (/intel/i.test(text)) return 'intel';
  return /apple/i.test(text) ? 'apple' : 'other';
}

function mebibytes(size: number | null | undefined): number | null {
  return size === null || size === undefined || !Number.isFinite(size) || size < 0
    ? null
    : size * 1024 * 1024;
}

function percentage(value: number | null | undefined): number | null {
  return value === null || value === undefined || !(value >= 0 && value <= 100) ? null : value;
}
