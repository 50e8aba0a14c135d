// Ends the GPU reader with everything it started: a tool that hangs must not outlive it.
import { spawn } from 'node:child_process';
import path from 'node:path';

/** How to start a process so that `killTree` reaches all of it: on POSIX as the leader of a group of its own. */
export function treeSpawnOptions(platform: NodeJS.Platform): { detached: boolean } {
  // On Windows a detached process opens a console window, and taskkill finds the tree without it.
  return { detached: platform !== 'win32' };
}

/** What ends processes; the real ones by default. */
export interface Killers {
  readonly platform?: NodeJS.Platform;
  readonly signal?: (pid: number, signal: NodeJS.Signals) => void;
  readonly run?: (program: string, args: readonly string[]) => void;
}

/**
 * Ends a process that was started with `treeSpawnOptions`, and all that it started, at once and without asking.
 * Does nothing if it is gone already.
 */
export function killTree(pid: number, killers: Killers = {}): void {
  const { platform = process.platform, signal = process.kill.bind(process), run = runQuietly } = killers;
  if (platform === 'win32') {
    const windows = process.env['SystemRoot'] ?? 'C:\\Windows';
    run(path.win32.join(windows, 'System32', 'taskkill.exe'), ['/T', '/F', '/PID', String(pid)]);
    return;
  }
  try {
    signal(-pid, 'SIGKILL');
  } catch (error) {
    // ESRCH: the group has ended by itself.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/** Not waited for: this may be the editor's thread. Where the program cannot be started, nothing else ends a tree. */
function runQuietly(program: string, args: readonly string[]): void {
  const child = spawn(program, args, { stdio: 'ignore', windowsHide: true });
  child.on('error', (error) => process.emitWarning(error));
  child.unref();
}
