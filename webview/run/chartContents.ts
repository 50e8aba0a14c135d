// What the charts of a run show: which lines, made from which columns of its history and of the run beside it.
import type { RunView } from '../../src/protocol/page';
import { formatBytes, formatCount, formatDuration } from '../../src/planning/units';
import type { Column } from '../chart/column';
import type { ChartAxis, ChartContent, ChartSeries } from '../chart/content';
import { drawnLine, drawnMean, drawnPoints, firstAtOrAfter, reachOf } from '../chart/grid';
import { formatFigure, formatShort } from '../chart/numbers';
import type { EpochFigures, RunHistory } from '../chart/runHistory';
import type { ChartColor } from '../chart/theme';
import { Summary } from '../chart/column';
import type { Translate } from '../l10n';

/** The histories that charts are made from; `other` is of the run that is drawn beside the shown one. */
export interface Shown {
  readonly own: RunHistory;
  readonly other: RunHistory | null;
}

const figureAxis: ChartAxis = { format: formatShort, steps: null, fromZero: null, tell: formatFigure };

const memorySteps = Array.from({ length: 5 }, (_, unit) => 1024 ** unit).flatMap((unit) =>
  [1, 2, 4, 8, 16, 32, 64, 128, 256, 512].map((count) => count * unit),
);
const memoryAxis: ChartAxis = {
  format: (bytes) => (bytes === 0 ? '0' : formatBytes(bytes).replace(/\.0 /, ' ')),
  steps: memorySteps,
  fromZero: 1.1,
  tell: formatBytes,
};

const lines = {
  training: { color: 'blue', dash: [] },
  validation: { color: 'purple', dash: [6, 4] },
  otherTraining: { color: 'orange', dash: [2, 3] },
  otherValidation: { color: 'green', dash: [8, 3, 2, 3] },
} as const satisfies Record<string, { color: ChartColor; dash: readonly number[] }>;

interface LineLook {
  readonly color: ChartColor;
  readonly dash: readonly number[];
}

/** The loss, or another figure: per update where it is known so, and per epoch. `name` null: the loss. */
export function figureContent(
  shown: Shown,
  run: RunView,
  name: string | null,
  look: { readonly isLog: boolean; readonly isSmooth: boolean },
  t: Translate,
): ChartContent {
  const own = figureSeries(shown.own, name, look.isSmooth, lines.training, lines.validation, [
    t('training'),
    t('training, smoothed'),
    t('validation'),
  ]);
  const other =
    shown.other === null
      ? []
      : figureSeries(shown.other, name, look.isSmooth, lines.otherTraining, lines.otherValidation, [
          t('training (other run)'),
          t('training, smoothed (other run)'),
          t('validation (other run)'),
        ]);
  return {
    ...common(shown, run, t),
    series: [...other, ...own],
    legend: [...own, ...other],
    isLog: look.isLog,
    left: figureAxis,
    right: null,
    level: null,
    marks: [],
  };
}

/** A figure of one run; `labels`: of training, its mean, and validation. */
function figureSeries(
  history: RunHistory,
  name: string | null,
  isSmooth: boolean,
  training: LineLook,
  validation: LineLook,
  [trainingLabel, meanLabel, validationLabel]: readonly [string, string, string],
): ChartSeries[] {
  const figure = name ?? 'loss';
  const series: ChartSeries[] = [];
  const updates = name === null ? history.loss : history.metrics.get(name);
  const epochs = history.epochFigures(figure);
  if (updates !== undefined && hasValues(updates)) {
    series.push(lineSeries(updates, trainingLabel, training, isSmooth));
    if (isSmooth) series.push(meanSeries(updates, meanLabel, training));
  } else if (hasValues(epochs.values)) series.push(epochSeries(epochs, trainingLabel, training));
  const validated = history.epochFigures(`val_${figure}`);
  if (hasValues(validated.values)) series.push(epochSeries(validated, validationLabel, validation));
  return series;
}

