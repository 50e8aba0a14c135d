// One chart along the updates of a run: draws through uPlot only what can be seen, and shares zoom and pointer with the others.
import uPlot from 'uplot';
import type { RunMark } from '../../src/protocol/page';
import { element, setAttribute, setShown, setText } from '../dom';
import { shapeOf, type ChartContent } from './content';
import type { Drawable, DrawQueue } from './drawing';
import { gridOf } from './grid';
import { moveByKey } from './keys';
import { Legend } from './legend';
import { drawMarks, drawnMarks, markPicture } from './markDrawing';
import { plotOptions } from './plotOptions';
import { readTheme, type ChartTheme } from './theme';
import type { SharedView } from './zoom';

/** What a chart shares with the others, and its texts. */
export interface ChartSetting {
  readonly view: SharedView;
  readonly queue: DrawQueue;
  /** What the x axis counts: `update`. */
  readonly xLabel: string;
  /** Name of a kind of mark in the legend. */
  readonly markName: (kind: RunMark['kind']) => string;
}

/** How near to the pointer a mark is told, in CSS pixels. */
const nearMark = 7;

/** A chart of a run. */
export class TimeChart implements Drawable {
  readonly root = element('div', { class: 'chart-body' });
  readonly #plotHost = element('div', { class: 'chart-plot', attributes: { tabindex: '0', role: 'group' } });
  readonly #empty = element('p', { class: 'chart-empty' });
  readonly #legend = new Legend();
  readonly #setting: ChartSetting;
  #theme = readTheme();
  #content: ChartContent | null = null;
  #marks: RunMark[] = [];
  #shape = '';
  #plot: uPlot | null = null;

  constructor(setting: ChartSetting) {
    this.#setting = setting;
    this.#plotHost.append(this.#empty);
    this.root.append(this.#legend.root, this.#plotHost);
    const { view, queue } = setting;
    queue.watch(this);
    view.onZoom(() => queue.ask(this));
    view.onPoint(() => this.#followPointer());
    new ResizeObserver(() => queue.ask(this)).observe(this.#plotHost);
    this.#plotHost.addEventListener('keydown', (event) => {
      if (this.#content !== null && moveByKey(event.key, view, this.#content.length)) event.preventDefault();
    });
    this.#plotHost.addEventListener('blur', () => view.point(null));
  }

  /** Takes what is to be drawn, and asks for it to be drawn. */
  set(content: ChartContent, label: string): void {
    this.#content = content;
    this.#marks = drawnMarks(content.marks);
    setAttribute(this.#plotHost, 'aria-label', label);
    // At once: a chart that is not on the screen is drawn later, and would say until then that there is nothing.
    setText(this.#empty, content.emptyText);
    setShown(this.#empty, content.length === 0);
    this.#setting.queue.ask(this);
  }

  /** Takes the theme anew. */
  setTheme(theme: ChartTheme): void {
    this.#theme = theme;
    this.#shape = '';
    this.#setting.queue.ask(this);
  }

  draw(): void {
    const content = this.#content;
    const { clientWidth: width, clientHeight: height } = this.#plotHost;
    if (content === null || width === 0 || height === 0) return;
    const plot = this.#plotOf(content, width, height);
    const seen = this.#setting.view.seen(content.length);
    const columns = Math.max(1, Math.round(plot.bbox.width));
    const grid = gridOf(seen, content.length, columns);
    if (grid.x.length === 0) {
      // The library needs a place to make its axes of.
      plot.setData([[seen.from, seen.to], ...content.series.map(() => [null, null])]);
    } else {
      const drawn = content.series.map((series) => {
        const values = series.draw(grid, seen);
        return content.isLog ? values.map((value) => (value !== null && value > 0 ? value : null)) : values;
      });
      plot.setData([[...grid.x], ...drawn]);
    }
    this.#followPointer();
  }

  /** The plot as its content needs it, made anew where that changed its shape. */
  #plotOf(content: ChartContent, width: number, height: number): uPlot {
    const shape = `${shapeOf(content)}${[...new Set(this.#marks.map(({ kind }) => kind))].join(' ')}`;
    const kept = this.#plot;
    if (kept !== null && shape === this.#shape) {
      if (kept.width !== width || kept.height !== height) kept.setSize({ width, height });
      return kept;
    }
    kept?.destroy();
    this.#shape = shape;
    this.#legend.setEntries(content, this.#theme, this.#markEntries());
    const { view } = this.#setting;
    const plot = new uPlot(
      plotOptions({
        content: () => this.#content ?? content,
        theme: this.#theme,
        xLabel: this.#setting.xLabel,
        size: { width, height },
        hasMarks: this.#marks.length > 0,
        seen: () => view.seen(this.#content?.length ?? 0),
        drawOver: (drawn) => this.#drawMarks(drawn),
        pointed: (update) => view.point(update),
        zoomed: (range) => view.setZoom(range, this.#content?.length ?? 0),
      }),
      [[1, 2], ...content.series.map(() => [null, null])],
      this.#plotHost,
    );
    this.#plot = plot;
    return plot;
  }

  #markEntries(): (readonly [Node, string])[] {
    const kinds = [...new Set(this.#marks.map(({ kind }) => kind))];
    return kinds.flatMap((kind) => {
      const picture = markPicture(kind, this.#theme);
      return picture === null ? [] : [[picture, this.#setting.markName(kind)] as const];
    });
  }

  #drawMarks(plot: uPlot): void {
    drawMarks(plot.ctx, this.#theme, this.#marks, {
      ...plot.bbox,
      ratio: uPlot.pxRatio,
      xOf: (mark) => plot.valToPos(this.#updateOf(mark), 'x', true),
    });
  }

  /** The update that a mark is drawn at: the one that came next, or the last. */
  #updateOf({ point }: RunMark): number {
    return Math.min(point + 1, Math.max(1, this.#content?.length ?? 1));
  }

  /** Moves the line to the update that is pointed at, in whichever chart, and tells its values. */
  #followPointer(): void {
    const content = this.#content;
    const plot = this.#plot;
    if (content === null || plot === null) return;
    const { view } = this.#setting;
    const seen = view.seen(content.length);
    const update = view.pointed === null || view.pointed > content.length ? null : view.pointed;
    if (update === null || update < seen.from || update > seen.to) {
      plot.setCursor({ left: -10, top: -10 }, false);
      this.#legend.tell(content, null, seen, []);
      return;
    }
    const left = plot.valToPos(update, 'x');
    plot.setCursor({ left, top: 1 }, false);
    const perPixel = (seen.to - seen.from) / Math.max(1, plot.over.clientWidth);
    const near = this.#marks.filter((mark) => Math.abs(this.#updateOf(mark) - update) <= nearMark * perPixel);
    const texts = [...new Set(near.map(({ text }) => text))];
    const shown = texts.length > 3 ? [...texts.slice(0, 3), '…'] : texts;
    this.#legend.tell(content, update - 1, seen, shown);
  }
}
