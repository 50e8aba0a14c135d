// What a chart draws is what a plain loop over all points gives.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Column, Summary } from '../../../webview/chart/column';
import { drawnLine, drawnMean, drawnPoints, firstAtOrAfter, gridOf } from '../../../webview/chart/grid';

type Values = (number | null)[];

const values = fc.array(fc.option(fc.integer({ min: -50, max: 50 }), { freq: 5 }), { maxLength: 1200 });

function columnOf(...parts: Values[]): Column {
  const column = new Column();
  for (const part of parts) column.append(part);
  return column;
}

function there(list: Values): number[] {
  return list.filter((value) => value !== null);
}

it('sums up any part of a column as a loop does, however it was filled', () => {
  fc.assert(
    fc.property(values, fc.nat(1200), fc.nat(1200), fc.nat(1200), (list, cut, one, other) => {
      const [from, to] = [Math.min(one, other), Math.max(one, other)];
      const column = columnOf(list.slice(0, cut), ...list.slice(cut).map((value) => [value]));
      const summary = new Summary();
      column.summarize(from, to, summary);
      const expected = there(list.slice(from, to));
      expect(summary.count).toBe(expected.length);
      expect(summary.sum).toBe(expected.reduce((sum, value) => sum + value, 0));
      if (expected.length === 0) return;
      expect([summary.min, summary.max]).toEqual([Math.min(...expected), Math.max(...expected)]);
      expect(summary.minAt).toBe(list.indexOf(Math.min(...expected), from));
      expect(summary.maxAt).toBe(list.indexOf(Math.max(...expected), from));
    }),
  );
});

it('forgets what is cut off, and goes on from there', () => {
  fc.assert(
    fc.property(values, values, fc.nat(1200), (list, more, length) => {
      const column = columnOf(list);
      column.truncate(length);
      column.append(more);
      const expected = [...list.slice(0, length), ...more];
      expect(column.length).toBe(expected.length);
      const summary = new Summary();
      column.summarize(0, expected.length, summary);
      expect(summary.sum).toBe(there(expected).reduce((sum, value) => sum + value, 0));
      expect(expected.map((_, at) => column.at(at))).toEqual(expected.map((value) => value ?? NaN));
    }),
  );
});

it('takes what is not finite for no value', () => {
  const column = columnOf([1, NaN, Infinity, -Infinity, null, 2]);
  const summary = new Summary();
  column.summarize(0, 6, summary);
  expect(summary).toMatchObject({ count: 2, sum: 3, min: 1, max: 2 });
  expect(column.at(6)).toBeNaN();
});

it('draws each update where there is room for it', () => {
  const list = [3, null, 5, 1];
  const grid = gridOf({ from: 1, to: 4 }, 4, 100);
  expect(grid.x).toEqual([1, 2, 3, 4]);
  expect(drawnLine(columnOf(list), grid)).toEqual(list);
});

it('draws the smallest and the largest value of each pixel column, in their order', () => {
  const cases = fc.record({
    length: fc.integer({ min: 300, max: 5000 }),
    pixels: fc.integer({ min: 10, max: 120 }),
    ends: fc.tuple(
      fc.double({ min: 0, max: 0.4, noNaN: true }),
      fc.double({ min: 0.6, max: 1, noNaN: true }),
    ),
    seed: fc.nat(1e6),
  });
  fc.assert(
    fc.property(cases, ({ length, pixels, ends, seed }) => {
      const list = wave(length, seed);
      const range = { from: 1 + ends[0] * (length - 1), to: 1 + ends[1] * (length - 1) };
      const grid = gridOf(range, length, pixels);
      fc.pre(grid.placesPerCell === 2);
      const drawn = drawnLine(columnOf(list), grid);
      const width = (range.to - range.from) / pixels;
      // A point on the very edge of a pixel belongs to either: rounding decides.
      const offEdge = (point: number): number => {
        const cell = (point + 1 - range.from) / width;
        return Math.abs(cell - Math.round(cell));
      };
      fc.pre(list.every((_, point) => offEdge(point) === 0 || offEdge(point) > 1e-9));
      const cells = Array.from({ length: pixels }, (): number[] => []);
      for (const [point, value] of list.entries()) {
        if (value !== null) cells[Math.floor((point + 1 - range.from) / width)]?.push(value);
      }
      for (const [k, cell] of cells.entries()) {
        // The first cell drawn lies before the range, so that the line runs to its edge.
        const pair = [drawn[2 * k + 2], drawn[2 * k + 3]];
        const [min, max] = [Math.min(...cell), Math.max(...cell)];
        if (cell.length === 0) expect(pair).toEqual([null, null]);
        else expect(pair).toEqual(cell.indexOf(min) < cell.indexOf(max) ? [min, max] : [max, min]);
        for (const place of [2 * k + 2, 2 * k + 3])
          expect(Math.floor(((grid.x[place] ?? NaN) - range.from) / width + 1e-9)).toBe(k);
      }
    }),
    { numRuns: 60 },
  );
});

it('draws the mean around each update as a loop gives it', () => {
  const list = wave(700, 5);
  const column = columnOf(list);
  for (const reach of [2, 8, 64]) {
    const drawn = drawnMean(column, gridOf({ from: 1, to: 700 }, 700, 800), reach);
    const expected = list.map((_, at) => {
      const near = there(list.slice(Math.max(0, at - reach), at + reach + 1));
      return near.reduce((sum, value) => sum + value, 0) / near.length;
    });
    expect(drawn.length).toBe(700);
    for (const [at, value] of drawn.entries()) expect(value).toBeCloseTo(expected[at] ?? NaN, 9);
  }
});

it('does not lose small values behind a huge one', () => {
  const list = [1e300, ...Array.from({ length: 99 }, () => 1)];
  const drawn = drawnMean(columnOf(list), gridOf({ from: 1, to: 100 }, 100, 200), 2);
  expect(drawn[50]).toBe(1);
});

it('draws the figures of epochs where the epochs end', () => {
  const points = [9, 19, 29];
  const column = columnOf([0.5, null, 0.3]);
  const near = gridOf({ from: 1, to: 30 }, 30, 100);
  const drawn = drawnPoints(column, points, near);
  expect(near.x.filter((_, at) => drawn[at] !== null)).toEqual([10, 30]);
  expect(drawn.filter((value) => value !== null)).toEqual([0.5, 0.3]);

  const far = gridOf({ from: 1, to: 30_000 }, 30_000, 100);
  expect(drawnPoints(column, points, far).filter((value) => value !== null)).toEqual([0.5, 0.3]);
});

it('finds the first entry that is not below a value', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(100)), fc.nat(100), (list, value) => {
      const sorted = list.toSorted((a, b) => a - b);
      const found = sorted.findIndex((entry) => entry >= value);
      expect(firstAtOrAfter(sorted, value)).toBe(found < 0 ? sorted.length : found);
    }),
  );
});

/** A wave with noise and gaps. */
function wave(length: number, seed: number): Values {
  let state = seed + 1;
  return Array.from({ length }, (_, at) => {
    state = (state * 16_807) % 2_147_483_647;
    return state % 13 === 0 ? null : Math.sin(at / 40) + state / 2_147_483_647;
  });
}
