// What `gpu` shows to people, as lines: a table of GPUs and the machine's memory, as wide as there is room for.
import { shownLine } from '../planning/shownText';
import { formatBytes } from '../planning/units';
import type { DeviceReading, GpuReading, MigInstance } from '../gpu/types';
import { textWidth, wrapText } from './fitLine';
import type { Colors } from './style';

export interface TableStyle {
  /** Columns that there are; nothing is wider. */
  readonly columns: number;
  readonly colors: Colors;
}

interface Row {
  readonly cells: Readonly<Record<Column, string>>;
  /** Little memory is left: under 5 % of the whole. */
  readonly isLow: boolean;
}

const titles = {
  index: 'GPU',
  name: 'Name',
  busId: 'Bus id',
  used: 'Used',
  free: 'Free',
  total: 'Total',
  load: 'Load',
  driver: 'Driver',
} as const;
type Column = keyof typeof titles;
const rightAligned: readonly Column[] = ['used', 'free', 'total', 'load'];

/** The most telling layout that fits is taken. */
const layouts: readonly (readonly Column[])[] = [
  ['index', 'name', 'busId', 'used', 'free', 'total', 'load', 'driver'],
  ['index', 'name', 'busId', 'used', 'free', 'total', 'load'],
  ['index', 'name', 'used', 'free', 'total', 'load'],
  ['index', 'name', 'used', 'free', 'total'],
];

const unknown = '–';
const gap = '  ';

/** The lines of one reading, none wider than `columns`. What is not known is a dash, never a zero. */
export function renderGpuTable(reading: DeviceReading, style: TableStyle): string[] {
  const rows = reading.gpus.flatMap((gpu) => [rowOf(gpu), ...(gpu.mig?.instances ?? []).map(instanceRow)]);
  const problems = reading.problems.flatMap((problem) => wrapped(shownLine(problem.message), style.columns));
  return [
    ...gpuLines(rows, reading, style),
    ...problems,
    ...wrapped(systemMemoryLine(reading), style.columns),
  ];
}

function gpuLines(rows: readonly Row[], reading: DeviceReading, style: TableStyle): string[] {
  if (rows.length === 0) {
    const text =
      reading.problems.length === 0 ? 'No GPU was found on this machine.' : 'No GPU could be read.';
    return wrapped(text, style.columns);
  }
  const layout = layouts.find((columns) => widthOf(columns, rows) <= style.columns);
  return layout === undefined ? stacked(rows, style) : table(layout, rows, style);
}

function table(layout: readonly Column[], rows: readonly Row[], style: TableStyle): string[] {
  const { colors } = style;
  const line = (cell: (column: Column) => string): string =>
    layout
      .map((column) => {
        const width = widthOfColumn(column, rows);
        return rightAligned.includes(column) ? cell(column).padStart(width) : cell(column).padEnd(width);
      })
      .join(gap)
      .trimEnd();
  return [
    colors.dim(line((column) => titles[column])),
    ...rows.map((row) => {
      const text = line((column) => row.cells[column]);
      return row.isLow ? colors.yellow(text) : text;
    }),
  ];
}

/** For a terminal in which no table fits: a few short lines a GPU. */
function stacked(rows: readonly Row[], style: TableStyle): string[] {
  return rows.flatMap(({ cells }) => {
    const title = cells.index === '' ? cells.name : `GPU ${cells.index}: ${cells.name}`;
    return [
      ...wrapped(title, style.columns),
      ...wrapped(`${cells.used} used, ${cells.free} free, ${cells.total} total`, style.columns),
    ];
  });
}

function rowOf(gpu: GpuReading): Row {
  return {
    isLow: isLow(gpu),
    cells: {
      index: gpu.index === null ? unknown : String(gpu.index),
      name: shownLine(gpu.name),
      busId: gpu.busId ?? unknown,
      ...memoryCells(gpu),
      load: gpu.utilisationPercent === null ? unknown : `${Math.round(gpu.utilisationPercent)} %`,
      driver: shownLine(gpu.driver ?? unknown),
    },
  };
}

function instanceRow(instance: MigInstance): Row {
  return {
    isLow: isLow(instance),
    cells: {
      index: '',
      name: `MIG ${shownLine(instance.name)}`,
      busId: '',
      ...memoryCells(instance),
      load: '',
      driver: '',
    },
  };
}

type Memory = Pick<MigInstance, 'memoryTotalBytes' | 'memoryUsedBytes' | 'memoryFreeBytes'>;

function memoryCells(memory: Memory): Record<'used' | 'free' | 'total', string> {
  const size = (bytes: number | null): string => (bytes === null ? unknown : formatBytes(bytes));
  return {
    used: size(memory.memoryUsedBytes),
    free: size(memory.memoryFreeBytes),
    total: size(memory.memoryTotalBytes),
  };
}

function isLow({ memoryFreeBytes, memoryTotalBytes }: Memory): boolean {
  return memoryFreeBytes !== null && memoryTotalBytes !== null && memoryFreeBytes < 0.05 * memoryTotalBytes;
}

function systemMemoryLine({ systemMemory }: DeviceReading): string {
  const { usedBytes, totalBytes, availableBytes, limitedBy } = systemMemory;
  const whose = limitedBy === 'cgroup' ? 'System memory (limit of this container)' : 'System memory';
  return `${whose}: ${formatBytes(usedBytes)} of ${formatBytes(totalBytes)} used, ${formatBytes(availableBytes)} available.`;
}

function widthOfColumn(column: Column, rows: readonly Row[]): number {
  return Math.max(titles[column].length, ...rows.map((row) => row.cells[column].length));
}

function widthOf(columns: readonly Column[], rows: readonly Row[]): number {
  const widths = columns.map((column) => widthOfColumn(column, rows));
  return widths.reduce((sum, width) => sum + width, 0) + gap.length * (columns.length - 1);
}

/** Breaks between words; a word that is wider than the terminal is cut into pieces. */
function wrapped(text: string, columns: number): string[] {
  return wrapText(text, columns).flatMap((line) => {
    if (textWidth(line) <= columns) return [line];
    const pieces: string[] = [];
    for (let at = 0; at < line.length; at += columns) pieces.push(line.slice(at, at + columns));
    return pieces;
  });
}
