// What the status bar says of GPUs, as text: pure, so that every case of it can be tested.
import {
  chooseDevice,
  deviceMemory,
  findDevice,
  NoSuchDeviceError,
  type SelectedDevice,
} from '../gpu/select';
import type { DeviceReading, GpuReading } from '../gpu/types';
import { formatBytes } from '../planning/units';

/** Translates a text with `{0}` places, as `vscode.l10n.t` does. */
export type Translate = (text: string, ...values: (string | number)[]) => string;

export interface GpuStatus {
  /** Without an icon: `3.2/8.0 GB`. */
  readonly text: string;
  /** For screen readers. */
  readonly label: string;
  /** Less than the given part of the memory is free. */
  readonly isLow: boolean;
  /** False: the computer's memory is shown. */
  readonly isGpu: boolean;
  readonly usedBytes: number | null;
  readonly totalBytes: number | null;
}

/** The GPU that is shown: the chosen one, else the one that a plan would take, else the first with known memory. */
export function shownGpu(
  reading: DeviceReading,
  wanted: string,
  environment: Readonly<NodeJS.ProcessEnv>,
): SelectedDevice | null {
  if (wanted !== '') {
    try {
      return findDevice(reading.gpus, wanted);
    } catch (error) {
      if (!(error instanceof NoSuchDeviceError)) throw error;
    }
  }
  const planned = chooseDevice(reading.gpus, environment);
  if (planned !== null) return planned;
  const known = reading.gpus.find((gpu) => gpu.memoryTotalBytes !== null && gpu.memoryUsedBytes !== null);
  return known === undefined ? null : { gpu: known, instance: null };
}

/** Used and total in one unit, the total's: `3.2/8.0 GB`. */
export function usedOfTotal(usedBytes: number, totalBytes: number): string {
  const unit = totalBytes >= 2 ** 30 ? { bytes: 2 ** 30, name: 'GB' } : { bytes: 2 ** 20, name: 'MB' };
  const amount = (bytes: number): string => {
    const value = bytes / unit.bytes;
    return value.toFixed(value < 100 && unit.name === 'GB' ? 1 : 0);
  };
  return `${amount(usedBytes)}/${amount(totalBytes)} ${unit.name}`;
}

/** What to show of a reading; null: nothing (no GPU, and the computer's memory is not wanted). */
export function gpuStatus(
  reading: DeviceReading,
  shown: SelectedDevice | null,
  options: { readonly systemMemory: boolean; readonly lowMemoryPercent: number; readonly t: Translate },
): GpuStatus | null {
  const { t } = options;
  const low = (freeBytes: number | null, totalBytes: number): boolean =>
    freeBytes !== null && freeBytes < (totalBytes * options.lowMemoryPercent) / 100;
  if (shown === null) {
    // A GPU that stopped answering is worth a sign; a computer without one is not.
    if (reading.gpus.length > 0 || (reading.problems.length > 0 && !options.systemMemory)) {
      return { text: t('GPU —'), label: t('GPU memory unknown'), ...unknown };
    }
    if (!options.systemMemory) return null;
    const { usedBytes, totalBytes, availableBytes } = reading.systemMemory;
    const text = usedOfTotal(usedBytes, totalBytes);
    return {
      text: t('RAM {0}', text),
      label: t("The computer's memory: {0} used", text),
      isLow: low(availableBytes, totalBytes),
      isGpu: false,
      usedBytes,
      totalBytes,
    };
  }
  const { totalBytes, freeBytes } = deviceMemory(shown);
  const usedBytes = (shown.instance ?? shown.gpu).memoryUsedBytes;
  const several = reading.gpus.length > 1 && shown.gpu.index !== null;
  const name = several ? t('GPU {0}: ', shown.gpu.index ?? 0) : '';
  if (totalBytes === null || usedBytes === null) {
    return { text: `${name}—`, label: t('{0}: memory unknown', shown.gpu.name), ...unknown };
  }
  const text = usedOfTotal(usedBytes, totalBytes);
  return {
    text: `${name}${text}`,
    label: t('{0} memory: {1} used', shown.gpu.name, text),
    isLow: low(freeBytes, totalBytes),
    isGpu: true,
    usedBytes,
    totalBytes,
  };
}

const unknown = { isLow: false, isGpu: true, usedBytes: null, totalBytes: null };

/** The hover sets columns close together: no-break spaces keep them apart. */
const gap = '\u00a0\u00a0';

/** The tooltip's table, in Markdown; what is not text of ours is escaped. */
export function gpuTable(
  reading: DeviceReading,
  shown: SelectedDevice | null,
  options: { readonly t: Translate; readonly time: string; readonly host: string | null },
): string {
  const { t } = options;
  const bytes = (value: number | null): string => (value === null ? '—' : formatBytes(value));
  const lines: string[] = [];
  if (reading.gpus.length > 0) {
    lines.push(
      `| | ${[t('GPU'), t('Bus'), t('Used'), t('Free'), t('Total'), t('Busy')].join(` | ${gap}`)} |`,
      '|:-:|:--|:--|--:|--:|--:|--:|',
      ...reading.gpus.map((gpu) => {
        const isShown = shown?.gpu === gpu;
        const busy = gpu.utilisationPercent === null ? '—' : `${Math.round(gpu.utilisationPercent)} %`;
        const cells = [
          bytes(gpu.memoryUsedBytes),
          bytes(gpu.memoryFreeBytes),
          bytes(gpu.memoryTotalBytes),
          busy,
        ];
        return `| ${isShown ? '$(check)' : ''} | ${[gpuName(gpu), gpu.busId ?? '—', ...cells].join(` | ${gap}`)} |`;
      }),
      '',
      ...reading.gpus.flatMap(migLines),
    );
  }
  const { usedBytes, availableBytes, totalBytes, limitedBy } = reading.systemMemory;
  lines.push(
    t(
      limitedBy === 'cgroup'
        ? "The container's memory: {0} used, {1} free of {2}"
        : "The computer's memory: {0} used, {1} free of {2}",
      formatBytes(usedBytes),
      formatBytes(availableBytes),
      formatBytes(totalBytes),
    ),
    '',
  );
  for (const { message } of reading.problems) lines.push(`$(warning) ${escapeMarkdown(message)}`, '');
  lines.push(
    options.host === null
      ? t('Read at {0}', options.time)
      : t('Read at {0} on {1}', options.time, escapeMarkdown(options.host)),
  );
  return lines.join('\n');
}

function gpuName(gpu: GpuReading): string {
  const number = gpu.index === null ? '' : `${gpu.index}: `;
  return `${number}${escapeMarkdown(gpu.name)}`;
}

function migLines(gpu: GpuReading): string[] {
  return (gpu.mig?.instances ?? []).flatMap(({ name, memoryUsedBytes, memoryTotalBytes }) => {
    const memory =
      memoryUsedBytes === null || memoryTotalBytes === null
        ? '—'
        : usedOfTotal(memoryUsedBytes, memoryTotalBytes);
    return [`MIG ${escapeMarkdown(name)}: ${memory}`, ''];
  });
}

/** Names come from drivers: nothing in them may become a link or a table cell. */
export function escapeMarkdown(text: string): string {
  return text.replace(/[\\`*_{}[\]()#+\-.!|<>~$&]/g, '\\$&').replace(/\s+/g, ' ');
}
