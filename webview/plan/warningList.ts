// What a plan warns of; for batch normalization, what can be done about it.
import { warningText } from '../../src/planning/describe';
import type { PlanWarning } from '../../src/planning/warning';
import { isMendedBySetup } from '../../src/planning/warningRemedy';
import type { PageMessage } from '../../src/protocol/page';
import { createButton } from '../controls';
import { element, icon, setChildren } from '../dom';
import { t } from '../l10n';

/** Warnings that are rather worth knowing than a danger. */
const mild: ReadonlySet<PlanWarning['code']> = new Set([
  'note',
  'randomLayer',
  'sampleMayNotBeWorstCase',
  'notPlanned',
]);

export class WarningList {
  readonly element: HTMLElement;
  readonly #list = element('ul');

  constructor(private readonly send: (message: PageMessage) => void) {
    this.element = element(
      'section',
      { class: 'warnings', attributes: { 'aria-label': t('Warnings') } },
      this.#list,
    );
  }

  /** @param isTrusted false in Restricted Mode: nothing can be set up */
  show(warnings: readonly PlanWarning[], isTrusted: boolean): void {
    this.element.hidden = warnings.length === 0;
    setChildren(this.#list, JSON.stringify([warnings, isTrusted]), () =>
      warnings.map((warning) => warningItem(warning, isTrusted ? this.send : null)),
    );
  }
}

/** @param send null where nothing can be offered */
function warningItem(warning: PlanWarning, send: ((message: PageMessage) => void) | null): HTMLElement {
  const isMild = mild.has(warning.code);
  return element(
    'li',
    { class: isMild ? 'mild' : 'severe' },
    icon(isMild ? 'info' : 'warning'),
    element(
      'div',
      {},
      element('p', {}, warningText(warning)),
      ...(warning.code === 'batchStatistics' ? [batchNormalizationHelp()] : []),
      ...(send !== null && isMendedBySetup(warning)
        ? [createButton(t('Set up TensorFlow'), () => send({ type: 'remedy' }))]
        : []),
    ),
  );
}

function batchNormalizationHelp(): HTMLElement {
  return element(
    'details',
    { class: 'help' },
    element('summary', {}, t('What can I do?')),
    element(
      'p',
      {},
      t(
        'Batch normalization centres and scales its input by the mean and variance of the examples that it sees at once. With accumulation it sees one microbatch, not the full batch, so the gradient differs a little; the smaller the microbatch, the more.',
      ),
    ),
    element(
      'ul',
      {},
      ...[
        t('From about 16 examples at once the difference is seldom noticed: often nothing need be done.'),
        t('Take the largest microbatch that fits: a larger budget, or smaller inputs, allow a larger one.'),
        t(
          'Use layer normalization (tf.layers.layerNormalization) instead: it does not look at other examples.',
        ),
      ].map((text) => element('li', {}, text)),
    ),
  );
}
