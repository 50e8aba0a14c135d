// Whether a process is there: what the two sides of a run ask of each other.
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

/**
 * True while there is a process of that number, whoever's it is. One that is dead and only waits for its parent to ask
 * how it ended is not there: in a container whose first process asks nobody, it would wait for ever.
 */
export function processIsAlive(pid: number): boolean {
  if (!hasNumber(pid)) return false;
  if (process.platform !== 'linux') return true;
  try {
    return !isDefunct(readFileSync(statOf(pid), 'latin1'));
  } catch {
    // Another user's that may not be looked at; one that ended just now is found gone at the next look.
    return true;
  }
}

/** As `processIsAlive`, for a thread that must not wait for a file: the editor's. */
export async function processIsAliveSoon(pid: number): Promise<boolean> {
  if (!hasNumber(pid)) return false;
  if (process.platform !== 'linux') return true;
  // As above.
  const stat = await readFile(statOf(pid), 'latin1').catch(() => null);
  return stat === null || !isDefunct(stat);
}

function hasNumber(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there, but is another user's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

const statOf = (pid: number): string => `/proc/${pid}/stat`;

/** The third field of /proc/PID/stat, after the name in parentheses: Z is a zombie, X a dead one (proc(5)). */
function isDefunct(stat: string): boolean {
  return /^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
}
