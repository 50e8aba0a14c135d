// The second line of a run: speed, time, memory, and how long ago it was saved; the times go on by themselves.
import type { RunView } from '../../src/protocol/page';
import { formatBytes, formatCount, formatDuration } from '../../src/planning/units';
import { element, setShown, setText } from '../dom';
import type { Translate } from '../l10n';
import { formatFigure } from '../chart/numbers';
import { isRunning } from './runStates';

/** The line of figures. */
export class FiguresLine {
  readonly root = element('div', { class: 'run-figures' });
  readonly #speed = element('span');
  readonly #elapsed = element('span');
  readonly #left = element('span');
  readonly #memory = element('span');
  readonly #saved = element('span');
  readonly #setup = element('span');
  readonly #t: Translate;
  #run: RunView | null = null;
  #lastPointMs = 0;
  #timer: number | null = null;

  constructor(t: Translate) {
    this.#t = t;
    this.root.append(this.#speed, this.#elapsed, this.#left, this.#memory, this.#saved, this.#setup);
    document.addEventListener('visibilitychange', () => this.#keepTime());
  }

  /** Shows the run's figures; `lastPointMs`: time of its last point, in ms since its start. */
  show(run: RunView, lastPointMs: number): void {
    this.#run = run;
    this.#lastPointMs = lastPointMs;
    const t = this.#t;
    const { examplesPerSecond, memoryBytes, budgetBytes, leftMs } = run;
    const running = isRunning(run.state);
    // Slow trainings are told with a digit more: 0.42 examples/s.
    put(
      this.#speed,
      examplesPerSecond === null
        ? null
        : t(
            '{0} examples/s',
            examplesPerSecond < 10 ? formatFigure(examplesPerSecond) : formatCount(examplesPerSecond),
          ),
    );
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
    this.#tick();
    this.#keepTime();
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
    const started = Date.parse(run.startedAt);
    const running = isRunning(run.state);
    const end = running
      ? Date.now()
      : run.endedAt === null
        ? started + this.#lastPointMs
        : Date.parse(run.endedAt);
    put(this.#elapsed, t('elapsed {0}', formatSeconds(end - started)));
    put(
      this.#saved,
      run.savedAt === null ? null : t('saved {0} ago', formatSeconds(Date.now() - Date.parse(run.savedAt))),
    );
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
