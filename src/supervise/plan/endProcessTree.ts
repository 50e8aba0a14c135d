// Ends a planning with all that it started without ever blocking this thread, which may be the editor's.
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { descendantsOf, type ProcessPair } from '../processTree';

const run = promisify(execFile);
/** A tool that answers no sooner than this, in ms, is not waited for. */
const toolLimit = 5_000;

/** Ends a process and its descendants, also those in groups of their own. One that is gone already is none to end. */
export async function endProcessTree(
  pid: number,
  platform: NodeJS.Platform = process.platform,
): Promise<void> {
  if (platform === 'win32') {
    const taskkill = path.win32.join(process.env['SystemRoot'] ?? 'C:\\Windows', 'System32', 'taskkill.exe');
    // It fails where the process has just ended.
    await run(taskkill, ['/T', '/F', '/PID', String(pid)], { windowsHide: true, timeout: toolLimit }).catch(
      () => kill(pid),
    );
    return;
  }
  const others = descendantsOf(pid, await (platform === 'linux' ? listFromProc() : listFromPs()));
  for (const each of [pid, ...others]) kill(each);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Linux: the second field after the name in parentheses is the parent (proc(5)). */
async function listFromProc(): Promise<ProcessPair[]> {
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const pairs = await Promise.all(
    names.map(async (name) => {
      // It may have ended in the meantime.
      const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => null);
      const parent = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[1];
      return parent === undefined ? [] : [{ pid: Number(name), parentPid: Number(parent) }];
    }),
  );
  return pairs.flat();
}

/** macOS and other POSIX systems. Where `ps` does not answer, the process alone is ended: its children notice that. */
async function listFromPs(): Promise<ProcessPair[]> {
  const { stdout } = await run('ps', ['-A', '-o', 'pid=,ppid='], { timeout: toolLimit }).catch(() => ({
    stdout: '',
  }));
  return stdout.split('\n').flatMap((line) => {
    const [pid, parentPid] = line.trim().split(/\s+/).map(Number);
    return pid !== undefined && parentPid !== undefined && pid > 0 ? [{ pid, parentPid }] : [];
  });
}
