// Runs one program of the setup: no shell, its whole process tree ended when the setup is interrupted or it stalls.
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { endTree, treeSpawnOptions } from '../processTree';

/** What a program is run with. */
export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
  /** Ends the program after this long. */
  readonly limitMs?: number;
  readonly input?: string;
}

/** How a program ended. `code` is null when a signal ended it or it could not be started. */
export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
}

/** The spawner of the setup, injected so that plans can be tested without the programs. */
export type RunCommand = (
  program: string,
  args: readonly string[],
  options?: CommandOptions,
) => Promise<CommandResult>;

/** Enough to find the error in; a longer output keeps its end. */
const keptCharacters = 1024 * 1024;

/**
 * Runs a program to its end. A program that cannot be started gives code null and the reason as stderr.
 * @throws the signal's reason when it is aborted, after the process tree was ended
 */
export const runCommand: RunCommand = (program, args, options = {}) => {
  options.signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    let child: ChildProcessWithoutNullStreams;
    try {
      child = spawn(program, args, {
        cwd: options.cwd,
        env: options.env ?? process.env,
        stdio: ['pipe', 'pipe', 'pipe'],
        // Ctrl-C in the terminal reaches only us, and we end the whole tree.
        windowsHide: true,
        ...treeSpawnOptions(process.platform),
      });
    } catch (error) {
      // Node refuses some at once: a batch file of Windows, a name with a null byte.
      const stderr = error instanceof Error ? error.message : String(error);
      resolve({ code: null, stdout: '', stderr, timedOut: false });
      return;
    }
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        output[name] = (output[name] + text).slice(-keptCharacters);
      });
    }
    let timedOut = false;
    const stop = () => {
      // Nothing to end where it could not be started, or has ended and its pipes are being read.
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) endTree(child.pid);
    };
    const timer =
      options.limitMs === undefined
        ? undefined
        : setTimeout(() => ((timedOut = true), stop()), options.limitMs);
    options.signal?.addEventListener('abort', stop, { once: true });
    const finish = (code: number | null) => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', stop);
      if (options.signal?.aborted) reject(options.signal.reason as Error);
      else resolve({ code, ...output, timedOut });
    };
    child.once('error', (error) => {
      output.stderr += error.message;
      finish(null);
    });
    child.once('close', (code) => finish(code));
    // A program that ends without reading its input is no error of ours: its exit code tells.
    child.stdin.on('error', (error) => (output.stderr += `\n(its input: ${error.message})`));
    child.stdin.end(options.input ?? '');
  });
};

/** The last lines of what a program said, for an error message. */
export function lastWords(result: CommandResult, lines = 3): string {
  const said = `${result.stdout}\n${result.stderr}`.split('\n').map((line) => line.trim());
  return said
    .filter((line) => line !== '')
    .slice(-lines)
    .join(' | ');
}
