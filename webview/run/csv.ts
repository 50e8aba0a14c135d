// A run's whole history as CSV: one row for each update, the figures of an epoch in the row of its last update.
import type { RunHistory } from '../chart/runHistory';

export interface Csv {
  readonly text: string;
  /** Each how many updates have a row: more than 1 where all would be too long to copy. */
  readonly every: number;
}

/** The CSV, with at most `limit` characters. */
export function runCsv(history: RunHistory, limit: number): Csv {
  let every = 1;
  let text = csvOf(history, every, limit);
  while (text === null) {
    every *= 2;
    text = csvOf(history, every, limit);
  }
  return { text, every };
}

/** Null where it gets too long. */
function csvOf(history: RunHistory, every: number, limit: number): string | null {
  const columns = [
    ['loss', history.loss],
    ['memory_bytes', history.memoryBytes],
    ['examples_per_second', history.examplesPerSecond],
    ...history.metrics,
  ] as const;
  const figures = [...new Set(history.epochs.flatMap(({ logs }) => Object.keys(logs)))];
  const names = [
    'update',
    'epoch',
    'time_ms',
    ...columns.map(([name]) => name),
    ...figures.map((name) => `epoch_${name}`),
  ];
  const rows = [names.map(quoted).join(',')];
  const length = Math.max(history.length, ...history.epochs.map(({ point }) => point));
  const epochOf = new Map(history.epochs.map((epoch) => [Math.max(0, epoch.point - 1), epoch]));
  let characters = rows[0]?.length ?? 0;
  for (let point = 0; point < length; point++) {
    const epoch = epochOf.get(point);
    if (point % every !== 0 && epoch === undefined) continue;
    const row = [
      point + 1,
      history.epochAt(point) ?? '',
      cell(history.timeMs.at(point)),
      ...columns.map(([, column]) => cell(column.at(point))),
      ...figures.map((name) => cell(epoch?.logs[name] ?? NaN)),
    ].join(',');
    characters += row.length + 1;
    // With a row for each epoch's end alone there is nothing left to leave out but the epochs.
    if (characters > limit) {
      if (every < length) return null;
      break;
    }
    rows.push(row);
  }
  return `${rows.join('\n')}\n`;
}

function cell(value: number): string {
  return Number.isNaN(value) ? '' : String(value);
}

function quoted(name: string): string {
  return /[",\r\n]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name;
}
