// A chart of a figure by microbatch: measured points, a line through them, levels; values by mouse, finger and keyboard.
import uPlot from 'uplot';
import { formatCount } from '../../src/planning/units';
import { onThemeChange, readTheme, type ChartTheme } from '../chart/theme';
import { element, setAttribute, setText } from '../dom';
import { drawLevels, drawPoints, nearestPoint } from './sizeDrawing';

export interface SizePoint {
  readonly microbatch: number;
  readonly value: number;
  /** `estimate`: not run. `miss`: ran out of memory or was over the budget. */
  readonly kind: 'measured' | 'miss' | 'estimate';
  /** The size that the plan takes. */
  readonly isChosen: boolean;
  /** All that is known of it, in a line. */
  readonly text: string;
}

/** A horizontal line with its name. */
export interface Level {
  readonly value: number;
  readonly label: string;
  readonly kind: 'budget' | 'device';
}

export interface SizeChartContent {
  readonly points: readonly SizePoint[];
  /** Ascending in x; empty: no line. */
  readonly line: readonly { readonly x: number; readonly y: number }[];
  readonly levels: readonly Level[];
  readonly xRange: readonly [number, number];
  readonly yMax: number;
  readonly isLogX: boolean;
  /** Shown while nothing is pointed at. */
  readonly summary: string;
  readonly formatY: (value: number) => string;
  /** Distances between ticks of the y axis that are allowed, ascending. */
  readonly ySteps: readonly number[];
}

const height = 220;

export class SizePlot {
  readonly element: HTMLElement;
  readonly #host = element('div', { class: 'plot', attributes: { tabindex: '0', role: 'img' } });
  readonly #readout = element('p', { class: 'readout', attributes: { 'aria-live': 'polite' } });
  readonly #empty = element('p', { class: 'plot-empty muted' });
  #content: SizeChartContent | null = null;
  #plot: uPlot | null = null;
  #pointed: number | null = null;
  #shape = '';
  #theme: ChartTheme = readTheme();

