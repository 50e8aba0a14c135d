// The three charts of a run, with their switches and tables: the loss, another figure, memory and speed.
import type { RunMark, RunView } from '../../src/protocol/page';
import type { ChartContent } from '../chart/content';
import { DrawQueue } from '../chart/drawing';
import { formatFigure } from '../chart/numbers';
import { onThemeChange, readTheme } from '../chart/theme';
import { TimeChart } from '../chart/timeChart';
import { SharedView } from '../chart/zoom';
import { createButton, createCheckbox, createDropdown, type Checkbox, type Dropdown } from '../controls';
import { element, setChildren, setShown, setText } from '../dom';
import type { Translate } from '../l10n';
import { figureContent, memoryContent, type Shown } from './chartContents';
import { ChartTable, figureRows, memoryRows } from './chartTable';
import type { RunLook } from './keptState';

/** One chart with its title line and its table. */
interface ChartBlock {
  readonly root: HTMLElement;
  readonly title: HTMLElement;
  readonly figures: HTMLElement;
  readonly tools: HTMLElement;
  readonly chart: TimeChart;
  readonly table: ChartTable;
}

/** The charts of the shown run. */
export class RunCharts {
  readonly root = element('div', { class: 'run-charts' });
  readonly view = new SharedView();
  readonly #t: Translate;
  readonly #look: RunLook;
  readonly #keep: () => void;
  readonly #queue = new DrawQueue();
  readonly #loss: ChartBlock;
  readonly #metric: ChartBlock;
  readonly #memory: ChartBlock;
  readonly #whole: HTMLElement;
  readonly #picker = element('span', { class: 'chart-picker' });
  #shown: (Shown & { readonly run: RunView }) | null = null;

