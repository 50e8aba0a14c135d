// The host's side of reading GPUs: keeps one reader child, replaces it when it hangs or dies, tells each problem once.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { startReader, type GpuReader } from './readerProcess';
import { readSystemMemory } from './systemMemory';
import { toolLocationsFor } from './toolLocations';
import type { DeviceReading, GpuProblem, SystemMemoryReading, ToolLocations } from './types';

export interface GpuMonitorOptions {
  /** The reader script; default: the built one beside this file's bundle. */
  readonly readerPath?: string;
  /** Environment of the reader and of the tools it starts. */
  readonly environment?: NodeJS.ProcessEnv;
  readonly locations?: ToolLocations;
  /** A reading that takes longer ends the reader. Eight PowerShell calls on a slow Windows machine take over 10 s. */
  readonly timeoutMs?: number;
  /** A single call of nvidia-smi that takes longer is given up; without persistence mode it takes up to 5 s. */
  readonly toolTimeoutMs?: number;
  /** Called once for each problem, and again only after a reading without it. */
  readonly onProblem?: (problem: GpuProblem) => void;
  readonly start?: (readerPath: string, environment: NodeJS.ProcessEnv) => GpuReader;
  readonly systemMemory?: () => Promise<SystemMemoryReading>;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

const firstPauseMs = 5_000;
const longestPauseMs = 5 * 60_000;

/** Reads GPUs through a child process. Nothing it does blocks the host; `dispose` leaves no process behind. */
export class GpuMonitor {
  private readonly options: Required<Omit<GpuMonitorOptions, 'onProblem'>> &
    Pick<GpuMonitorOptions, 'onProblem'>;
  private reader: GpuReader | null = null;
  private underWay: Promise<DeviceReading> | null = null;
  private failure: { problem: GpuProblem; count: number; notBefore: number } | null = null;
  private told = new Set<string>();
  private disposed = false;

  constructor(options: GpuMonitorOptions = {}) {
    const environment = options.environment ?? process.env;
    this.options = {
      readerPath: options.readerPath ?? defaultReaderPath(),
      environment,
      locations: toolLocationsFor(process.platform, environment),
      timeoutMs: 30_000,
      toolTimeoutMs: 10_000,
      start: startReader,
      systemMemory: () => readSystemMemory(),
      now: Date.now,
      ...options,
    };
  }

  /** Process id of the reader; undefined while there is none. */
  get readerPid(): number | undefined {
    return this.reader?.pid;
  }

  /**
   * One reading; a second call while one is under way gets the same. It is always given: a reader that hangs or dies
   * makes a reading without GPUs that says so, and is started again after a pause that doubles each time.
   * @throws {Error} once the monitor is disposed
   */
  read(): Promise<DeviceReading> {
    if (this.disposed) return Promise.reject(new Error('The GPU monitor is disposed.'));
    this.underWay ??= this.readNow().finally(() => {
      this.underWay = null;
    });
    return this.underWay;
  }

  /** Ends the reader and all that it started, at once. */
  dispose(): void {
    this.disposed = true;
    this.reader?.kill();
    this.reader = null;
  }

  private async readNow(): Promise<DeviceReading> {
    const { readerPath, environment, locations, timeoutMs, toolTimeoutMs, start, now } = this.options;
    if (this.failure !== null && now() < this.failure.notBefore)
      return this.withoutGpus(this.failure.problem);
    this.reader ??= start(readerPath, environment);
    const outcome = await this.reader.read({ locations, toolTimeoutMs }, timeoutMs);
    if ('reading' in outcome) {
      const { problems } = outcome.reading;
      this.tell(problems);
      const hang = problems.find((problem) => problem.kind === 'timeout');
      if (hang === undefined) this.failure = null;
      // The reader lives, but something in it still waits for the tool that hangs.
      else this.giveUp(hang);
      return outcome.reading;
    }
    this.giveUp(outcome.failure);
    if (!this.disposed) this.tell([outcome.failure]);
    return this.withoutGpus(outcome.failure);
  }

  /** Ends the reader; the next one is started after a pause that doubles from failure to failure. */
  private giveUp(problem: GpuProblem): void {
    this.reader?.kill();
    this.reader = null;
    const count = (this.failure?.count ?? 0) + 1;
    const pause = Math.min(longestPauseMs, firstPauseMs * 2 ** (count - 1));
    this.failure = { problem, count, notBefore: this.options.now() + pause };
  }

  private async withoutGpus(problem: GpuProblem): Promise<DeviceReading> {
    const systemMemory = await this.options.systemMemory();
    return {
      gpus: [],
      systemMemory,
      problems: [problem],
      readAt: new Date(this.options.now()).toISOString(),
    };
  }

  private tell(problems: readonly GpuProblem[]): void {
    for (const problem of problems) {
      if (!this.told.has(problem.message)) this.options.onProblem?.(problem);
    }
    this.told = new Set(problems.map((problem) => problem.message));
  }
}

/** One reading by a reader that lives only for it. An abort ends it at once with the abort's reason. */
export async function readDevices(
  options: GpuMonitorOptions & { readonly signal?: AbortSignal } = {},
): Promise<DeviceReading> {
  const { signal, ...monitorOptions } = options;
  signal?.throwIfAborted();
  const monitor = new GpuMonitor(monitorOptions);
  const stop = (): void => monitor.dispose();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    const reading = await monitor.read();
    signal?.throwIfAborted();
    return reading;
  } finally {
    signal?.removeEventListener('abort', stop);
    monitor.dispose();
  }
}

/** The built reader: beside the bundle that this code is in, or, run from the sources, in the build's folder. */
function defaultReaderPath(): string {
  const beside = path.join(__dirname, 'gpuReader.js');
  return existsSync(beside) ? beside : path.join(__dirname, '../../dist/gpuReader.js');
}
