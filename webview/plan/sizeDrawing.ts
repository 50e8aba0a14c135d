// Draws the points and levels of a chart by microbatch onto its canvas.
import type uPlot from 'uplot';
import { formatCount } from '../../src/planning/units';
import { faded, type ChartTheme } from '../chart/theme';
import type { Level, SizePoint } from './sizePlot';

/** Half the width of a point in CSS pixels. */
const radius = 4;
/** How near the mouse must be to a point, in CSS pixels. */
const reach = 40;

/** Dashed lines across the chart with their names: the device's at the left end, the budget's at the right. */
export function drawLevels(plot: uPlot, levels: readonly Level[], theme: ChartTheme): void {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  ctx.save();
  for (const { value, label, kind } of levels) {
    const y = Math.round(plot.valToPos(value, 'y', true));
    const color = kind === 'budget' ? theme.orange : theme.muted;
    ctx.strokeStyle = color;
    ctx.lineWidth = theme.lineWidth * ratio;
    ctx.setLineDash((kind === 'budget' ? [8, 5] : [2, 4]).map((length) => length * ratio));
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.font = canvasFont(theme);
    const isLeft = kind === 'device';
    ctx.textAlign = isLeft ? 'left' : 'right';
    ctx.textBaseline = 'bottom';
    const x = isLeft ? bbox.left + 6 * ratio : bbox.left + bbox.width - 6 * ratio;
    writeOver(ctx, label, x, y - 3 * ratio, theme.foreground, theme);
  }
  ctx.restore();
}

/** A disc for a measured size, a ring for an estimate, a cross for one that did not fit; the chosen one larger. */
export function drawPoints(
  plot: uPlot,
  points: readonly SizePoint[],
  theme: ChartTheme,
  pointed: number | null,
): void {
  const { ctx } = plot;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.setLineDash([]);
  let lastLabel = { x: -Infinity, y: 0 };
  const order = points
    .map((_, index) => index)
    .sort((a, b) => Number(points[a]?.isChosen) - Number(points[b]?.isChosen));
  for (const index of order) {
    const point = points[index];
    if (point === undefined) continue;
    const { microbatch, value, kind, isChosen } = point;
    const x = plot.valToPos(microbatch, 'x', true);
    const y = plot.valToPos(value, 'y', true);
    const size = radius * ratio * (isChosen ? 1.5 : 1);
    const color = kind === 'miss' ? theme.red : isChosen ? theme.green : theme.blue;
    if (index === pointed) {
      ctx.fillStyle = faded(theme.foreground, 0.25);
      disc(ctx, x, y, size * 2.2);
      ctx.fill();
    }
    ctx.strokeStyle = color;
    ctx.fillStyle = kind === 'estimate' ? theme.background : color;
    ctx.lineWidth = 2 * ratio;
    if (kind === 'miss') cross(ctx, x, y, size);
    else {
      disc(ctx, x, y, size);
      ctx.fill();
      ctx.stroke();
    }
    // Neighbours that are a pixel apart share one name; the chosen one always has its own.
    const isCrowded = Math.abs(x - lastLabel.x) < 22 * ratio && Math.abs(y - lastLabel.y) < 14 * ratio;
    if (isChosen || !isCrowded) {
      const isMiss = kind === 'miss';
      ctx.font = canvasFont(theme, isChosen);
      ctx.textBaseline = 'middle';
      const { left, width } = plot.bbox;
      const text = formatCount(microbatch);
      const space = ctx.measureText(text).width + size + 6 * ratio;
      const toLeft = (isChosen && !isMiss && x - space > left) || x + space > left + width;
      ctx.textAlign = toLeft ? 'right' : 'left';
      const offset = (size + 4 * ratio) * (toLeft ? -1 : 1);
      writeOver(ctx, text, x + offset, y, theme.foreground, theme);
      lastLabel = { x, y };
    }
  }
  ctx.restore();
}

/** Index of the point at a place in CSS pixels, or null where none is near. */
export function nearestPoint(
  plot: uPlot,
  points: readonly SizePoint[],
  left: number,
  top: number,
): number | null {
  let best: number | null = null;
  let bestDistance = reach;
  for (const [index, { microbatch, value }] of points.entries()) {
    const distance = Math.hypot(plot.valToPos(microbatch, 'x') - left, plot.valToPos(value, 'y') - top);
    if (distance < bestDistance) [best, bestDistance] = [index, distance];
  }
  return best;
}

function disc(ctx: CanvasRenderingContext2D, x: number, y: number, size: number): void {
  ctx.beginPath();
  ctx.arc(x, y, size, 0, 2 * Math.PI);
}

function cross(ctx: CanvasRenderingContext2D, x: number, y: number, size: number): void {
  ctx.beginPath();
  ctx.moveTo(x - size, y - size);
  ctx.lineTo(x + size, y + size);
  ctx.moveTo(x - size, y + size);
  ctx.lineTo(x + size, y - size);
  ctx.stroke();
}

/** Text with a rim of the background, so that it can be read over lines. */
function writeOver(
  ctx: CanvasRenderingContext2D,
  text: string,
  x: number,
  y: number,
  color: string,
  theme: ChartTheme,
): void {
  ctx.lineJoin = 'round';
  ctx.setLineDash([]);
  ctx.strokeStyle = theme.background;
  ctx.lineWidth = 4 * devicePixelRatio;
  ctx.strokeText(text, x, y);
  ctx.fillStyle = color;
  ctx.fillText(text, x, y);
}

/** The theme's font is in CSS pixels, a canvas counts the device's. */
function canvasFont({ font }: ChartTheme, isBold = false): string {
  const size = parseFloat(font) || 11;
  return `${isBold ? 'bold ' : ''}${size * devicePixelRatio}px ${font.replace(/^[\d.]+px\s*/, '')}`;
}
