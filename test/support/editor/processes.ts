// Finds and ends processes by their environment or command line, through /proc: the editor's lane is Linux only.
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export interface RunningProcess {
  readonly pid: number;
  /** Its arguments, separated by blanks. */
  readonly command: string;
}

/** Every running process whose environment has this `NAME=value`; one that only waits to be reaped does not run. */
export function processesWith(variable: string): RunningProcess[] {
  return runningProcesses().filter(({ pid }) => read(pid, 'environ').split('\0').includes(variable));
}

/** Every running process with these words in its command line, but for the one that asks. */
export function processesOf(words: string): RunningProcess[] {
  return runningProcesses().filter(({ pid, command }) => pid !== process.pid && command.includes(words));
}

/** Kills until none is left: a process may start another while it is being ended. */
export async function endProcesses(find: () => readonly RunningProcess[], withinMs = 20_000): Promise<void> {
  const until = Date.now() + withinMs;
  for (let running = find(); running.length > 0; running = find()) {
    if (Date.now() > until)
      throw new Error(`cannot be ended: ${running.map(({ command }) => command).join('; ')}`);
    for (const { pid } of running) kill(pid);
    await sleep(50);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

function runningProcesses(): RunningProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => !/\) [ZX] /.test(read(pid, 'stat')))
    .map((pid) => ({ pid, command: read(pid, 'cmdline').replaceAll('\0', ' ').trim() }))
    .filter(({ command }) => command !== '');
}

/** Empty where the process has gone, or is another user's. */
function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && typeof error.code === 'string') {
      if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(error.code)) return '';
    }
    throw error;
  }
}