  constructor(
    title: string,
    private readonly alternative: string,
  ) {
    this.element = element('figure', { class: 'chart' }, element('h3', {}, title), this.#host, this.#readout);
    this.#host.append(this.#empty);
    new ResizeObserver(() => this.#draw()).observe(this.#host);
    onThemeChange(() => {
      this.#theme = readTheme();
      this.#plot?.destroy();
      this.#plot = null;
      this.#draw();
    });
    this.#host.addEventListener('keydown', (event) => this.#moveByKey(event));
    this.#host.addEventListener('blur', () => this.#point(null));
  }

  /** @param nothing what is said instead where there is nothing to draw (null) */
  show(content: SizeChartContent | null, nothing: string): void {
    this.#content = content;
    if (this.#pointed !== null && this.#pointed >= (content?.points.length ?? 0)) this.#pointed = null;
    setText(this.#empty, content === null ? nothing : '');
    setAttribute(
      this.#host,
      'aria-label',
      content === null ? nothing : `${content.summary} ${this.alternative}`,
    );
    this.#tell();
    this.#draw();
  }

  #draw(): void {
    const content = this.#content;
    const width = Math.floor(this.#host.clientWidth);
    if (content === null) {
      this.#plot?.destroy();
      this.#plot = null;
    }
    if (content === null || width === 0) return;
    const shape = String(content.isLogX);
    if (this.#plot === null || shape !== this.#shape) {
      this.#plot?.destroy();
      this.#shape = shape;
      this.#plot = new uPlot(this.#options(content, width), dataOf(content), this.#host);
    } else {
      if (this.#plot.width !== width) this.#plot.setSize({ width, height });
      this.#plot.setData(dataOf(content));
    }
  }

  #options({ isLogX }: SizeChartContent, width: number): uPlot.Options {
    const { muted, grid, font, blue, lineWidth } = this.#theme;
    const now = (): SizeChartContent | null => this.#content;
    const axis = {
      stroke: muted,
      font,
      labelFont: font,
      grid: { stroke: grid, width: 1 },
      ticks: { stroke: grid, width: 1, size: 4 },
      gap: 4,
    };
    return {
      width,
      height,
      legend: { show: false },
      cursor: { x: false, y: false, drag: { x: false, y: false }, points: { show: false } },
      scales: {
        x: {
          time: false,
          ...(isLogX ? { distr: 3, log: 2 } : {}),
          range: () => [...(now()?.xRange ?? [0, 1])] as [number, number],
        },
        y: { range: () => [0, now()?.yMax ?? 1] },
      },
      series: [{}, { stroke: blue, width: lineWidth, points: { show: false } }],
      axes: [
        {
          ...axis,
          size: 26,
          space: 44,
          ...(isLogX
            ? {
                splits: (plot: uPlot) => measuredTicks(plot, now()),
                // The library would leave out some that are not powers.
                filter: (_: uPlot, splits: number[]) => splits,
              }
            : { incrs: wholeSteps }),
          values: (_, splits) => splits.map((split) => formatCount(split)),
        },
        {
          ...axis,
          size: 62,
          space: 32,
          incrs: [...(now()?.ySteps ?? [1])],
          values: (_, splits) => splits.map((split) => now()?.formatY(split) ?? ''),
        },
      ],
      hooks: {
        draw: [
          (plot) => {
            const content = this.#content;
            if (content === null) return;
            drawLevels(plot, content.levels, this.#theme);
            drawPoints(plot, content.points, this.#theme, this.#pointed);
          },
        ],
        setCursor: [
          (plot) => {
            const { left = -1, top = -1 } = plot.cursor;
            // The keyboard's place stays while the mouse is elsewhere.
            if (left < 0) {
              if (document.activeElement !== this.#host) this.#point(null);
              return;
            }
            this.#point(nearestPoint(plot, this.#content?.points ?? [], left, top));
          },
        ],
      },
    };
  }

  #moveByKey(event: KeyboardEvent): void {
    const count = this.#content?.points.length ?? 0;
    const to = {
      ArrowRight: this.#pointed === null ? 0 : Math.min(count - 1, this.#pointed + 1),
      ArrowLeft: this.#pointed === null ? count - 1 : Math.max(0, this.#pointed - 1),
      Home: 0,
      End: count - 1,
      Escape: null,
    }[event.key];
    if (to === undefined || count === 0) return;
    event.preventDefault();
    this.#point(to);
  }

  #point(index: number | null): void {
    if (index === this.#pointed) return;
    this.#pointed = index;
    this.#tell();
    this.#plot?.redraw(false);
  }

  #tell(): void {
    const point = this.#pointed === null ? undefined : this.#content?.points[this.#pointed];
    setText(this.#readout, point?.text ?? this.#content?.summary ?? '');
  }
}

/** Steps of an axis that counts whole things. */
const wholeSteps = Array.from({ length: 9 }, (_, power) =>
  [1, 2, 5].map((digit) => digit * 10 ** power),
).flat();

function dataOf({ line, xRange }: SizeChartContent): uPlot.AlignedData {
  if (line.length === 0) return [[...xRange], [null, null]];
  return [line.map(({ x }) => x), line.map(({ y }) => y)];
}

/** The measured sizes as ticks, but for those that would stand in each other's way. */
function measuredTicks(plot: uPlot, content: SizeChartContent | null): number[] {
  const sizes = [...new Set((content?.points ?? []).map(({ microbatch }) => microbatch))].sort(
    (a, b) => b - a,
  );
  const ticks: number[] = [];
  let last = Infinity;
  for (const size of sizes) {
    const left = plot.valToPos(size, 'x');
    const room = formatCount(size).length * 7 + 10;
    if (last - left < room) continue;
    ticks.push(size);
    last = left;
  }
  return ticks.reverse();
}
