// Reads the GPUs again and again while the window is focused, and rests while nobody looks or nothing changes.
import * as vscode from 'vscode';
import { GpuMonitor } from '../gpu/monitor';
import type { DeviceReading } from '../gpu/types';
import { messageOf } from './log';
import { setting } from './settings';

/** The pause grows to this while nothing changes, in ms. */
const longestPause = 60_000;
/** After the activation, before the first reading, in ms: the window has better things to do just then. */
const firstPause = 2_000;

export class GpuPoller implements vscode.Disposable {
  readonly #monitor: GpuMonitor;
  readonly #changed = new vscode.EventEmitter<DeviceReading>();
  readonly #subscriptions: vscode.Disposable[];
  #timer: NodeJS.Timeout | null = null;
  #isReading = false;
  #pause = 0;
  #last: DeviceReading | null = null;
  #isDisposed = false;

  /** Fires after each reading. */
  readonly onDidRead = this.#changed.event;

  constructor(
    readerPath: string,
    private readonly log: vscode.LogOutputChannel,
  ) {
    this.#monitor = new GpuMonitor({
      readerPath,
      onProblem: ({ kind, message }) => log.warn(`GPU (${kind}): ${message}`),
    });
    this.#subscriptions = [
      this.#changed,
      vscode.window.onDidChangeWindowState(({ focused }) => {
        if (focused) this.#schedule(0);
        else this.#cancel();
      }),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration('batchPlanner.statusBar')) this.#schedule(0);
      }),
    ];
    this.#schedule(firstPause);
  }

  /** The last reading; null before the first. */
  get last(): DeviceReading | null {
    return this.#last;
  }

  /** A reading of now, which a person asked for: also while polling rests. */
  async readNow(): Promise<DeviceReading> {
    const reading = await this.#monitor.read();
    this.#show(reading);
    return reading;
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#cancel();
    this.#monitor.dispose();
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  #cancel(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #schedule(pause: number): void {
    this.#cancel();
    const isWanted = vscode.window.state.focused && setting('statusBarShow') !== 'never';
    if (this.#isDisposed || this.#isReading || !isWanted) return;
    this.#timer = setTimeout(() => void this.#poll(), pause);
  }

  async #poll(): Promise<void> {
    this.#isReading = true;
    const before = this.#last;
    try {
      this.#show(await this.#monitor.read());
    } catch (error) {
      if (!this.#isDisposed) this.log.error(`GPUs cannot be read: ${messageOf(error)}`);
    } finally {
      this.#isReading = false;
    }
    const shortest = setting('statusBarPollSeconds') * 1000;
    const isSame = before !== null && this.#last !== null && rounded(before) === rounded(this.#last);
    const isHidden = this.#last?.gpus.length === 0 && setting('statusBarShow') === 'gpu';
    if (isHidden) this.#pause = longestPause;
    else this.#pause = isSame ? Math.min(longestPause, Math.max(shortest, this.#pause * 2)) : shortest;
    this.#schedule(this.#pause);
  }

  #show(reading: DeviceReading): void {
    this.#last = reading;
    if (!this.#isDisposed) this.#changed.fire(reading);
  }
}

/** What of a reading a person would see change: memory in steps of 64 MiB. */
function rounded({ gpus, systemMemory, problems }: DeviceReading): string {
  const step = (bytes: number | null): number | null => (bytes === null ? null : Math.round(bytes / 2 ** 26));
  return JSON.stringify([
    gpus.map(({ busId, name, memoryUsedBytes }) => [busId, name, step(memoryUsedBytes)]),
    step(systemMemory.usedBytes),
    problems.map(({ message }) => message),
  ]);
}
