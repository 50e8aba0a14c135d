// What the trainer tells of itself: events.ndjson (appended) and progress.json (overwritten in place) of the run folder.
import { closeSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import path from 'node:path';
import type { RunEvent } from '../../protocol/runEvents';
import type { RunProgress } from '../../protocol/runProgress';

/** An event before its time is known. */
export type NewRunEvent = RunEvent extends infer Event
  ? Event extends RunEvent
    ? Omit<Event, 'time'>
    : never
  : never;

/** Least time between two writings of the progress file, in ms. */
const progressPause = 100;
/** Longer than any progress, so that a shorter one leaves nothing of a longer one behind. */
const progressLength = 160;

/**
 * Writes synchronously, so that nothing is lost however the process ends. A run folder that cannot be written (a full
 * disk, a folder that was removed) does not stop the training: it is told once on stderr.
 */
export class RunReport {
  readonly #events: number;
  readonly #progress: number;
  #progressTime = -Infinity;
  #failed = false;
  #closed = false;

  /**
   * @param folder the run folder, which exists
   * @throws the file system's error where the files cannot be opened
   */
  constructor(
    folder: string,
    private readonly now: () => Date = () => new Date(),
  ) {
    const file = path.join(folder, 'events.ndjson');
    this.#events = openSync(file, 'a+', 0o600);
    this.#progress = openSync(path.join(folder, 'progress.json'), 'w', 0o600);
    this.#endTornLine();
  }

  event(event: NewRunEvent): void {
    this.#write(
      this.#events,
      Buffer.from(`${JSON.stringify({ ...event, time: this.now().toISOString() })}\n`),
      null,
    );
  }

  /** Tells how far the update in the making is; too frequent ones are left out. */
  progress(progress: RunProgress): void {
    const time = performance.now();
    if (time - this.#progressTime < progressPause) return;
    this.#progressTime = time;
    this.#write(this.#progress, Buffer.from(JSON.stringify(progress).padEnd(progressLength)), 0);
  }

  /** Waits until the events are on the disk. */
  flush(): void {
    fsyncSync(this.#events);
  }

  /** What comes after the end is left out. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.#events);
    closeSync(this.#progress);
  }

  #write(descriptor: number, data: Buffer, position: number | null): void {
    if (this.#closed) return;
    try {
      for (let done = 0; done < data.length;) {
        done += writeSync(descriptor, data, done, data.length - done, position);
      }
    } catch (error) {
      if (this.#failed) return;
      this.#failed = true;
      console.error(`Batch Planner cannot write its run folder any more: ${String(error)}`);
    }
  }

  /** A process that died in the middle of a line must not spoil the next one's first line. */
  #endTornLine(): void {
    const { size } = fstatSync(this.#events);
    if (size === 0) return;
    const last = Buffer.alloc(1);
    readSync(this.#events, last, 0, 1, size - 1);
    if (last.toString() !== '\n') this.#write(this.#events, Buffer.from('\n'), null);
  }
}

/** Logs as JSON can keep them: what is not a finite number is null. */
export function finiteLogs(logs: Readonly<Record<string, number>>): Record<string, number | null> {
  return Object.fromEntries(
    Object.entries(logs).map(([name, value]) => [name, Number.isFinite(value) ? value : null]),
  );
}
