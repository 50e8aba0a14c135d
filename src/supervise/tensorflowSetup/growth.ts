// Watches a folder while something is downloaded into it: how much there is, and whether it still grows.
import { readdirSync, statSync, type Dirent } from 'node:fs';
import path from 'node:path';

/** Bytes of the files under `folder`; what vanishes meanwhile counts nothing. */
export function bytesUnder(folder: string): number {
  let bytes = 0;
  for (const entry of entriesOf(folder)) {
    const place = path.join(folder, entry.name);
    if (entry.isDirectory()) bytes += bytesUnder(place);
    else if (entry.isFile()) bytes += statSync(place, { throwIfNoEntry: false })?.size ?? 0;
  }
  return bytes;
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/**
 * Does `work` and says every `everyMs` how many bytes lie under `folder`. Its signal is aborted, beside `signal`'s own reasons,
 * when the folder has not grown for `stalledAfterMs`.
 */
export async function whileGrowing<T>(
  folder: string,
  signal: AbortSignal,
  times: { readonly everyMs: number; readonly stalledAfterMs: number },
  say: (bytes: number) => void,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const stall = new AbortController();
  let most = 0;
  let grownAt = Date.now();
  const timer = setInterval(() => {
    const bytes = bytesUnder(folder);
    if (bytes > most) [most, grownAt] = [bytes, Date.now()];
    if (Date.now() - grownAt >= times.stalledAfterMs) stall.abort(new StalledError(times.stalledAfterMs));
    else say(bytes);
  }, times.everyMs);
  try {
    return await work(AbortSignal.any([signal, stall.signal]));
  } finally {
    clearInterval(timer);
  }
}

/** Nothing came for so long. */
export class StalledError extends Error {
  override readonly name = 'StalledError';
  constructor(afterMs: number) {
    super(`nothing came for ${Math.round(afterMs / 1000)} s`);
  }
}
