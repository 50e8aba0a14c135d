// What a time-series chart is given to draw.
import type { RunMark } from '../../src/protocol/page';
import type { Drawn, Grid, UpdateRange } from './grid';
import type { ChartColor } from './theme';

/** One line of a chart. */
export interface ChartSeries {
  readonly label: string;
  readonly color: ChartColor;
  /** Lengths of line and gap in CSS pixels; empty: solid. Lines differ by more than their colour. */
  readonly dash: readonly number[];
  /** A circle at each value: values are few. */
  readonly hasPoints: boolean;
  /** Drawn pale, behind its own mean. */
  readonly isPale: boolean;
  /** The axis that it is read on. */
  readonly axis: 'left' | 'right';
  /** Its values at the places of a grid. */
  draw(grid: Grid, seen: UpdateRange): Drawn;
  /** Its value at a point, or the last before it; null where there is none. */
  valueAt(point: number, seen: UpdateRange): number | null;
}

/** A vertical axis. */
export interface ChartAxis {
  readonly format: (value: number) => string;
  /** Distances between ticks that are allowed, ascending; null: any round ones. */
  readonly steps: readonly number[] | null;
  /** Starts at 0 rather than below the smallest value, and reaches this many times as high as the largest; null: neither. */
  readonly fromZero: number | null;
  /** How a value is told beside the legend's label. */
  readonly tell: (value: number) => string;
}

/** All that one chart shows. */
export interface ChartContent {
  /** Number of updates that the chart reaches to. */
  readonly length: number;
  /** What is said in place of lines where it reaches to none. */
  readonly emptyText: string;
  /** In the order in which they are drawn: the last is on top. */
  readonly series: readonly ChartSeries[];
  /** The same in the order in which they are told. */
  readonly legend: readonly ChartSeries[];
  readonly isLog: boolean;
  readonly left: ChartAxis;
  readonly right: ChartAxis | null;
  /** A horizontal line across the left axis. */
  readonly level: { readonly value: number; readonly label: string } | null;
  readonly marks: readonly RunMark[];
  /** What is told of the update that is pointed at (`update 141 · epoch 3`). */
  describe(point: number): string;
}

/** What must stay the same for a chart to be kept rather than made anew. */
export function shapeOf({ series, isLog, right, marks }: ChartContent): string {
  const lines = series.map(({ label, color, dash, hasPoints, isPale, axis }) => [
    label,
    color,
    dash.join(' '),
    hasPoints,
    isPale,
    axis,
  ]);
  return JSON.stringify([lines, isLog, right !== null, marks.length > 0]);
}
