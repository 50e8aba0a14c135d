// Orders of examples that follow from the seed alone: the validation split, and the order of each epoch.
import { RandomSource } from '../../train/randomSource';
import { DataError } from './dataError';

/** Rows in an order drawn with `seed` and `draw`: the same pair always gives the same order. */
export function shuffled(rows: Int32Array, seed: number, draw: number): Int32Array {
  const order = rows.slice();
  // Multiplying by an odd constant keeps neighbouring seeds and draws apart (Fibonacci hashing).
  const source = new RandomSource((seed ^ Math.imul(draw + 1, 0x9e3779b1)) >>> 0);
  // Fisher and Yates: every order is equally likely.
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(source.random() * (i + 1));
    const kept = order[i] ?? 0;
    order[i] = order[j] ?? 0;
    order[j] = kept;
  }
  return order;
}

/** Rows 0 … count - 1. */
export function allRows(count: number): Int32Array {
  return Int32Array.from({ length: count }, (_, row) => row);
}

/** Keeps a share of the examples for validation, drawn with the seed; each part is in the data's own order. */
export function splitRows(
  count: number,
  share: number,
  seed: number,
): { training: Int32Array; validation: Int32Array | null } {
  const rows = allRows(count);
  if (share === 0) return { training: rows, validation: null };
  const kept = Math.max(1, Math.round(count * share));
  if (kept >= count) {
    throw new DataError(
      `A validation split of ${share} leaves none of the ${count} example${count === 1 ? '' : 's'} to train on.`,
    );
  }
  // Epochs draw from 0 on; the split has a draw of its own.
  const order = shuffled(rows, seed, -1);
  return { training: order.slice(kept).sort(), validation: order.slice(0, kept).sort() };
}
