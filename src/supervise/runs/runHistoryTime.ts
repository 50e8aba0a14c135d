// How long a run has trained, by the times of its events: pauses do not count, nor what lies between two processes.
import type { RunEvent } from '../../protocol/runEvents';

/** Adds up stretches of training, each from `started` or `resumed` to `paused`, `ended` or a death without a word. */
export class TrainedTime {
  #doneMs = 0;
  /** Begin of the stretch that is under way, in ms since 1970; null while it is paused, or there is no process. */
  #since: number | null = null;
  /** Of the last event, in ms since 1970. */
  #last = 0;

  /** Begin of the stretch that is under way, in ms since 1970; null for none. */
  get since(): number | null {
    return this.#since;
  }

  /** Of the stretches before the one that is under way, in ms. */
  get doneMs(): number {
    return this.#doneMs;
  }

  /** Up to the last event, in ms: all there is of a run whose process is gone. */
  get toLastEventMs(): number {
    return this.#doneMs + (this.#since === null ? 0 : Math.max(0, this.#last - this.#since));
  }

  add(event: RunEvent): void {
    const time = Date.parse(event.time);
    if (event.type === 'started') {
      // The process before may have died without a word: it trained until its last event, as far as is known.
      this.#end(this.#last);
      this.#since = time;
      // A new process went over what was done until here, and made no updates.
    } else if (event.type === 'resumed') this.#since = time;
    else if (event.type === 'paused' || event.type === 'ended') this.#end(time);
    this.#last = time;
  }

  #end(time: number): void {
    if (this.#since !== null) this.#doneMs += Math.max(0, time - this.#since);
    this.#since = null;
  }
}
