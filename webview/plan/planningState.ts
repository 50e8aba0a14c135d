// While a plan is being made: what runs now, for how long, and the way to end it.
import { formatCount, formatDuration } from '../../src/planning/units';
import type { PlanView } from '../../src/protocol/page';
import { createButton, setButtonLabel, type Button } from '../controls';
import { element, icon, setChildren, setShown, setText } from '../dom';
import { t } from '../l10n';

export type PlanningView = Extract<PlanView, { state: 'planning' }>;

export class PlanningState {
  readonly element: HTMLElement;
  readonly #doing = element('h2', { class: 'equation' });
  readonly #elapsed = element('span', { class: 'elapsed' });
  readonly #cancel: Button;
  readonly #model = element('p', { class: 'muted' });
  readonly #passedOver = element('ul', { class: 'passed-over' });
  #startedAt = 0;
  #timer: number | null = null;

  constructor(cancel: () => void) {
    this.#cancel = createButton(t('Cancel'), cancel);
    this.element = element(
      'div',
      { class: 'answer' },
      element(
        'div',
        { class: 'doing-line' },
        icon('loading codicon-modifier-spin'),
        this.#doing,
        this.#elapsed,
        this.#cancel,
      ),
      this.#model,
      this.#passedOver,
    );
  }

  /** Shows how planning stands; null: no planning is going on. */
  show(view: PlanningView | null): void {
    setShown(this.element, view !== null);
    if (view === null) {
      if (this.#timer !== null) window.clearInterval(this.#timer);
      this.#timer = null;
      return;
    }
    setText(this.#doing, doingText(view));
    setButtonLabel(this.#cancel, view.isCancelling ? t('Cancelling…') : t('Cancel'));
    this.#cancel.disabled = view.isCancelling;
    setText(this.#model, modelText(view));
    const passedOver = view.backend?.passedOver ?? [];
    setChildren(this.#passedOver, JSON.stringify(passedOver), () =>
      passedOver.map(({ name, reason }) => element('li', {}, t('Not {0}: {1}', name, reason))),
    );
    this.#startedAt = Date.parse(view.startedAt);
    this.#tick();
    this.#timer ??= window.setInterval(() => this.#tick(), 1000);
  }

  #tick(): void {
    // Whole seconds: a figure that is not seen to jump.
    const seconds = Math.max(0, Math.floor((Date.now() - this.#startedAt) / 1000));
    setText(this.#elapsed, seconds < 60 ? `${seconds} s` : formatDuration(seconds * 1000));
  }
}

/** What runs now, in a sentence. */
export function doingText({ trying, backend, inspection, isCancelling, trials }: PlanningView): string {
  if (isCancelling) return t('Cancelling…');
  if (trying !== null) {
    return trying === 1 ? t('Trying one example at once…') : t('Trying {0} at once…', formatCount(trying));
  }
  if (backend === null) return t('Starting the script…');
  if (inspection === null) return t('Waiting for the script to train…');
  return trials.length === 0
    ? t('Checking that parts equal the whole…')
    : t('Looking for the largest microbatch…');
}

function modelText({ inspection }: PlanningView): string {
  if (inspection === null) return '';
  const { modelName, parameters, optimizer, targetBatchSize } = inspection;
  return t(
    'Model {0}: {1} parameters, {2}, {3} examples per update',
    modelName,
    formatCount(parameters),
    optimizer,
    formatCount(targetBatchSize),
  );
}
