// Numbers on charts are short and never wrong.
import { expect, it } from 'vitest';
import { formatFigure, formatShort } from '../../../webview/chart/numbers';

it.each([
  [0, '0'],
  [0.123456, '0.1235'],
  [12.5, '12.5'],
  [1204, '1,204'],
  [3.2e-7, '3.20e−7'],
  [-0.5, '−0.5'],
  [2.5e9, '2.50e9'],
  [null, '–'],
  [NaN, '–'],
])('a figure of %s reads %s', (value, text) => {
  expect(formatFigure(value)).toBe(text);
});

it.each([
  [0, '0'],
  [250, '250'],
  [1500, '1.5k'],
  [10_000, '10k'],
  [2_000_000, '2M'],
  [0.25, '0.25'],
  [0.0001, '1e−4'],
  [-20, '−20'],
])('an axis says %s as %s', (value, text) => {
  expect(formatShort(value)).toBe(text);
});
