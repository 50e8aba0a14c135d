// Bytes, durations and counts as people read them.

/** As the makers of cards and memory count, and as nvidia-smi does: a card of 8 GB has 8 · 2³⁰ bytes. */
const sizes = [
  [2 ** 40, 'TB'],
  [2 ** 30, 'GB'],
  [2 ** 20, 'MB'],
  [2 ** 10, 'KB'],
] as const;

/**
 * Memory as the maker of a card counts it: `8.0 GB` is 8 · 2³⁰ bytes.
 * @param moreDigits digits after the point beyond the usual ones
 */
export function formatBytes(bytes: number, moreDigits = 0): string {
  const amount = Math.abs(bytes);
  for (const [size, name] of sizes) {
    // Rounded once: what three digits round up to would be rounded up again (1.546, 1.55, 1.6).
    const rounded = Number((amount / size).toPrecision(3));
    if (rounded < 1) continue;
    const digits = (rounded < 100 ? 1 : 0) + moreDigits;
    return `${bytes < 0 ? '−' : ''}${(amount / size).toFixed(digits)} ${name}`;
  }
  return `${Math.round(bytes)} ${Math.round(amount) === 1 ? 'byte' : 'bytes'}`;
}

/** Digits that are added at most where amounts tie: with three, they differ by less than a thousandth of a unit. */
const mostMoreDigits = 3;

/**
 * Amounts of memory that are read one beside the other: where two neighbours are not equal but would be written alike,
 * both get as many digits as tell them apart.
 */
export function formatBytesApart(amounts: readonly number[]): string[] {
  const digits = amounts.map(() => 0);
  for (let index = 1; index < amounts.length; index++) {
    const [one, other] = [amounts[index - 1] ?? 0, amounts[index] ?? 0];
    if (one === other) continue;
    let more = 0;
    while (more < mostMoreDigits && formatBytes(one, more) === formatBytes(other, more)) more++;
    digits[index - 1] = Math.max(digits[index - 1] ?? 0, more);
    digits[index] = Math.max(digits[index] ?? 0, more);
  }
  return amounts.map((amount, index) => formatBytes(amount, digits[index]));
}

/** An amount and the limit that it is held against, told apart; empty for what is not known. */
export function formatBytesAgainst(bytes: number | null, limit: number | null): [string, string] {
  const [first = '', second = ''] = formatBytesApart([bytes ?? limit ?? 0, limit ?? bytes ?? 0]);
  return [bytes === null ? '' : first, limit === null ? '' : second];
}

/** A count with separators between thousands: `2,048`. */
export function formatCount(count: number): string {
  return new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 }).format(count);
}

/** A count of things: `1 epoch`, `2,048 epochs`. */
export function formatCounted(count: number, what: string): string {
  return `${formatCount(count)} ${what}${count === 1 ? '' : 's'}`;
}

/** A part of a whole as a percentage, for a person: `0.4 %`; what rounds to nothing is `less than 0.1 %`. */
export function formatShare(share: number): string {
  return share < 0.001 ? 'less than 0.1 %' : `${(share * 100).toFixed(1)} %`;
}

/** A duration, given in ms, in its two largest units: `850 ms`, `4.2 s`, `1 m 12 s`, `2 h 5 m`, `3 d 4 h`. */
export function formatDuration(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return pair(Math.floor(seconds / 60), 'm', seconds % 60, 's');
  const minutes = Math.round(seconds / 60);
  if (minutes < 24 * 60) return pair(Math.floor(minutes / 60), 'h', minutes % 60, 'm');
  const hours = Math.round(minutes / 60);
  return pair(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}
