// The answer: the equation that a person came for, and what it costs.
import type { Plan } from '../../src/planning/plan';
import { formatBytes, formatBytesAgainst, formatDuration } from '../../src/planning/units';
import { createButton } from '../controls';
import { badge, element, icon, setAttribute, setChildren, setShown, setText } from '../dom';
import { t } from '../l10n';
import type { Answer } from './choice';
import { equationParts, exactBytes, exactnessOf } from './texts';

export class AnswerPart {
  readonly element: HTMLElement;
  readonly #equation = element('h2', { class: 'equation', attributes: { tabindex: '-1' } });
  readonly #copy: HTMLElement;
  readonly #badge = badge(t('estimate'));
  readonly #outdated = badge(t('out of date'));
  readonly #peak = new Fact(t('Peak memory'));
  readonly #time = new Fact(t('Time per update'));
  readonly #exactness = new Fact(t('Against the full batch'));
  readonly #note = element('p', { class: 'muted' });
  #text = '';

  constructor(copyText: (text: string) => void) {
    this.#copy = createButton(t('Copy'), () => copyText(this.#text), { look: 'icon', icon: 'copy' });
    this.element = element(
      'div',
      { class: 'answer' },
      element('div', { class: 'equation-line' }, this.#equation, this.#copy, this.#badge, this.#outdated),
      element('dl', { class: 'facts' }, this.#peak.element, this.#time.element, this.#exactness.element),
      this.#note,
    );
  }

  /**
   * @param note a sentence under the figures; empty for none
   * @param isOutdated a field holds something else, which cannot be used: this is not the answer to it
   */
  show(plan: Plan, answer: Answer, budgetBytes: number | null, note: string, isOutdated: boolean): void {
    this.element.classList.toggle('is-outdated', isOutdated);
    setShown(this.#outdated, isOutdated);
    setShown(this.#badge, answer.isEstimate && !isOutdated);
    setText(
      this.#note,
      isOutdated
        ? t('This is the answer to what was entered before, until the field below can be used.')
        : note,
    );
    setShown(this.#note, isOutdated || note !== '');
    setShown(this.#copy, answer.fits && !isOutdated);
    const parts = answer.fits
      ? equationParts(answer.targetBatchSize, answer.counts)
      : [
          budgetBytes === null
            ? t('Not even one example fits: it needs {0}.', formatBytes(answer.needsBytes))
            : t(
                'Not even one example fits: it needs {0}, and {1} may be used.',
                ...formatBytesAgainst(answer.needsBytes, budgetBytes),
              ),
        ];
    this.#text = parts.join(' ');
    setChildren(this.#equation, this.#text, () =>
      parts.flatMap((part, index) => [
        ...(index === 0 ? [] : [' ']),
        element('span', { class: answer.fits && parts.length > 1 ? 'unbroken' : 'whole' }, part),
      ]),
    );
    for (const fact of [this.#peak, this.#time, this.#exactness]) setShown(fact.element, answer.fits);
    if (!answer.fits) return;
    this.#showPeak(answer.peakBytes, budgetBytes, answer.isPeakEstimate);
    this.#time.show(answer.updateMs === null ? null : formatDuration(answer.updateMs), answer.isTimeEstimate);
    const exactness = exactnessOf(plan, answer.accumulationSteps);
    this.#exactness.show(
      exactness.short,
      false,
      `(${exactness.detail})`,
      exactness.isExact ? 'check' : 'info',
    );
  }

  /** Moves the focus to the equation. */
  focus(): void {
    this.#equation.focus();
  }

  #showPeak(peakBytes: number | null, budgetBytes: number | null, isEstimate: boolean): void {
    const isOver = peakBytes !== null && budgetBytes !== null && peakBytes > budgetBytes;
    const [peak, budget] = formatBytesAgainst(peakBytes, budgetBytes);
    this.#peak.show(
      peakBytes === null ? null : peak,
      isEstimate,
      budgetBytes === null
        ? ''
        : isOver
          ? t('over the budget of {0}', budget)
          : t('of {0} that may be used', budget),
      isOver ? 'warning' : undefined,
    );
    setAttribute(this.#peak.element, 'title', peakBytes === null ? null : exactBytes(peakBytes));
  }
}

/** A figure with its name. */
class Fact {
  readonly element: HTMLElement;
  readonly #icon = element('span', { class: 'fact-icon' });
  readonly #value = element('span', { class: 'fact-value' });
  readonly #badge = badge(t('estimate'));
  readonly #detail = element('span', { class: 'fact-detail' });

  constructor(name: string) {
    this.element = element(
      'div',
      {},
      element('dt', {}, name),
      element('dd', {}, this.#icon, this.#value, ' ', this.#detail, ' ', this.#badge),
    );
  }

  /** @param value null: unknown */
  show(value: string | null, isEstimate: boolean, detail = '', iconName?: string): void {
    setText(this.#value, value ?? t('unknown'));
    setText(this.#detail, detail);
    setShown(this.#badge, isEstimate && value !== null);
    setChildren(this.#icon, iconName ?? '', () => (iconName === undefined ? [] : [icon(iconName)]));
  }
}
