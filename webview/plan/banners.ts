// Sentences above a plan that say why it, or a training, may not be as it should, each with its button.
import { formatBytes, formatCount } from '../../src/planning/units';
import type { PageMessage, PageView } from '../../src/protocol/page';
import { createButton } from '../controls';
import { element, icon, setChildren } from '../dom';
import { t } from '../l10n';
import { answerOfConfig, type PlannedView } from './choice';
import { planAnew } from './troubles';

interface Banner {
  readonly icon: string;
  readonly text: string;
  readonly button: { readonly label: string; readonly message: PageMessage } | null;
}

export class Banners {
  readonly element = element('div', { class: 'banners' });

  constructor(private readonly send: (message: PageMessage) => void) {}

  show(view: PageView): void {
    const banners = bannersOf(view);
    setChildren(this.element, JSON.stringify(banners), () =>
      banners.map(({ icon: name, text, button }) =>
        element(
          'div',
          { class: 'banner', attributes: { role: 'note' } },
          icon(name),
          element('p', {}, text),
          ...(button === null ? [] : [createButton(button.label, () => this.send(button.message))]),
        ),
      ),
    );
  }
}

function bannersOf({ isTrusted, plan }: PageView): Banner[] {
  const banners: Banner[] = [];
  if (!isTrusted) {
    banners.push({
      icon: 'shield',
      text: t('This folder is not trusted, so nothing of it is run: no planning and no training.'),
      button: { label: t('Manage trust'), message: { type: 'manageTrust' } },
    });
  }
  if (plan.state !== 'planned') return banners;
  if (plan.outdated !== null) {
    const { objective } = plan.plan;
    banners.push({
      icon: 'history',
      text: plan.outdated,
      button: isTrusted ? { label: t('Measure again'), message: { ...planAnew, objective } } : null,
    });
  }
  if (plan.needsData) {
    banners.push({
      icon: 'database',
      text: t('To train, name the examples (CSV or .npy files) under "training.data" in the config.'),
      button: { label: t('Open config'), message: { type: 'openConfig', line: null } },
    });
  }
  const edited = editedText(plan);
  if (edited !== null) banners.push({ icon: 'edit', text: edited, button: null });
  return banners;
}

/** Says how a config that was edited by hand differs from what was measured; null where it does not. */
function editedText(view: PlannedView): string | null {
  const { plan, targetBatchSize, microbatchSize } = view;
  if (targetBatchSize === plan.targetBatchSize && microbatchSize === plan.microbatchSize) return null;
  const answer = answerOfConfig(view);
  const told = t(
    'The config was edited: {0} examples per update, at most {1} at once. Planned were {2}, at most {3} at once.',
    formatCount(targetBatchSize),
    formatCount(microbatchSize),
    formatCount(plan.targetBatchSize),
    formatCount(plan.microbatchSize),
  );
  const peak = answer.fits ? answer.peakBytes : null;
  if (peak === null || plan.budgetBytes === null || peak <= plan.budgetBytes) return told;
  return `${told} ${t('That would take about {0}, more than may be used.', formatBytes(peak))}`;
}
