// Numbers as chart axes, legends and tables show them.
import { formatCount } from '../../src/planning/units';

/** A figure (a loss, a metric) with four significant digits: `0.1234`, `1,204`, `3.2e-7`. */
export function formatFigure(value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  const amount = Math.abs(value);
  if (amount !== 0 && (amount < 1e-4 || amount >= 1e7)) return negative(value.toExponential(2));
  if (amount >= 1000) return negative(formatCount(value));
  return negative(String(Number(value.toPrecision(4))));
}

/** A label of an axis: `0`, `250`, `1.5k`, `10k`, `2M`. */
export function formatShort(value: number): string {
  const amount = Math.abs(value);
  if (amount >= 1e6) return negative(`${Number((value / 1e6).toFixed(3))}M`);
  if (amount >= 1e3) return negative(`${Number((value / 1e3).toFixed(3))}k`);
  if (amount !== 0 && amount < 1e-3) return negative(value.toExponential().replace('e-', 'e−'));
  return negative(String(Number(value.toPrecision(6))));
}

/** The typographic minus is as wide as a digit. */
function negative(text: string): string {
  return text.replace(/^-/, '−').replace('e-', 'e−').replace('e+', 'e');
}
