// The second line of a run: speed, time trained, memory, and how long ago it was saved; the times go on by themselves.
import type { RunView } from '../../src/protocol/page';
import { formatBytes, formatCount, formatDuration, formatShare } from '../../src/planning/units';
import { element, setAttribute, setShown, setText } from '../dom';
import type { Translate } from '../l10n';
import { formatFigure } from '../chart/numbers';
import { isRunning } from './runStates';

/** Of less, in ms, saving is no part that would mean anything. */
const leastTime = 10_000;

/** The line of figures. */
export class FiguresLine {
  readonly root = element('div', { class: 'run-figures' });
  readonly #speed = element('span');
  readonly #trained = element('span');
  readonly #left = element('span');
  readonly #memory = element('span');
  readonly #saved = element('span');
  readonly #setup = element('span');
  readonly #t: Translate;
  #run: RunView | null = null;
  #timer: number | null = null;

  constructor(t: Translate) {
    this.#t = t;
    this.root.append(this.#speed, this.#trained, this.#left, this.#memory, this.#saved, this.#setup);
    document.addEventListener('visibilitychange', () => this.#keepTime());
  }

  /** Shows the run's figures. */
  show(run: RunView): void {
    this.#run = run;
    const t = this.#t;
    const { examplesPerSecond, memoryBytes, budgetBytes, leftMs } = run;
    const running = isRunning(run.state);
    put(this.#speed, examplesPerSecond === null ? null : this.#speedText(run, examplesPerSecond));
    put(this.#left, leftMs === null || !running ? null : t('left {0}', formatDuration(leftMs)));
    put(
      this.#memory,
      memoryBytes === null
        ? null
        : budgetBytes === null
          ? t('memory {0}', formatBytes(memoryBytes))
          : t('memory {0} / {1}', formatBytes(memoryBytes), formatBytes(budgetBytes)),
    );
    put(
      this.#setup,
      t(
        '{0} examples per update, at most {1} at once',
        formatCount(run.targetBatchSize),
        formatCount(run.microbatchSize),
      ),
    );
    setAttribute(
      this.#trained,
      'title',
      t(
        'Time in which updates were made: pauses and interruptions do not count. The run was started {0}.',
        new Date(run.startedAt).toLocaleString(),
      ),
    );
    this.#tick();
    this.#keepTime();
  }

  /** Slow trainings are told with a digit more: 0.42 examples/s. What it was before is not told as if it were now. */
  #speedText({ trainingSince }: RunView, perSecond: number): string {
    const t = this.#t;
    const speed = perSecond < 10 ? formatFigure(perSecond) : formatCount(perSecond);
    return trainingSince === null ? t('last {0} examples/s', speed) : t('{0} examples/s', speed);
  }

  /** How long ago it was saved, and which part of the time saving takes. */
  #savedText({ savedAt, savingMs }: RunView, trained: number): string | null {
    const t = this.#t;
    if (savedAt === null) return null;
    const ago = formatSeconds(Date.now() - Date.parse(savedAt));
    if (trained < leastTime) return t('saved {0} ago', ago);
    return t('saved {0} ago ({1} of the time)', ago, formatShare(savingMs / trained));
  }

  /** Ticks each second while the run goes on and the page can be seen. */
  #keepTime(): void {
    const ticks = this.#run !== null && isRunning(this.#run.state) && !document.hidden;
    if (ticks && this.#timer === null) this.#timer = window.setInterval(() => this.#tick(), 1000);
    if (!ticks && this.#timer !== null) {
      window.clearInterval(this.#timer);
      this.#timer = null;
    }
  }

  #tick(): void {
    const run = this.#run;
    if (run === null) return;
    const t = this.#t;
    const { trainedMs, trainingSince } = run;
    const now = trainingSince === null ? 0 : Math.max(0, Date.now() - Date.parse(trainingSince));
    const hasBegun = trainingSince !== null || trainedMs > 0;
    put(this.#trained, hasBegun ? t('trained {0}', formatSeconds(trainedMs + now)) : null);
    put(this.#saved, this.#savedText(run, trainedMs + now));
  }
}

/** A time that is watched while it goes on: whole seconds. */
function formatSeconds(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return seconds < 60 ? `${seconds} s` : formatDuration(seconds * 1000);
}

function put(target: HTMLElement, text: string | null): void {
  setShown(target, text !== null);
  setText(target, text ?? '');
}
