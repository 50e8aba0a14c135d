// The same as a chart shows, as a table: for screen readers and for who wants the numbers. One row for each epoch.
import { formatBytes, formatCount } from '../../src/planning/units';
import { Summary } from '../chart/column';
import { formatFigure } from '../chart/numbers';
import type { RunHistory } from '../chart/runHistory';
import { element, setChildren, setText } from '../dom';
import type { Translate } from '../l10n';

/** Texts of a table; all but the first column are numbers. */
export interface TableRows {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Changes when the rows do. */
  readonly key: string;
}

/** More rows than this help nobody who listens to them. */
const mostRows = 200;

/** A figure per epoch, or per update where the run has no epochs; `name` null: the loss. */
export function figureRows(history: RunHistory, name: string | null, t: Translate): TableRows {
  const figure = name ?? 'loss';
  const { epochs } = history;
  const title = name ?? t('loss');
  if (epochs.length === 0) {
    const column = name === null ? history.loss : history.metrics.get(name);
    const first = Math.max(0, history.length - mostRows);
    const rows = Array.from({ length: history.length - first }, (_, index) => [
      formatCount(first + index + 1),
      formatFigure(column?.at(first + index)),
    ]);
    return { head: [t('update'), title], rows, key: `${figure} ${history.version}` };
  }
  const rows = epochs
    .slice(-mostRows)
    .map(({ epoch, point, logs }) => [
      formatCount(epoch + 1),
      formatCount(point),
      formatFigure(logs[figure]),
      formatFigure(logs[`val_${figure}`]),
    ]);
  return {
    head: [t('epoch'), t('update'), t('{0}, training', title), t('{0}, validation', title)],
    rows,
    key: `${figure} epochs ${epochs.length} ${epochs.at(-1)?.point ?? 0}`,
  };
}

const summary = new Summary();

/** The peak of memory and the mean speed over each epoch, or over all updates where the run has no epochs. */
export function memoryRows(history: RunHistory, t: Translate): TableRows {
  const { epochs } = history;
  const ends = epochs.length === 0 ? [history.length] : epochs.map(({ point }) => point);
  const first = Math.max(0, ends.length - mostRows);
  const rows = ends.slice(first).map((end, index) => {
    const start = first + index === 0 ? 0 : (ends[first + index - 1] ?? 0);
    history.memoryBytes.summarize(start, end, summary);
    const peak = summary.count === 0 ? '–' : formatBytes(summary.max);
    history.examplesPerSecond.summarize(start, end, summary);
    const speed = summary.count === 0 ? '–' : formatFigure(summary.sum / summary.count);
    const epoch = epochs[first + index];
    return [epoch === undefined ? '–' : formatCount(epoch.epoch + 1), formatCount(end), peak, speed];
  });
  return {
    head: [t('epoch'), t('update'), t('peak memory'), t('examples/s')],
    rows: history.length === 0 ? [] : rows,
    key: epochs.length === 0 ? `all ${history.version}` : `epochs ${epochs.length} ${ends.at(-1) ?? 0}`,
  };
}

/** The table under a chart, closed at first; its rows are made only while it is open. */
export class ChartTable {
  readonly root = element('details', { class: 'chart-table' });
  readonly #scroll = element('div', {
    class: 'table-scroll',
    attributes: { tabindex: '0', 'data-scrolls': '' },
  });
  readonly #caption = element('caption', { class: 'visually-hidden' });
  readonly #head = element('thead');
  readonly #body = element('tbody');
  #rows: (() => TableRows) | null = null;

  constructor(t: Translate) {
    this.#scroll.append(element('table', {}, this.#caption, this.#head, this.#body));
    this.root.append(element('summary', {}, t('Table')), this.#scroll);
    this.root.addEventListener('toggle', () => this.#fill());
  }

  set(caption: string, rows: () => TableRows): void {
    this.#rows = rows;
    setText(this.#caption, caption);
    this.#scroll.setAttribute('role', 'group');
    this.#scroll.setAttribute('aria-label', caption);
    this.#fill();
  }

  #fill(): void {
    if (!this.root.open || this.#rows === null) return;
    const { head, rows, key } = this.#rows();
    setChildren(this.#head, head.join('\n'), () => [
      element('tr', {}, ...head.map((text) => element('th', { attributes: { scope: 'col' } }, text))),
    ]);
    setChildren(this.#body, key, () => rows.map((row) => element('tr', {}, ...row.map(cellOf))));
  }
}

function cellOf(text: string, column: number): HTMLTableCellElement {
  return column === 0 ? element('th', { attributes: { scope: 'row' } }, text) : element('td', {}, text);
}