  /** `keep` is called when `look`, which a person changes here, should be kept. */
  constructor(look: RunLook, keep: () => void, t: Translate) {
    this.#t = t;
    this.#look = look;
    this.#keep = keep;
    this.#loss = this.#block('loss');
    this.#metric = this.#block('metric');
    this.#memory = this.#block('memory');
    this.#whole = createButton(t('Whole run'), () => this.view.setZoom(null, this.#length()), {
      icon: 'screen-normal',
    });
    setShown(this.#whole, false);
    const toggle = (label: string, name: 'isLog' | 'isSmooth'): Checkbox => {
      const box = createCheckbox(label, (isTicked) => {
        look[name] = isTicked;
        keep();
        this.#fill();
      });
      box.checked = look[name];
      return box;
    };
    this.#loss.tools.append(toggle(t('log'), 'isLog'), toggle(t('smooth'), 'isSmooth'));
    this.#metric.title.after(this.#picker);
    setText(this.#loss.title, t('Loss'));
    setText(this.#memory.title, t('Memory and speed'));
    this.root.append(
      element('div', { class: 'chart-bar' }, this.#whole),
      this.#loss.root,
      this.#metric.root,
      this.#memory.root,
    );
    this.view.onZoom(() => {
      const { zoom } = this.view;
      const name = this.#shown?.run.name;
      look.zoom = zoom === null || name === undefined ? null : { run: name, ...zoom };
      setShown(this.#whole, zoom !== null);
      keep();
    });
    onThemeChange(() => {
      const theme = readTheme();
      for (const { chart } of this.#blocks()) chart.setTheme(theme);
    });
  }

  /** Shows this run, with the other beside it where there is one. */
  show(run: RunView, shown: Shown): void {
    const isOther = this.#shown?.run.name !== run.name;
    this.#shown = { ...shown, run };
    if (isOther) this.#restoreZoom(run.name);
    this.#showPicker(shown);
    this.#fill();
  }

  #restoreZoom(name: string): void {
    const { zoom } = this.#look;
    // As it was kept: the points that it is of may come later.
    this.view.zoom = zoom?.run === name ? { from: zoom.from, to: zoom.to } : null;
    setShown(this.#whole, this.view.zoom !== null);
  }

  #length(): number {
    const shown = this.#shown;
    return shown === null ? 0 : Math.max(shown.own.length, shown.other?.length ?? 0);
  }

  #blocks(): ChartBlock[] {
    return [this.#loss, this.#metric, this.#memory];
  }

  #metricName(): string | null {
    const names = this.#shown?.own.metricNames() ?? [];
    const { metric } = this.#look;
    return metric !== null && names.includes(metric) ? metric : (names[0] ?? null);
  }

  /** The choice of a figure, made anew only when there is another one to choose. */
  #showPicker({ own }: Shown): void {
    const names = own.metricNames();
    const key = JSON.stringify(names);
    const name = this.#metricName();
    setShown(this.#metric.root, names.length > 0);
    this.root.classList.toggle('has-metric', names.length > 0);
    setText(this.#metric.title, names.length > 1 ? '' : (name ?? ''));
    setShown(this.#metric.title, names.length <= 1);
    setChildren(this.#picker, key, () => {
      if (names.length <= 1) return [];
      const picker: Dropdown = createDropdown(
        this.#t('Figure'),
        Object.fromEntries(names.map((one) => [one, one])),
        (chosen) => {
          this.#look.metric = chosen;
          this.#keep();
          this.#fill();
        },
      );
      if (name !== null) picker.setAttribute('current-value', name);
      return [picker];
    });
  }

  #fill(): void {
    const shown = this.#shown;
    if (shown === null) return;
    const t = this.#t;
    const { run, own } = shown;
    const metric = this.#metricName();
    this.#put(this.#loss, t('Loss'), figureContent(shown, run, null, this.#look, t), () =>
      figureRows(own, null, t),
    );
    setText(this.#loss.figures, lastAndBest(run, 'loss', t));
    if (metric !== null) {
      const look = { isLog: false, isSmooth: this.#look.isSmooth };
      this.#put(this.#metric, metric, figureContent(shown, run, metric, look, t), () =>
        figureRows(own, metric, t),
      );
      setText(this.#metric.figures, lastAndBest(run, metric, t));
    }
    this.#put(this.#memory, t('Memory and speed'), memoryContent(shown, run, t), () => memoryRows(own, t));
  }

  #put(
    { chart, table }: ChartBlock,
    name: string,
    content: ChartContent,
    rows: Parameters<ChartTable['set']>[1],
  ): void {
    const label = this.#t('{0}: chart; arrow keys tell values, + and − zoom, 0 shows the whole run', name);
    chart.set(content, label);
    table.set(name, rows);
  }

  #block(name: string): ChartBlock {
    const t = this.#t;
    const chart = new TimeChart({
      view: this.view,
      queue: this.#queue,
      xLabel: t('update'),
      markName: (kind) => markName(kind, t),
    });
    const title = element('h3');
    const figures = element('span', { class: 'chart-figures' });
    const tools = element('span', { class: 'chart-tools' });
    const table = new ChartTable(t);
    const root = element(
      'section',
      { class: `run-chart run-chart-${name}` },
      element('div', { class: 'chart-title' }, title, tools),
      figures,
      chart.root,
      table.root,
    );
    return { root, title, figures, tools, chart, table };
  }
}

/** `last 0.981 · best 0.983 (epoch 8)`, of the validation where there is one. */
function lastAndBest(run: RunView, figure: string, t: Translate): string {
  const validation = `val_${figure}`;
  const isValidated = validation in run.last || validation in run.best;
  const name = isValidated ? validation : figure;
  const last = run.last[name];
  const best = run.best[name];
  const parts: string[] = [];
  if (isValidated) parts.push(t('validation'));
  if (last !== undefined && last !== null) parts.push(t('last {0}', formatFigure(last)));
  if (best !== undefined) parts.push(t('best {0} (epoch {1})', formatFigure(best.value), best.epoch));
  return parts.length > (isValidated ? 1 : 0) ? parts.join(' · ') : '';
}

/** What a kind of event is called. */
export function markName(kind: RunMark['kind'], t: Translate): string {
  switch (kind) {
    case 'started':
      return t('started');
    case 'checkpoint':
      return t('checkpoint');
    case 'microbatchReduced':
      return t('microbatch reduced');
    case 'microbatchGrown':
      return t('microbatch grown back');
    case 'outOfMemory':
      return t('out of memory');
    case 'paused':
      return t('paused');
    case 'resumed':
      return t('resumed');
    case 'warning':
      return t('warning');
    case 'ended':
      return t('ended');
  }
}