/** Memory and speed, with the run's events. */
export function memoryContent(shown: Shown, run: RunView, t: Translate): ChartContent {
  const { own, other } = shown;
  const memory = hasValues(own.memoryBytes)
    ? [lineSeries(own.memoryBytes, t('peak memory'), lines.training, false)]
    : [];
  const hasSpeed = hasValues(own.examplesPerSecond);
  const speed = hasSpeed ? [speedSeries(own.examplesPerSecond, t('examples/s'))] : [];
  const others =
    other !== null && hasValues(other.memoryBytes)
      ? [lineSeries(other.memoryBytes, t('peak memory (other run)'), lines.otherTraining, false)]
      : [];
  const speedAxis: ChartAxis = {
    format: formatShort,
    steps: null,
    // Twice as high as needed, so that it runs below the memory and not through it.
    fromZero: 2.2,
    tell: (value) => (value < 10 ? formatFigure(value) : formatCount(value)),
  };
  return {
    ...common(shown, run, t),
    series: [...others, ...speed, ...memory],
    legend: [...memory, ...speed, ...others],
    isLog: false,
    left: memoryAxis,
    right: hasSpeed ? speedAxis : null,
    level:
      run.budgetBytes === null
        ? null
        : { value: run.budgetBytes, label: t('budget {0}', formatBytes(run.budgetBytes)) },
    marks: own.marks,
  };
}

function common(
  { own, other }: Shown,
  run: RunView,
  t: Translate,
): Pick<ChartContent, 'length' | 'emptyText' | 'describe'> {
  // A view comes before the points that it tells the last values of.
  const isOnItsWay = run.updates > 0;
  return {
    length: Math.max(own.length, other?.length ?? 0),
    emptyText: isOnItsWay ? t('The updates of this run are being read…') : t('No update is done yet.'),
    describe: (point) => {
      const epoch = own.epochAt(point);
      const parts = [t('update {0}', formatCount(point + 1))];
      if (epoch !== null && point < own.length) parts.push(t('epoch {0}', formatCount(epoch)));
      const at = own.timeMs.at(point);
      if (!Number.isNaN(at)) parts.push(t('after {0}', formatDuration(at)));
      return parts.join(' · ');
    },
  };
}

const summary = new Summary();

function hasValues(column: Column): boolean {
  column.summarize(0, column.length, summary);
  return summary.count > 0;
}

function known(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

function lineSeries(column: Column, label: string, look: LineLook, isPale: boolean): ChartSeries {
  return {
    label,
    ...look,
    isPale,
    hasPoints: false,
    axis: 'left',
    draw: (grid) => drawnLine(column, grid),
    valueAt: (point) => known(column.at(point)),
  };
}

function meanSeries(column: Column, label: string, look: LineLook): ChartSeries {
  return {
    ...lineSeries(column, label, look, false),
    draw: (grid, seen) => drawnMean(column, grid, reachOf(seen)),
    valueAt: (point, seen) => {
      if (point >= column.length) return null;
      const reach = reachOf(seen);
      column.summarize(point - reach, point + reach + 1, summary);
      return summary.count === 0 ? null : summary.sum / summary.count;
    },
  };
}

/** Speed varies from update to update: where many share a pixel, their mean is drawn. */
function speedSeries(column: Column, label: string): ChartSeries {
  return {
    ...lineSeries(column, label, { color: 'green', dash: [4, 3] }, false),
    axis: 'right',
    draw: (grid, seen) =>
      grid.placesPerCell === 1 ? drawnLine(column, grid) : drawnMean(column, grid, reachOf(seen)),
  };
}

function epochSeries({ points, values }: EpochFigures, label: string, look: LineLook): ChartSeries {
  return {
    ...lineSeries(values, label, look, false),
    hasPoints: true,
    draw: (grid) => drawnPoints(values, points, grid),
    valueAt: (point) => {
      const index = firstAtOrAfter(points, point + 1) - 1;
      return index < 0 ? null : known(values.at(index));
    },
  };
}
