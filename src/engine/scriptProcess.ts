// Decides whether a process that inherited the hook is the one that runs the entry, or only a launcher on the way to it.
import { realpathSync } from 'node:fs';
import path from 'node:path';

/** Resolves links; a path that names no file stays as it is (an argument that is no path). */
export function realPath(file: string): string {
  try {
    return realpathSync(file);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG' || code === 'EACCES') return file;
    throw error;
  }
}

/** What Node tries when a main script is named without its extension, or by its folder. */
const completions = ['', '.js', '.cjs', '.mjs', '.ts', '.mts', '.cts', `${path.sep}index.js`];

/**
 * True where the process's main script (`process.argv[1]`) is one of `mains`, links resolved. A launcher (npm, a tool
 * that starts the entry in a process of its own) is left alone: no backend is loaded there, so it takes no memory of
 * the device. A process that trains without being the entry's gets its backend at its first training call.
 */
export function runsOneOf(mains: readonly string[], argv: readonly string[]): boolean {
  const main = argv[1];
  if (main === undefined) return false;
  const wanted = new Set(mains.map(realPath));
  return completions.some((completion) => wanted.has(realPath(path.resolve(main) + completion)));
}
