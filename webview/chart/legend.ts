// A chart's legend, which also tells the values at the update that is pointed at.
import { element, setText } from '../dom';
import type { ChartContent, ChartSeries } from './content';
import type { UpdateRange } from './grid';
import type { ChartTheme } from './theme';

/** The legend of one chart. */
export class Legend {
  readonly root = element('div', { class: 'chart-legend' });
  readonly #told = element('span', { class: 'chart-told' });
  #values: { readonly series: ChartSeries['label']; readonly value: HTMLElement }[] = [];

  /** Makes the entries anew. */
  setEntries(content: ChartContent, theme: ChartTheme, marks: readonly (readonly [Node, string])[]): void {
    this.#values = [];
    const entries = content.legend;
    this.root.replaceChildren(
      ...entries.map((series) => {
        const value = element('span', { class: 'chart-value' });
        this.#values.push({ series: series.label, value });
        return element('span', { class: 'chart-entry' }, swatch(series, theme), series.label, value);
      }),
      ...marks.map(([picture, label]) => element('span', { class: 'chart-entry' }, picture, label)),
      this.#told,
    );
  }

  /** Tells the values at a point, or nothing. */
  tell(content: ChartContent, point: number | null, seen: UpdateRange, more: readonly string[]): void {
    const entries = content.legend;
    for (const [index, { value }] of this.#values.entries()) {
      const series = entries[index];
      const axis = series?.axis === 'right' ? content.right : content.left;
      const at = point === null || series === undefined ? null : series.valueAt(point, seen);
      setText(value, at === null || axis === null ? '' : axis.tell(at));
    }
    setText(this.#told, point === null ? '' : [content.describe(point), ...more].join(' · '));
  }
}

const svgNamespace = 'http://www.w3.org/2000/svg';

/** A piece of the line as it is drawn, with its dashes and points. */
function swatch({ color, dash, hasPoints, isPale }: ChartSeries, theme: ChartTheme): SVGSVGElement {
  const svg = document.createElementNS(svgNamespace, 'svg');
  const set = (target: Element, values: Record<string, string>) => {
    for (const [name, value] of Object.entries(values)) target.setAttribute(name, value);
  };
  set(svg, { width: '24', height: '10', viewBox: '0 0 24 10', 'aria-hidden': 'true' });
  const line = document.createElementNS(svgNamespace, 'line');
  set(line, { x1: '0', x2: '24', y1: '5', y2: '5', stroke: theme[color], 'stroke-width': '2' });
  if (isPale) line.setAttribute('stroke-opacity', '0.4');
  if (dash.length > 0) line.setAttribute('stroke-dasharray', dash.join(' '));
  svg.append(line);
  if (hasPoints) {
    const point = document.createElementNS(svgNamespace, 'circle');
    set(point, { cx: '12', cy: '5', r: '3', fill: theme[color] });
    svg.append(point);
  }
  return svg;
}
