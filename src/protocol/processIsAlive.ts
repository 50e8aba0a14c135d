// Whether a process is there: what the two sides of a run ask of each other.
import { readFileSync } from 'node:fs';

/**
 * True while there is a process of that number, whoever's it is. One that is dead and only waits for its parent to ask
 * how it ended is not there: in a container whose first process asks nobody, it would wait for ever.
 */
export function processIsAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it is there, but is another user's.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return process.platform !== 'linux' || !isDefunct(pid);
}

/** The third field of /proc/PID/stat, after the name in parentheses: Z is a zombie, X a dead one (proc(5)). */
function isDefunct(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return /^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    // Another user's that may not be looked at; one that ended just now is found gone at the next look.
    return false;
  }
}
