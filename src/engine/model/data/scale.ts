// Scaling of input values: fixed figures from the config, or the mean and standard deviation of the training examples.
import type { Scaling } from '../../../planning/modelData';
import { sizeOf, type Rows, type Values } from './rows';

/** What is subtracted from each value of an example, and what it is then divided by: one figure, or one for each value. */
export interface ScaleFigures {
  readonly subtract: number | readonly number[];
  readonly divideBy: number | readonly number[];
}

export interface Scale {
  readonly figures: ScaleFigures;
  /** Scales one example, in place, from position `at` on. */
  apply(values: Values, at: number): void;
}

/** The scale that a config asks for, or null where it asks for none. `rows` are those that training sees. */
export function scaleFor(scaling: Scaling, source: Rows, rows: ArrayLike<number>): Scale | null {
  if (scaling.standardize === true) return perValue(meanAndDeviation(source, rows));
  if (scaling.subtract === undefined && scaling.divideBy === undefined) return null;
  const subtract = scaling.subtract ?? 0;
  const divideBy = scaling.divideBy ?? 1;
  const size = sizeOf(source.shape);
  return {
    figures: { subtract, divideBy },
    apply(values, at) {
      for (let i = at; i < at + size; i++) values[i] = ((values[i] ?? 0) - subtract) / divideBy;
    },
  };
}

function perValue(figures: { subtract: number[]; divideBy: number[] }): Scale {
  const { subtract, divideBy } = figures;
  return {
    figures,
    apply(values, at) {
      for (let i = 0; i < subtract.length; i++) {
        values[at + i] = ((values[at + i] ?? 0) - (subtract[i] ?? 0)) / (divideBy[i] ?? 1);
      }
    },
  };
}

/** Welford's method, in float64: one pass, stable where the mean is large. A value that never changes is divided by 1. */
function meanAndDeviation(source: Rows, rows: ArrayLike<number>): { subtract: number[]; divideBy: number[] } {
  const size = sizeOf(source.shape);
  const mean = new Float64Array(size);
  const squares = new Float64Array(size);
  const row = new Float32Array(size);
  for (let n = 0; n < rows.length; n++) {
    source.read(rows[n] ?? 0, row, 0);
    for (let i = 0; i < size; i++) {
      const value = row[i] ?? 0;
      const off = value - (mean[i] ?? 0);
      mean[i] = (mean[i] ?? 0) + off / (n + 1);
      squares[i] = (squares[i] ?? 0) + off * (value - (mean[i] ?? 0));
    }
  }
  const deviation = Array.from(squares, (sum) => Math.sqrt(sum / rows.length));
  return { subtract: Array.from(mean), divideBy: deviation.map((value) => (value > 0 ? value : 1)) };
}
