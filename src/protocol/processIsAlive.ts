// Whether a process is there: what the two sides of a run ask of each other.

/** True while there is a process of that number, whoever's it is. */
export function processIsAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there, but is another user's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
