// Bytes, durations and counts as people read them.

const decimal = [
  [1e12, 'TB'],
  [1e9, 'GB'],
  [1e6, 'MB'],
  [1e3, 'kB'],
] as const;
const binary = [
  [2 ** 40, 'TiB'],
  [2 ** 30, 'GiB'],
  [2 ** 20, 'MiB'],
  [2 ** 10, 'KiB'],
] as const;

function scaled(bytes: number, units: readonly (readonly [number, string])[]): string {
  const amount = Math.abs(bytes);
  for (const [index, [size, name]] of units.entries()) {
    // 999.96 MB would be written "1000 MB": such a number belongs to the next unit.
    const rounded = Number((amount / size).toPrecision(3));
    if (rounded < 1) continue;
    const larger = units[index - 1];
    if (larger !== undefined && rounded * size >= larger[0])
      return scaled(Math.sign(bytes) * larger[0], units);
    const sign = bytes < 0 ? '−' : '';
    return `${sign}${rounded.toFixed(rounded < 100 ? 1 : 0)} ${name}`;
  }
  return `${Math.round(bytes)} ${Math.round(amount) === 1 ? 'byte' : 'bytes'}`;
}

/** Memory as the maker of a card counts it: `8.0 GB` is 8 · 10⁹ bytes. */
export function formatBytes(bytes: number): string {
  return scaled(bytes, decimal);
}

/** Memory in powers of two: `7.5 GiB` is 7.5 · 2³⁰ bytes. */
export function formatBinaryBytes(bytes: number): string {
  return scaled(bytes, binary);
}

/** A count with separators between thousands: `2,048`. */
export function formatCount(count: number): string {
  return new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 }).format(count);
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
