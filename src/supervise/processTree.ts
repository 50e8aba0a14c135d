// Ends a child with everything that it started, also what the script put into process groups of its own.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { killTree } from '../gpu/processTree';

export { treeSpawnOptions } from '../gpu/processTree';

/** A process and the one that started it. */
export interface ProcessPair {
  readonly pid: number;
  readonly parentPid: number;
}

/** What ending a tree needs of the system; the real ones by default. */
export interface TreeTools {
  readonly platform?: NodeJS.Platform;
  readonly listProcesses?: () => readonly ProcessPair[];
  readonly killGroup?: (pid: number) => void;
  readonly kill?: (pid: number) => void;
}

/**
 * Ends the tree of a process that was started with `treeSpawnOptions`, at once and without asking. Its descendants
 * are looked up first, because those in groups of their own are not reached through it. Windows' taskkill does both.
 */
export function endTree(pid: number, tools: TreeTools = {}): void {
  const {
    platform = process.platform,
    listProcesses = platform === 'linux' ? listFromProc : listFromPs,
    killGroup = (leader) => killTree(leader),
    kill = killIfThere,
  } = tools;
  const others = platform === 'win32' ? [] : descendantsOf(pid, listProcesses());
  killGroup(pid);
  for (const other of others) kill(other);
}

/** All descendants of a process, its children first. */
export function descendantsOf(pid: number, processes: readonly ProcessPair[]): number[] {
  const found = [pid];
  for (const parent of found) {
    for (const each of processes) {
      if (each.parentPid === parent && !found.includes(each.pid)) found.push(each.pid);
    }
  }
  return found.slice(1);
}

/** Linux: the fourth field of /proc/PID/stat, after the name in parentheses, is the parent (proc(5)). */
function listFromProc(): ProcessPair[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    const stat = readOrNull(`/proc/${name}/stat`);
    const parent = stat === null ? undefined : stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1];
    return parent === undefined ? [] : [{ pid: Number(name), parentPid: Number(parent) }];
  });
}

/** macOS and other POSIX systems. */
function listFromPs(): ProcessPair[] {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  return (stdout ?? '').split('\n').flatMap((line) => {
    const [pid, parentPid] = line.trim().split(/\s+/).map(Number);
    return pid !== undefined && parentPid !== undefined && pid > 0 ? [{ pid, parentPid }] : [];
  });
}

/** The text of a file of a process; null where the process has ended in the meantime. */
function readOrNull(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES') return null;
    throw error;
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
