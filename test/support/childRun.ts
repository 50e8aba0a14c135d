// What a child process prints, and how it ends.
import type { ChildProcess } from 'node:child_process';

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

/** A command that runs. */
export interface Running {
  readonly child: ChildProcess;
  readonly end: Promise<Ended>;
  /** What it has printed on stdout so far. */
  printed(): string;
}

/** Collects what a child prints from now on; its stdout and stderr are pipes. */
export function runOf(child: ChildProcess): Running {
  let out = '';
  let err = '';
  child.stdout?.setEncoding('utf8').on('data', (piece: string) => (out += piece));
  child.stderr?.setEncoding('utf8').on('data', (piece: string) => (err += piece));
  const end = new Promise<Ended>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal, out, err }));
  });
  return { child, end, printed: () => out };
}
