// How uPlot is set up for a chart of a run: axes, lines, zoom by dragging, the pointer.
import uPlot from 'uplot';
import type { ChartAxis, ChartContent, ChartSeries } from './content';
import type { UpdateRange } from './grid';
import { formatShort } from './numbers';
import { faded, type ChartTheme } from './theme';

/** What a plot asks for while it lives, and what it reports. */
export interface PlotNeeds {
  /** What is drawn now. */
  readonly content: () => ChartContent;
  readonly theme: ChartTheme;
  readonly xLabel: string;
  /** CSS pixels. */
  readonly size: { readonly width: number; readonly height: number };
  readonly hasMarks: boolean;
  readonly seen: () => UpdateRange;
  readonly drawOver: (plot: uPlot) => void;
  readonly pointed: (update: number | null) => void;
  readonly zoomed: (range: UpdateRange | null) => void;
}

const wholeSteps = [1, 2, 5].flatMap((digit) => Array.from({ length: 9 }, (_, power) => digit * 10 ** power));
wholeSteps.sort((a, b) => a - b);

/** uPlot's options for these needs. */
export function plotOptions(needs: PlotNeeds): uPlot.Options {
  const { theme, size, seen } = needs;
  const { isLog, series, right } = needs.content();
  const scales: uPlot.Scales = {
    x: { time: false, range: () => [seen().from, seen().to] },
    left: {
      distr: isLog ? 3 : 1,
      range: (_plot, min, max) =>
        isLog
          ? logRange(min, max)
          : linearRange(needs.content().left, needs.content().level?.value, min, max),
    },
  };
  if (right !== null) {
    scales.right = { range: (_plot, min, max) => linearRange(needs.content().right, undefined, min, max) };
  }
  return {
    ...size,
    scales,
    series: [{}, ...series.map((one) => lineOf(one, theme))],
    axes: [
      { ...xAxis(theme), label: needs.xLabel, labelSize: 16, labelFont: theme.font, labelGap: 0 },
      yAxis('left', needs),
      ...(right === null ? [] : [yAxis('right', needs)]),
    ],
    legend: { show: false },
    padding: [needs.hasMarks ? 18 : 8, right === null ? 20 : 0, 0, 0],
    cursor: {
      y: false,
      points: { show: false },
      drag: { x: true, y: false, setScale: false, dist: 4 },
      bind: {
        dblclick: () => () => {
          needs.zoomed(null);
          return null;
        },
      },
    },
    hooks: {
      ready: [
        ({ over, posToVal }) => {
          over.addEventListener('pointermove', ({ clientX }) => {
            const { left, width } = over.getBoundingClientRect();
            const at = clientX - left;
            // The first and the last update can be reached, though pixels are wider than updates.
            const snapped = at <= 1 ? 0 : at >= width - 2 ? width : at;
            const update = posToVal(snapped, 'x');
            needs.pointed(Math.max(1, Math.round(update)));
          });
          over.addEventListener('pointerleave', () => needs.pointed(null));
        },
      ],
      setSelect: [
        (plot) => {
          const { left, width } = plot.select;
          if (width <= 0) return;
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          needs.zoomed({ from: plot.posToVal(left, 'x'), to: plot.posToVal(left + width, 'x') });
        },
      ],
      draw: [
        (plot) => {
          drawLevel(plot, needs);
          needs.drawOver(plot);
        },
      ],
    },
  };
}

function lineOf(series: ChartSeries, theme: ChartTheme): uPlot.Series {
  const stroke = series.isPale ? faded(theme[series.color], 0.3) : theme[series.color];
  return {
    scale: series.axis,
    stroke,
    width: series.isPale ? 1 : theme.lineWidth,
    dash: [...series.dash],
    // Exact places: rounding would move half of the extremes by a pixel.
    pxAlign: 0,
    spanGaps: series.hasPoints,
    points: series.hasPoints
      ? { size: 7, fill: stroke, show: false, filter: fewPoints }
      : { filter: lonelyPoints },
  };
}

