// Runs a short-lived tool with a time limit and takes what it says.
import { spawn } from 'node:child_process';

/** How a tool ended. `missing`: there is no such program (or none that may be run). */
export type ToolResult =
  | { readonly kind: 'ended'; readonly code: number | null; readonly stdout: string; readonly stderr: string }
  | { readonly kind: 'missing'; readonly reason: string }
  | { readonly kind: 'timeout' };

/** More than any answer that is meant for us; a tool that says more is cut short. */
const longestAnswer = 4 * 1024 * 1024;

/**
 * Runs `program` with `args` (no shell) and waits at most `timeoutMs`, after which it is killed.
 * Messages are asked for in English, because they are matched by their words.
 */
export function runTool(program: string, args: readonly string[], timeoutMs: number): Promise<ToolResult> {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
      env: { ...process.env, LC_ALL: 'C' },
    });
    let stdout = '';
    let stderr = '';
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      // The answer does not wait for the end: a tool stuck in the kernel does not end when it is killed, and a
      // process that the tool started may hold its pipes.
      child.stdout.destroy();
      child.stderr.destroy();
      resolve({ kind: 'timeout' });
    }, timeoutMs);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      if (stdout.length > longestAnswer) child.kill('SIGKILL');
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (stderr.length < longestAnswer) stderr += text;
    });
    child.on('error', (error) => {
      clearTimeout(timer);
      resolve({ kind: 'missing', reason: error.message });
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ kind: 'ended', code, stdout, stderr });
    });
  });
}
