// The small parts of nvidia-smi's text: lines, numbers, sizes.

/** Its lines without blanks around them; empty ones are left out. */
export function linesOf(text: string): string[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

/** Null for `[N/A]`, `[Not Supported]`, `[Insufficient Permissions]`, `[Unknown Error]`, ...; zero stays zero. */
export function numberOrNull(text: string): number | null {
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) : null;
}

/** A size in bytes from one in MiB; null where it is not told. */
export function mebibytes(text: string): number | null {
  const number = numberOrNull(text);
  return number === null ? null : number * 1024 * 1024;
}
