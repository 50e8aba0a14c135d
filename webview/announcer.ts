// Tells a screen reader how things stand, seldom enough to be bearable.
import { element } from './dom';

/** Least time between two announcements, in ms. */
const pause = 10_000;

/** Says the newest of the texts it is given, at most once in ten seconds, and nothing twice in a row. */
export class Announcer {
  readonly element = element('div', {
    class: 'visually-hidden',
    attributes: { role: 'status', 'aria-live': 'polite' },
  });
  #next = '';
  #lastAt = -Infinity;
  #timer: number | null = null;

  say(text: string): void {
    this.#next = text;
    if (this.#timer !== null || text === this.element.textContent) return;
    const wait = Math.max(0, this.#lastAt + pause - performance.now());
    this.#timer = window.setTimeout(() => {
      this.#timer = null;
      this.#lastAt = performance.now();
      if (this.element.textContent !== this.#next) this.element.textContent = this.#next;
    }, wait);
  }
}
