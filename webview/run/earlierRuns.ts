// The table of a script's other runs: when, how far, how good, how they ended; each can be shown or drawn beside the shown one.
import type { EarlierRun, PageMessage, PageView } from '../../src/protocol/page';
import { formatCount } from '../../src/planning/units';
import { formatFigure } from '../chart/numbers';
import { createButton } from '../controls';
import { element, setChildren } from '../dom';
import type { Translate } from '../l10n';
import { endedHow } from './runStates';

/** Fills the table; it is made anew only where something in it changed, and the focus stays. */
export function showEarlierRuns(
  body: HTMLElement,
  view: PageView,
  send: (message: PageMessage) => void,
  t: Translate,
): void {
  const { earlierRuns, comparedRun } = view;
  const hasShown = view.run !== null;
  const focused = body.contains(document.activeElement)
    ? document.activeElement?.getAttribute('data-for')
    : null;
  setChildren(body, JSON.stringify([earlierRuns, comparedRun, hasShown]), () =>
    earlierRuns.map((run) => rowOf(run, hasShown, comparedRun === run.name, send, t)),
  );
  if (focused === null || focused === undefined || body.contains(document.activeElement)) return;
  const again = [...body.querySelectorAll<HTMLElement>('[data-for]')].find(
    (button) => button.getAttribute('data-for') === focused,
  );
  again?.focus();
}

function rowOf(
  run: EarlierRun,
  hasShown: boolean,
  isCompared: boolean,
  send: (message: PageMessage) => void,
  t: Translate,
): HTMLTableRowElement {
  const { name, figure } = run;
  const started = new Date(run.startedAt).toLocaleString();
  const show = createButton(t('Show'), () => send({ type: 'showRun', run: name }));
  show.setAttribute('data-for', `show ${name}`);
  show.ariaLabel = t('Show the run of {0}', started);
  const compare = createButton(isCompared ? t('Compared') : t('Compare'), () =>
    send({ type: 'compareRun', run: isCompared ? null : name }),
  );
  compare.setAttribute('data-for', `compare ${name}`);
  compare.ariaLabel = isCompared
    ? t('Compared: draw the run of {0} no more', started)
    : t('Compare with the run of {0}', started);
  compare.setAttribute('aria-pressed', String(isCompared));
  const best = figure === null ? '–' : `${figure.name} ${formatFigure(figure.best ?? figure.last)}`;
  return element(
    'tr',
    isCompared ? { class: 'compared' } : {},
    element('th', { attributes: { scope: 'row' } }, started),
    element('td', {}, run.epochs === null ? '–' : formatCount(run.epochs)),
    element('td', {}, run.updates === null ? '–' : formatCount(run.updates)),
    element('td', {}, best),
    element('td', {}, t('{0} / ≤ {1}', formatCount(run.targetBatchSize), formatCount(run.microbatchSize))),
    element('td', { class: 'text' }, endedHow(run.state, t)),
    element('td', { class: 'row-actions' }, show, ...(hasShown ? [compare] : [])),
  );
}

/** The heads of its columns. */
export function earlierRunsHead(t: Translate): HTMLElement {
  const heads = [t('started'), t('epochs'), t('updates'), t('best'), t('batch'), t('ended how')].map((text) =>
    element('th', { attributes: { scope: 'col' } }, text),
  );
  const last = element('td');
  return element('thead', {}, element('tr', {}, ...heads, last));
}
