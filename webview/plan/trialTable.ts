// The trials as a table: what the charts show, for those who read rather than look.
import { msPerExample } from '../../src/planning/chooseSize';
import type { PlanTrial } from '../../src/planning/plan';
import { formatBytesApart, formatCount } from '../../src/planning/units';
import { element, icon, setChildren } from '../dom';
import { t } from '../l10n';
import { exactBytes, formatMs, outcomeOf, trialFits } from './texts';

export interface TrialRow extends PlanTrial {
  /** The words of an out-of-memory; null or absent where there are none. */
  readonly message?: string | null;
}

export class TrialTable {
  readonly element: HTMLElement;
  readonly #body = element('tbody');

  constructor() {
    const head = (text: string, name: string): HTMLElement =>
      element('th', { class: name, attributes: { scope: 'col' } }, text);
    this.element = element(
      'table',
      { class: 'figures' },
      element('caption', { class: 'visually-hidden' }, t('Trials, by microbatch')),
      element(
        'thead',
        {},
        element(
          'tr',
          {},
          head(t('Microbatch'), 'number'),
          head(t('Outcome'), ''),
          head(t('Peak'), 'number'),
          head(t('Time per example'), 'number'),
        ),
      ),
      this.#body,
    );
  }

  /** @param chosen the size that the plan takes; null while there is none */
  show(trials: readonly TrialRow[], budgetBytes: number | null, chosen: number | null): void {
    const rows = [...trials].sort((a, b) => a.microbatch - b.microbatch);
    setChildren(this.#body, JSON.stringify([rows, budgetBytes, chosen]), () => {
      const peaks = peakTexts(rows);
      return rows.map((trial) => trialRow(trial, peaks.get(trial) ?? '–', budgetBytes, chosen));
    });
  }
}

/** Peaks as they are written one below the other, so that only equal ones look equal. */
function peakTexts(rows: readonly TrialRow[]): ReadonlyMap<TrialRow, string> {
  const known = rows.flatMap((row) => (row.peakBytes === null ? [] : [{ row, bytes: row.peakBytes }]));
  const texts = formatBytesApart(known.map(({ bytes }) => bytes));
  return new Map(
    known.map(({ row }, index) => [row, `${row.outcome === 'outOfMemory' ? '> ' : ''}${texts[index] ?? ''}`]),
  );
}

function trialRow(
  trial: TrialRow,
  peak: string,
  budgetBytes: number | null,
  chosen: number | null,
): HTMLElement {
  const { microbatch, peakBytes, message } = trial;
  const fits = trialFits(trial, budgetBytes);
  const ms = msPerExample(trial);
  const words = outcomeOf(trial, budgetBytes, chosen);
  return element(
    'tr',
    microbatch === chosen && fits ? { class: 'chosen' } : {},
    element('th', { class: 'number', attributes: { scope: 'row' } }, formatCount(microbatch)),
    element(
      'td',
      { class: fits ? 'fits' : 'misses', attributes: { title: message ?? undefined } },
      icon(fits ? 'check' : 'close'),
      element('span', {}, words),
    ),
    element(
      'td',
      { class: 'number', attributes: { title: peakBytes === null ? undefined : exactBytes(peakBytes) } },
      peak,
    ),
    element('td', { class: 'number' }, ms === null ? '–' : formatMs(ms)),
  );
}
