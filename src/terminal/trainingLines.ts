// The lines that a training is told in: the progress line, and the line that is kept of each epoch.
import { shownLine } from '../planning/shownText';
import { formatBytes, formatCount, formatDuration } from '../planning/units';
import type { RunEvent } from '../protocol/runEvents';
import { fitLine, type LinePart } from './fitLine';
import type { Colors } from './style';
import type { TrainingProgress } from '../supervise/runs/trainingProgress';

type EpochEvent = Extract<RunEvent, { type: 'epoch' }>;

/**
 * The progress line: as much of it as fits `columns`.
 * @param isDrawn the line is redrawn; one that stays, in a log, has no bar and nothing else that is on the move
 */
export function progressLine(
  progress: TrainingProgress,
  columns: number,
  colors: Colors,
  isDrawn = true,
): string {
  const { last, call, replay } = progress;
  if (replay !== null) {
    const text = `going over what is done, without computing it: update ${ofTotal(replay.done, replay.of)}`;
    return fitLine([{ rank: 0, text }], columns);
  }
  if (!call) {
    const parts = ['starting', 'loading TensorFlow.js and the script'];
    return fitLine(
      parts.map((text, rank) => ({ rank, text })),
      columns,
      ': ',
    );
  }
  const rate = progress.examplesPerSecond;
  const left = progress.leftMs;
  const metrics = Object.entries(last?.metrics ?? {});
  const parts: LinePart[] = [
    { rank: 0, text: colors.bold(epochText(progress)) },
    { rank: 3, text: isDrawn ? bar(progress, columns, colors) : '' },
    { rank: 1, text: updateText(progress) },
    { rank: 6, text: isDrawn ? microbatchText(progress) : '' },
    { rank: 1.5, text: last ? `loss ${figure(last.loss)}` : '' },
    ...metrics.map(([name, value], i) => ({ rank: 7 + i, text: `${shownLine(name)} ${figure(value)}` })),
    { rank: 4, text: rate === null ? '' : `${formatCount(rate)} examples/s` },
    { rank: 2, text: left === null ? '' : `${formatDuration(Math.max(left, 1000))} left` },
    { rank: 5, text: last?.memoryBytes ? formatBytes(last.memoryBytes) : '' },
    { rank: 0, text: progress.isPaused ? colors.yellow('paused') : '' },
  ];
  return fitLine(parts, columns);
}

/** The line that stays of an epoch. */
export function epochLine(
  event: EpochEvent,
  progress: TrainingProgress,
  columns: number,
  colors: Colors,
): string {
  const logs = Object.entries(event.logs);
  const order = (name: string): number => (name === 'loss' ? 0 : name === 'val_loss' ? 1 : 2);
  // Each metric beside its validation.
  const key = (name: string): string => `${order(name)} ${name.replace(/^val_/, '')} ${name}`;
  logs.sort(([a], [b]) => (key(a) < key(b) ? -1 : 1));
  const rate = progress.examplesPerSecond;
  return fitLine(
    [
      {
        rank: 0,
        text: colors.bold(`${callText(progress)}epoch ${ofTotal(event.epoch + 1, progress.epochs)}`),
      },
      ...logs.map(([name, value], i) => ({
        rank: 1 + order(name) + i / 100,
        text: `${shownLine(name)} ${figure(value)}`,
      })),
      { rank: 4, text: formatDuration(event.ms) },
      { rank: 5, text: rate === null ? '' : `${formatCount(rate)} examples/s` },
    ],
    columns,
  );
}

/** A loss or metric with four telling digits; what is not a number says so. */
export function figure(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return 'NaN';
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e5)) return value.toExponential(2);
  return value.toFixed(size < 10 ? 4 : size < 1000 ? 2 : 0);
}

function epochText(progress: TrainingProgress): string {
  if (progress.call?.method === 'trainOnBatch') return `${shownLine(progress.call.modelName)}, trainOnBatch`;
  const { epochs } = progress;
  const epoch = epochs === null ? progress.epoch + 1 : Math.min(progress.epoch + 1, epochs);
  return `${callText(progress)}epoch ${ofTotal(epoch, epochs)}`;
}

/** Which call it is, in a script that makes several. */
function callText({ call }: TrainingProgress): string {
  return call && call.call > 0 ? `${call.method} ${call.call + 1}, ` : '';
}

function updateText(progress: TrainingProgress): string {
  const { updatesPerEpoch } = progress;
  const done = progress.call?.method === 'trainOnBatch' ? progress.updates : progress.updateOfEpoch;
  return `update ${ofTotal(done, updatesPerEpoch)}`;
}

function microbatchText({ microbatch }: TrainingProgress): string {
  return microbatch && microbatch.of > 1 ? `microbatch ${ofTotal(microbatch.done + 1, microbatch.of)}` : '';
}

function ofTotal(done: number, total: number | null): string {
  return total === null ? formatCount(done) : `${formatCount(done)}/${formatCount(total)}`;
}

/** The epoch as a bar, in eighths of a character; none where it is not known how long an epoch is. */
function bar(progress: TrainingProgress, columns: number, colors: Colors): string {
  const { updatesPerEpoch, updateOfEpoch, microbatch } = progress;
  if (updatesPerEpoch === null || updatesPerEpoch === 0) return '';
  const width = Math.min(24, Math.max(8, Math.floor(columns / 8)));
  const part = microbatch ? microbatch.done / microbatch.of : 0;
  const share = Math.min(1, (updateOfEpoch + part) / updatesPerEpoch);
  const eighths = Math.round(share * width * 8);
  const partial = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'][eighths % 8] ?? '';
  const full = '█'.repeat(Math.floor(eighths / 8)) + partial;
  return colors.cyan(full) + colors.dim('░'.repeat(width - full.length));
}
