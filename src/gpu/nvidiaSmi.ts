// What nvidia-smi says, understood: the CSV of --query-gpu, the list of -L, MIG memory of -q -x, and its error messages.
import { normaliseBusId } from './busId';
import type { GpuProblem, GpuReading, MigInstance } from './types';

/** A GPU as --query-gpu tells it; `mig.instances` is filled from the other two answers. */
export type NvidiaGpu = Omit<GpuReading, 'readAt'> & {
  readonly vendor: 'nvidia';
  readonly source: 'nvidia-smi';
};

const everyDriver = [
  'index',
  'uuid',
  'pci.bus_id',
  'memory.total',
  'memory.used',
  'memory.free',
  'utilization.gpu',
  'driver_version',
];
/**
 * Field lists, the fullest first: drivers before R450 do not know `mig.mode.current`, those before R510 not
 * `memory.reserved`, and refuse the whole query. The name comes last because it alone may hold a comma.
 */
export const queryFieldLists: readonly (readonly string[])[] = [
  [...everyDriver, 'memory.reserved', 'mig.mode.current', 'name'],
  [...everyDriver, 'name'],
];

/** Arguments of nvidia-smi that ask for `fields` of every GPU. */
export function queryArguments(fields: readonly string[]): string[] {
  return [`--query-gpu=${fields.join(',')}`, '--format=csv,noheader,nounits'];
}

/** What one answer holds. `unreadLines` are lines that are no GPU: messages, or rubbish. */
export interface ParsedQuery {
  readonly gpus: NvidiaGpu[];
  readonly unreadLines: string[];
  /** True where the driver keeps a figure from this user. */
  readonly permissionMissing: boolean;
}

/** Understands the CSV that `queryArguments(fields)` asks for; memory there is in MiB. */
export function parseQuery(stdout: string, fields: readonly string[]): ParsedQuery {
  const gpus: NvidiaGpu[] = [];
  const unreadLines: string[] = [];
  for (const line of linesOf(stdout)) {
    const gpu = parseGpu(line, fields);
    if (gpu === null) unreadLines.push(line);
    else gpus.push(gpu);
  }
  return { gpus, unreadLines, permissionMissing: /\[Insufficient Permissions\]/i.test(stdout) };
}

function parseGpu(line: string, fields: readonly string[]): NvidiaGpu | null {
  const cells = line.split(',').map((cell) => cell.trim());
  if (cells.length < fields.length) return null;
  const cell = (field: string): string => cells[fields.indexOf(field)] ?? '';
  const index = wholeNumber(cell('index'));
  const busId = normaliseBusId(cell('pci.bus_id'));
  const name = cells.slice(fields.indexOf('name')).join(', ');
  if (index === null || busId === null || name === '') return null;
  const mig = fields.includes('mig.mode.current') ? cell('mig.mode.current').toLowerCase() : '';
  return {
    name,
    vendor: 'nvidia',
    busId,
    uuid: textOrNull(cell('uuid')),
    index,
    memoryTotalBytes: mebibytes(cell('memory.total')),
    memoryUsedBytes: mebibytes(cell('memory.used')),
    memoryFreeBytes: mebibytes(cell('memory.free')),
    memoryReservedBytes: fields.includes('memory.reserved') ? mebibytes(cell('memory.reserved')) : null,
    utilisationPercent: percentage(cell('utilization.gpu')),
    driver: textOrNull(cell('driver_version')),
    mig: mig === 'enabled' || mig === 'disabled' ? { enabled: mig === 'enabled', instances: [] } : null,
    source: 'nvidia-smi',
  };
}

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

/** True where nvidia-smi refuses a field that this driver does not know. */
export function refusesField(said: string): boolean {
  return /is not a valid field to query/i.test(said);
}

/** True where nvidia-smi works and there simply is no GPU. */
export function saysNoDevices(said: string): boolean {
  return /No devices were found/i.test(said);
}

/** Says what nvidia-smi's own message means; `said` is its stdout and stderr, `code` its exit code. */
export function problemOf(said: string, code: number | null): GpuProblem {
  const firstLine = linesOf(said)[0]?.slice(0, 300) ?? '';
  if (/Driver\/library version mismatch/i.test(said)) {
    const library = /NVML library version:\s*([\d.]+)/i.exec(said)?.[1];
    const version = library === undefined ? '' : ` (library ${library})`;
    return {
      kind: 'driverMismatch',
      message:
        `The NVIDIA driver was updated${version} while the old one is still loaded, so the GPU cannot be used: ` +
        'restart the computer (nvidia-smi: Driver/library version mismatch).',
    };
  }
  if (/couldn't communicate with the NVIDIA driver/i.test(said)) {
    return {
      kind: 'driverNotRunning',
      message:
        'nvidia-smi is installed, but the NVIDIA driver is not running: install or load the driver, then try again.',
    };
  }
  if (/Insufficient Permissions/i.test(said)) {
    return { kind: 'noPermission', message: permissionMessage };
  }
  if (/GPU is lost|Unable to determine the device handle|fallen off the bus/i.test(said)) {
    return {
      kind: 'gpuLost',
      message: `A GPU does not answer any more; restarting the computer usually brings it back (nvidia-smi: ${firstLine}).`,
    };
  }
  if (firstLine === '') {
    return { kind: 'toolFailed', message: `nvidia-smi said nothing (exit code ${code ?? 'none'}).` };
  }
  return code === 0
    ? {
        kind: 'unreadable',
        message: `nvidia-smi answered something that is not a list of GPUs: ${firstLine}`,
      }
    : { kind: 'toolFailed', message: `nvidia-smi failed (exit code ${code ?? 'none'}): ${firstLine}` };
}

/** Said where the driver keeps figures from this user. */
export const permissionMessage =
  'The NVIDIA driver keeps some figures from this user (nvidia-smi: Insufficient Permissions); they are shown as unknown.';

function linesOf(text: string): string[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

/** Null for `[N/A]`, `[Not Supported]`, `[Insufficient Permissions]`, `[Unknown Error]`, ...; zero stays zero. */
function numberOrNull(text: string): number | null {
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) : null;
}

function wholeNumber(text: string): number | null {
  return /^\d+$/.test(text) ? Number(text) : null;
}

function mebibytes(text: string): number | null {
  const number = numberOrNull(text);
  return number === null ? null : number * 1024 * 1024;
}

function percentage(text: string): number | null {
  const number = numberOrNull(text);
  return number === null || number > 100 ? null : number;
}

function textOrNull(text: string): string | null {
  return text === '' || /^\[.*\]$|^N\/A$/i.test(text) ? null : text;
}
