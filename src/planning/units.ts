// Bytes, durations and counts as people read them.

/** As the makers of cards and memory count, and as nvidia-smi does: a card of 8 GB has 8 · 2³⁰ bytes. */
const sizes = [
  [2 ** 40, 'TB'],
  [2 ** 30, 'GB'],
  [2 ** 20, 'MB'],
  [2 ** 10, 'KB'],
] as const;

/** Memory as the maker of a card counts it: `8.0 GB` is 8 · 2³⁰ bytes. */
export function formatBytes(bytes: number): string {
  const amount = Math.abs(bytes);
  for (const [size, name] of sizes) {
    const rounded = Number((amount / size).toPrecision(3));
    if (rounded >= 1) return `${bytes < 0 ? '−' : ''}${rounded.toFixed(rounded < 100 ? 1 : 0)} ${name}`;
  }
  return `${Math.round(bytes)} ${Math.round(amount) === 1 ? 'byte' : 'bytes'}`;
}

/** A count with separators between thousands: `2,048`. */
export function formatCount(count: number): string {
  return new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 }).format(count);
}

/** A count of things: `1 epoch`, `2,048 epochs`. */
export function formatCounted(count: number, what: string): string {
  return `${formatCount(count)} ${what}${count === 1 ? '' : 's'}`;
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
