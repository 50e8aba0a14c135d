// What nvidia-smi says of whole GPUs, understood: the CSV of --query-gpu.
import { normaliseBusId } from './busId';
import { linesOf, mebibytes, numberOrNull } from './nvidiaText';
import type { GpuReading } from './types';

/** A GPU as --query-gpu tells it; `mig.instances` is filled from other answers (nvidiaMig). */
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

function wholeNumber(text: string): number | null {
  return /^\d+$/.test(text) ? Number(text) : null;
}

function percentage(text: string): number | null {
  const number = numberOrNull(text);
  return number === null || number > 100 ? null : number;
}

function textOrNull(text: string): string | null {
  return text === '' || /^\[.*\]$|^N\/A$/i.test(text) ? null : text;
}
