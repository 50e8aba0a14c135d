// What the trainer tells of itself: events.ndjson (appended) and progress.json (overwritten in place) of the run folder.
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import path from 'node:path';
import { fileRemedy, fileTrouble, isOutOfRoom } from '../../protocol/fileTrouble';
import type { RunEvent } from '../../protocol/runEvents';
import type { RunProgress } from '../../protocol/runProgress';
import { SpareRoom } from './spareRoom';
import { WaitingLines } from './waitingLines';

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
 * disk, one that is read-only for a while) does not stop the training: that is told once, what is told meanwhile waits
 * in memory and is written later, and the end of the trouble is told too.
 */
export class RunReport {
  readonly #events: number;
  readonly #progress: number;
  readonly #lines: WaitingLines;
  readonly #spare: SpareRoom;
  #progressTime = -Infinity;
  #isInTrouble = false;
  #closed = false;

  /**
   * @param folder the run folder, which exists
   * @throws the file system's error where the files cannot be opened
   */
  constructor(
    private readonly folder: string,
    private readonly now: () => Date = () => new Date(),
  ) {
    this.#events = openSync(path.join(folder, 'events.ndjson'), 'a+', 0o600);
    this.#progress = openSync(path.join(folder, 'progress.json'), 'w', 0o600);
    this.#lines = new WaitingLines(this.#events);
    this.#spare = new SpareRoom(folder);
  }

  /**
   * Writes the first event of this process. A training that could not even tell of its start would end unheard.
   * @throws the file system's error where it cannot be written; nothing of this report is left then
   */
  begin(event: NewRunEvent): void {
    const write = (): Error | null =>
      this.#lines.first(`${this.#isTorn() ? '\n' : ''}${this.#lineOf(event)}`);
    let error = write();
    if (error !== null && isOutOfRoom(error)) {
      this.#spare.give();
      error = write();
    }
    if (error === null) return;
    this.close();
    throw error;
  }

  event(event: NewRunEvent): void {
    if (this.#closed) return;
    const line = this.#lineOf(event);
    const error = this.#lines.add(line, event.type === 'update');
    if (error !== null) this.#troubled(error);
    else if (this.#isInTrouble) this.#recovered();
    // The last word, behind which nothing comes: what waits before it may not keep it out. Where even that cannot be
    // written, the process's exit code says how it ended.
    if (error !== null && event.type === 'ended') this.#insist(line, error);
  }

  /** Tells how far the update in the making is; too frequent ones are left out. */
  progress(progress: RunProgress): void {
    const time = performance.now();
    if (this.#closed || time - this.#progressTime < progressPause) return;
    this.#progressTime = time;
    try {
      writeSync(this.#progress, JSON.stringify(progress).padEnd(progressLength), 0);
    } catch {
      // Without worth a moment later. Trouble with the folder is told by the events, which are more often written.
    }
  }

  /** Waits until the events are on the disk, as far as they can be written. */
  flush(): void {
    const error = this.#lines.flush();
    if (error !== null) this.#troubled(error);
  }

  /** What comes after the end is left out. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#spare.remove();
    closeSync(this.#events);
    closeSync(this.#progress);
  }

  #lineOf(event: NewRunEvent): string {
    return JSON.stringify({ ...event, time: this.now().toISOString() });
  }

  #noteOf(message: string): string {
    return this.#lineOf({ type: 'warning', warning: { code: 'note', message, layers: [] } });
  }

  #troubled(error: Error): void {
    if (this.#isInTrouble) return;
    this.#isInTrouble = true;
    const message =
      `The run folder ${this.folder} cannot be written: ${fileTrouble(error)}. ${fileRemedy(error)}: the training ` +
      'goes on, and what it has to tell waits in memory until then.';
    // The script's output goes to another file, which may have some room.
    if (!this.#insist(this.#noteOf(message), error)) console.error(`Batch Planner: ${message}`);
  }

  #recovered(): void {
    // Where the room that is kept for bad times cannot be taken again, they are not over.
    if (!this.#spare.take()) return;
    this.#isInTrouble = false;
    const { dropped } = this.#lines;
    const lost =
      dropped === 0 ? '' : ` ${dropped} updates were too many to keep, and are missing in its events.`;
    this.#lines.add(this.#noteOf(`The run folder can be written again.${lost}`), false);
  }

  /**
   * Writes a line before all that wait, into the room that is kept for it.
   * @returns whether it is written
   */
  #insist(line: string, cause: Error): boolean {
    if (isOutOfRoom(cause)) this.#spare.give();
    return this.#lines.first(line) === null;
  }

  /** True where a process died in the middle of a line, which must not spoil this one's first line. */
  #isTorn(): boolean {
    const { size } = fstatSync(this.#events);
    if (size === 0) return false;
    const last = Buffer.alloc(1);
    readSync(this.#events, last, 0, 1, size - 1);
    return last.toString() !== '\n';
  }
}

/** Logs as JSON can keep them: what is not a finite number is null. */
export function finiteLogs(logs: Readonly<Record<string, number>>): Record<string, number | null> {
  return Object.fromEntries(
    Object.entries(logs).map(([name, value]) => [name, Number.isFinite(value) ? value : null]),
  );
}
