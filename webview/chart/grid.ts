// Where along the updates a chart draws: each update where there is room, else two places for each pixel column.
// All series of a chart share the places, because the chart library wants columns of equal length.
import { type Column, Summary } from './column';

/** A part of the x axis in updates, counted from 1; both ends belong to it. */
export interface UpdateRange {
  readonly from: number;
  readonly to: number;
}

/** The places at which a chart draws. */
export interface Grid {
  /** Places along the x axis, in updates counted from 1. */
  readonly x: readonly number[];
  /** Cell k holds the points from edges[k] up to, but not at, edges[k + 1] (0-based). */
  readonly edges: readonly number[];
  /** One place for each cell, which holds one point, or two for each cell, which holds many. */
  readonly placesPerCell: 1 | 2;
}

/** A drawn column: null leaves a gap. */
export type Drawn = (number | null)[];

/**
 * The places for a range of `pixels` columns over `length` points. One cell (or point) more on each side lets lines
 * run to the edges.
 */
export function gridOf(range: UpdateRange, length: number, pixels: number): Grid {
  const first = Math.max(0, Math.floor(range.from) - 2);
  const end = Math.min(length, Math.ceil(range.to) + 1);
  if (end - first <= 2 * pixels) {
    const edges = Array.from({ length: Math.max(0, end - first) + 1 }, (_, k) => first + k);
    return { x: edges.slice(0, -1).map((point) => point + 1), edges, placesPerCell: 1 };
  }
  const width = (range.to - range.from) / pixels;
  // Updates count from 1 and points from 0: the first point of column k is the first whole update in it, less one.
  const edge = (k: number) => Math.min(length, Math.max(0, Math.ceil(range.from + k * width) - 1));
  const x: number[] = [];
  const edges: number[] = [edge(-1)];
  for (let k = -1; k <= pixels; k++) {
    edges.push(edge(k + 1));
    x.push(range.from + (k + 0.25) * width, range.from + (k + 0.75) * width);
  }
  return { x, edges, placesPerCell: 2 };
}

const summary = new Summary();

/** The smallest and the largest value of each cell, in the order in which they come. */
export function drawnLine(column: Column, grid: Grid): Drawn {
  return grid.placesPerCell === 1
    ? eachCell(grid, (from) => valueOrGap(column.at(from)))
    : extremes(column, grid, (point) => point);
}

/** Values that stand at some points only: entry i of the column belongs to the point `points[i]`, ascending. */
export function drawnPoints(column: Column, points: readonly number[], grid: Grid): Drawn {
  return extremes(column, grid, (point) => firstAtOrAfter(points, point));
}

/** The mean over the `reach` points before each place, its own, and the `reach` after it. */
export function drawnMean(column: Column, grid: Grid, reach: number): Drawn {
  const mean = (from: number, to: number): number | null => {
    if (from >= to || from >= column.length) return null;
    const middle = (from + to - 1) >> 1;
    column.summarize(middle - reach, middle + reach + 1, summary);
    return summary.count === 0 ? null : summary.sum / summary.count;
  };
  if (grid.placesPerCell === 1) return eachCell(grid, mean);
  return eachCell(grid, mean).flatMap((value) => [value, value]);
}

/** How far a mean reaches on each side: about 1 % of what is seen, in powers of two, so that it seldom changes. */
export function reachOf(range: UpdateRange): number {
  return 2 ** Math.max(1, Math.round(Math.log2(Math.max(1, (range.to - range.from) / 100))));
}

/** Index of the first entry of an ascending list that is not below the value. */
export function firstAtOrAfter(list: readonly number[], value: number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((list[middle] ?? Infinity) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function extremes(column: Column, grid: Grid, indexOf: (point: number) => number): Drawn {
  const drawn: Drawn = [];
  for (let k = 0; k + 1 < grid.edges.length; k++) {
    column.summarize(indexOf(grid.edges[k] ?? 0), indexOf(grid.edges[k + 1] ?? 0), summary);
    const { count, min, max, minAt, maxAt } = summary;
    const [early, late] = count === 0 ? [null, null] : minAt < maxAt ? [min, max] : [max, min];
    if (grid.placesPerCell === 1) drawn.push(late);
    else drawn.push(early, late);
  }
  return drawn;
}

function eachCell(grid: Grid, value: (from: number, to: number) => number | null): Drawn {
  const drawn: Drawn = [];
  for (let k = 0; k + 1 < grid.edges.length; k++)
    drawn.push(value(grid.edges[k] ?? 0, grid.edges[k + 1] ?? 0));
  return drawn;
}

function valueOrGap(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
