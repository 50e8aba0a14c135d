// Where the memory of an update goes: a bar and a table of its parts.
import { predictPeak } from '../../src/planning/memoryModel';
import type { Plan } from '../../src/planning/plan';
import { formatBytes, formatCount } from '../../src/planning/units';
import { element, setChildren, setShown, setText } from '../dom';
import { t } from '../l10n';
import { exactBytes } from './texts';

interface Part {
  /** Names its colour in the style. */
  readonly name: string;
  readonly label: string;
  readonly bytes: number;
}

/** The parts of the peak of an update in microbatches of this size; null where no trial told. */
export function memoryParts(plan: Plan, microbatchSize: number): Part[] | null {
  const { parts, memory, trials } = plan;
  if (parts === undefined || parts === null) return null;
  const { weightsBytes, optimizerBytes, accumulatorBytes, dataBytes, overheadBytes } = parts;
  const known = weightsBytes + optimizerBytes + accumulatorBytes + dataBytes + overheadBytes;
  const run = trials.find(({ microbatch, outcome }) => microbatch === microbatchSize && outcome === 'fits');
  const gradients =
    run?.gradientPeakBytes ??
    run?.peakBytes ??
    (memory === null ? null : predictPeak({ ...memory, optimizerPeakBytes: 0 }, microbatchSize));
  const rest = gradients === null ? 0 : Math.max(0, Math.round(gradients) - known);
  const examples =
    microbatchSize === 1
      ? t('One example on its way through the model')
      : t('{0} examples on their way through the model', formatCount(microbatchSize));
  return [
    { name: 'examples', label: examples, bytes: rest },
    { name: 'weights', label: t('Weights'), bytes: weightsBytes },
    { name: 'optimizer', label: t('Optimizer’s state'), bytes: optimizerBytes },
    { name: 'gradients', label: t('Accumulated gradients'), bytes: accumulatorBytes },
    { name: 'data', label: t('Data kept on the device'), bytes: dataBytes },
    { name: 'overhead', label: t('What runs the model: code, allocator, workspaces'), bytes: overheadBytes },
  ].filter(({ bytes }) => bytes > 0);
}

export class MemoryPartsView {
  readonly element: HTMLElement;
  readonly #bar = element('div', { class: 'parts-bar', attributes: { 'aria-hidden': 'true' } });
  readonly #body = element('tbody');
  readonly #note = element('p', { class: 'muted' });

  constructor() {
    const head = (text: string, name: string): HTMLElement =>
      element('th', { class: name, attributes: { scope: 'col' } }, text);
    this.element = element(
      'div',
      {},
      this.#bar,
      element(
        'table',
        { class: 'figures' },
        element('caption', { class: 'visually-hidden' }, t('Where the memory goes')),
        element(
          'thead',
          {},
          element('tr', {}, head(t('Part'), ''), head(t('Memory'), 'number'), head(t('Share'), 'number')),
        ),
        this.#body,
      ),
      this.#note,
    );
  }

  /** Shows the parts; false where there is nothing to show. */
  show(plan: Plan, microbatchSize: number): boolean {
    const parts = memoryParts(plan, microbatchSize);
    if (parts === null || parts.length === 0) return false;
    const total = parts.reduce((sum, { bytes }) => sum + bytes, 0);
    const key = JSON.stringify(parts);
    setChildren(this.#bar, key, () =>
      parts.map(({ name, bytes }) => {
        const piece = element('span', { class: `part part-${name}` });
        piece.style.flexGrow = String(bytes / total);
        return piece;
      }),
    );
    setChildren(this.#body, key, () => parts.map((part) => partRow(part, total)));
    const note = optimizerNote(plan, total);
    setText(this.#note, note);
    setShown(this.#note, note !== '');
    return true;
  }
}

function partRow({ name, label, bytes }: Part, total: number): HTMLElement {
  const share = bytes / total;
  return element(
    'tr',
    {},
    element(
      'th',
      { attributes: { scope: 'row' } },
      element('span', { class: `swatch part-${name}`, attributes: { 'aria-hidden': 'true' } }),
      label,
    ),
    element('td', { class: 'number', attributes: { title: exactBytes(bytes) } }, formatBytes(bytes)),
    element('td', { class: 'number' }, share < 0.005 ? '< 1 %' : `${Math.round(share * 100)} %`),
  );
}

function optimizerNote({ memory }: Plan, total: number): string {
  if (memory === null || memory.optimizerPeakBytes <= total) return '';
  return t(
    'While the optimizer updates the weights, memory peaks higher: at {0}, whatever the microbatch.',
    formatBytes(memory.optimizerPeakBytes),
  );
}
