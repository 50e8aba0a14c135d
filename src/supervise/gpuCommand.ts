// `batch-planner gpu`: the GPUs and their memory, once or again and again, for people or as JSON.
import { setTimeout as sleep } from 'node:timers/promises';
import { GpuMonitor } from '../gpu/monitor';
import type { DeviceReading } from '../gpu/types';
import { exitCodes, type ExitCode } from '../protocol/exitCodes';

export interface GpuCommandOptions {
  readonly json: boolean;
  /** Read again and again until the signal, or until nobody reads what is written. */
  readonly watch: boolean;
  readonly out: NodeJS.WritableStream;
  readonly err: { write(text: string): unknown };
  /** Ends the command; default: Ctrl-C, or a request to terminate. */
  readonly signal?: AbortSignal;
  /** Shows a reading to a person (`createGpuView` of the terminal part); not used for JSON. */
  readonly view: { show(reading: DeviceReading): void; end(): void };
  readonly monitor?: GpuMonitor;
  /** Pause between the end of a reading and the next one. */
  readonly intervalMs?: number;
}

/** What `gpu --json` prints: with `--watch` one such document a line, else one, indented. */
export type GpuDocument = { readonly version: 1 } & DeviceReading;

/**
 * Runs the command. A machine without a GPU is no failure, nor is a GPU that cannot be read: what is known is shown,
 * and why the rest is not.
 * @returns the exit code: done, or interrupted when the signal ended it
 */
export async function runGpuCommand(options: GpuCommandOptions): Promise<ExitCode> {
  const { json, watch, out, err, view, intervalMs = 2_000 } = options;
  const interruption = new AbortController();
  const interrupt = (): void => interruption.abort();
  const signal = options.signal ?? interruption.signal;
  if (options.signal === undefined)
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, interrupt);
  const unread = new AbortController();
  // `gpu --watch | head` closes the pipe when it has seen enough.
  const outputFailed = (): void => unread.abort();
  const monitor =
    options.monitor ??
    new GpuMonitor({ onProblem: ({ message }) => (json ? err.write(`${message}\n`) : undefined) });
  const stop = AbortSignal.any([signal, unread.signal]);
  const dispose = (): void => monitor.dispose();
  // Stays on: a pipe tells of its end only after the last reading was written.
  out.on('error', outputFailed);
  stop.addEventListener('abort', dispose, { once: true });
  try {
    while (!stop.aborted) {
      const reading = await monitor.read();
      if (stop.aborted) break;
      if (json) out.write(documentOf(reading, watch));
      else view.show(reading);
      if (!watch) break;
      await sleep(intervalMs, undefined, { signal: stop }).catch(endOfSleep);
    }
  } finally {
    monitor.dispose();
    stop.removeEventListener('abort', dispose);
    if (!json) view.end();
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, interrupt);
  }
  return signal.aborted ? exitCodes.interrupted : exitCodes.done;
}

function documentOf(reading: DeviceReading, onOneLine: boolean): string {
  const document: GpuDocument = { version: 1, ...reading };
  return `${JSON.stringify(document, null, onOneLine ? undefined : 2)}\n`;
}

/** The loop looks at the signal itself. */
function endOfSleep(error: unknown): void {
  if (!(error instanceof Error && error.name === 'AbortError')) throw error;
}
