// Starts the user's script in a process group of its own, keeps the end of what it prints, and ends it whole.
import { spawn, type ChildProcess } from 'node:child_process';
import { endTree, treeSpawnOptions } from './processTree';
import type { ScriptCommand } from './scriptCommand';

/** How a process ended. */
export interface ExitStatus {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export type OutputStream = 'stdout' | 'stderr';

export interface ScriptProcessOptions {
  /** Called with what the script prints, as it comes. */
  readonly onOutput?: ((stream: OutputStream, text: string) => void) | undefined;
  readonly spawn?: typeof spawn;
  readonly platform?: NodeJS.Platform;
}

/** A running script. */
export interface ScriptProcess {
  readonly pid: number;
  /** When it ended and its output was read. Rejects where it could not be started at all. */
  readonly exited: Promise<ExitStatus>;
  /** Last part of what it printed on a stream. */
  tail(stream: OutputStream): string;
  /** Ends it with all that it started, at once. */
  kill(): void;
}

/** Kept of each stream: enough for a stack and the lines before it, whatever else a script prints. */
const tailCharacters = 64 * 1024;
/** After the script's end its own children may hold the pipes open: this long is waited for the rest, in ms. */
const drainMs = 500;

/** Starts a script. Its stdin is closed: nobody is there to answer. */
export function startScript(command: ScriptCommand, options: ScriptProcessOptions = {}): ScriptProcess {
  const { onOutput, platform = process.platform } = options;
  const child = (options.spawn ?? spawn)(command.command, [...command.arguments], {
    cwd: command.folder,
    env: command.environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    windowsHide: true,
    ...treeSpawnOptions(platform),
  });
  const tails: Record<OutputStream, string> = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream]?.setEncoding('utf8').on('data', (text: string) => {
      tails[stream] = (tails[stream] + text).slice(-tailCharacters);
      onOutput?.(stream, text);
    });
  }
  const { pid } = child;
  return {
    pid: pid ?? 0,
    exited: exitOf(child),
    tail: (stream) => tails[stream],
    kill: () => {
      if (pid !== undefined) endTree(pid, { platform });
    },
  };
}

function exitOf(child: ChildProcess): Promise<ExitStatus> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      const end = () => {
        clearTimeout(timer);
        resolve({ code, signal });
      };
      const timer = setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
        end();
      }, drainMs);
      child.once('close', end);
    });
  });
}
