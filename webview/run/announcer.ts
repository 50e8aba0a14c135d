// Tells a screen reader how a run goes, politely: at most each ten seconds, and only what is new.
import type { RunView } from '../../src/protocol/page';
import { formatDuration } from '../../src/planning/units';
import { formatFigure } from '../chart/numbers';
import { element } from '../dom';
import type { Translate } from '../l10n';
import { stateSentence } from './runStates';
import { progressOf } from './statusLine';

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

/** How the run goes, in a sentence. */
export function spokenRun(run: RunView, t: Translate): string {
  const parts = [stateSentence(run, t)];
  const { epoch, update } = progressOf(run, t);
  if (run.state === 'training') {
    for (const part of [epoch, update]) if (part !== null) parts.push(part);
    const { loss } = run.last;
    if (loss !== undefined && loss !== null) parts.push(t('loss {0}', formatFigure(loss)));
    if (run.leftMs !== null) parts.push(t('left {0}', formatDuration(run.leftMs)));
  }
  if (run.failure !== null) parts.push(run.failure.message);
  return parts.join(', ');
}