/** Each value has a circle, unless they are so many that circles would touch. */
const fewPoints: uPlot.Series.Points.Filter = (plot, index) => {
  const values = plot.data[index] ?? [];
  const there: number[] = [];
  for (let at = 0; at < values.length; at++) if ((values[at] ?? null) !== null) there.push(at);
  return there.length * 9 > plot.over.clientWidth ? null : there;
};

/** A value between gaps makes no line: it is drawn as a point. */
const lonelyPoints: uPlot.Series.Points.Filter = (plot, index) => {
  const values = plot.data[index] ?? [];
  const lonely: number[] = [];
  for (let at = 0; at < values.length; at++) {
    const isThere = (place: number) => values[place] !== null && values[place] !== undefined;
    if (isThere(at) && !isThere(at - 1) && !isThere(at + 1)) lonely.push(at);
  }
  return lonely;
};

function xAxis(theme: ChartTheme): uPlot.Axis {
  return {
    ...axisColors(theme),
    incrs: wholeSteps,
    values: (_plot, splits) => splits.map(formatShort),
    size: 24,
    gap: 4,
  };
}

function yAxis(side: 'left' | 'right', needs: PlotNeeds): uPlot.Axis {
  const axis = () => needs.content()[side];
  const steps = axis()?.steps ?? null;
  const colors = axisColors(needs.theme);
  return {
    ...colors,
    scale: side,
    side: side === 'left' ? 3 : 1,
    grid: side === 'left' ? colors.grid : { show: false },
    values: (_plot, splits) =>
      splits.map((value: number | null) => (value === null ? '' : (axis()?.format(value) ?? ''))),
    ...(steps === null ? {} : { incrs: [...steps] }),
    size: (plot, values: string[] | null) => {
      const longest = (values ?? []).reduce((most, text) => (text.length > most.length ? text : most), '');
      plot.ctx.save();
      plot.ctx.font = needs.theme.font;
      const { width } = plot.ctx.measureText(longest);
      plot.ctx.restore();
      return Math.max(36, Math.ceil(width) + 14);
    },
    gap: 4,
  };
}

function axisColors(theme: ChartTheme) {
  return {
    stroke: theme.muted,
    font: theme.font,
    grid: { stroke: theme.grid, width: 1 },
    ticks: { stroke: theme.grid, width: 1, size: 4 },
    border: { show: theme.isHighContrast, stroke: theme.foreground, width: 1 },
  } satisfies uPlot.Axis;
}

function linearRange(
  axis: ChartAxis | null,
  level: number | undefined,
  min: number | null,
  max: number | null,
): uPlot.Range.MinMax {
  if (min === null || max === null) return level === undefined ? [0, 1] : [0, level * 1.1];
  const times = axis?.fromZero ?? null;
  if (times !== null) return [0, Math.max(max, level ?? 0, 1e-9) * times];
  return uPlot.rangeNum(min, max, 0.1, true);
}

function logRange(min: number | null, max: number | null): uPlot.Range.MinMax {
  return min === null || max === null || min <= 0 ? [0.1, 1] : uPlot.rangeLog(min, max, 10, false);
}

/** The horizontal line, with its label at its right end. */
function drawLevel(plot: uPlot, { content, theme }: PlotNeeds): void {
  const { level } = content();
  if (level === null) return;
  const { ctx, bbox } = plot;
  const y = plot.valToPos(level.value, 'left', true);
  if (y < bbox.top || y > bbox.top + bbox.height) return;
  const ratio = uPlot.pxRatio;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = theme.red;
  ctx.lineWidth = theme.lineWidth * ratio;
  ctx.setLineDash([10 * ratio, 3 * ratio, 2 * ratio, 3 * ratio]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.font = theme.font.replace(/^(\d+)px/, (_, size: string) => `${Number(size) * ratio}px`);
  ctx.fillStyle = theme.foreground;
  ctx.textAlign = 'left';
  ctx.textBaseline = 'bottom';
  ctx.fillText(level.label, bbox.left + 6 * ratio, y - 2 * ratio);
  ctx.restore();
}
