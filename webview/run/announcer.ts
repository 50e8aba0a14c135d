// Tells a screen reader how things go, politely: at most each ten seconds, and only what is new.
import { element } from '../dom';

/** At least this long between two sentences, in ms. */
const pause = 10_000;

/** A region that is read out when its text changes. */
export class Announcer {
  readonly root = element('div', {
    class: 'visually-hidden run-announcer',
    attributes: { role: 'status', 'aria-live': 'polite' },
  });
  #next = '';
  #timer: number | null = null;
  #lastAt = -Infinity;

  /** Says this now, or when it is time again; of several only the last. */
  say(text: string): void {
    this.#next = text;
    if (this.#timer !== null || text === this.root.textContent) return;
    const wait = Math.max(0, this.#lastAt + pause - performance.now());
    this.#timer = window.setTimeout(() => {
      this.#timer = null;
      this.#lastAt = performance.now();
      if (this.root.textContent !== this.#next) this.root.textContent = this.#next;
    }, wait);
  }
}
