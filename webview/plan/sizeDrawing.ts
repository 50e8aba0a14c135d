// Draws the points and levels of a chart by microbatch onto its canvas.
import type uPlot from 'uplot';
import { formatCount } from '../../src/planning/units';
import { faded, type ChartTheme } from '../chart/theme';
import type { Level, SizePoint } from './sizePlot';

/** Half the width of a point in CSS pixels. */
const radius = 4;
/** How near the mouse must be to a point, in CSS pixels. */
const reach = 40;

/** Dashed lines across the chart with their names at the left end, where the curve is low. */
export function drawLevels(plot: uPlot, levels: readonly Level[], theme: ChartTheme): void {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  ctx.save();
  let highest = -Infinity;
  for (const { value, label, kind } of [...levels].sort((a, b) => b.value - a.value)) {
    const y = Math.round(plot.valToPos(value, 'y', true));
    ctx.strokeStyle = kind === 'budget' ? theme.orange : theme.muted;
    ctx.lineWidth = theme.lineWidth * ratio;
    ctx.setLineDash((kind === 'budget' ? [8, 5] : [2, 4]).map((length) => length * ratio));
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.font = canvasFont(theme);
    ctx.textAlign = 'left';
    // Under its line where the one above is too near.
    const isUnder = y - highest < 18 * ratio;
    ctx.textBaseline = isUnder ? 'top' : 'bottom';
    writeOver(ctx, label, bbox.left + 6 * ratio, y + (isUnder ? 4 : -3) * ratio, theme);
    highest = y;
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
  for (const [index, point] of points.entries()) {
    const { x, y, size } = placeOf(plot, point);
    const color = point.kind === 'miss' ? theme.red : point.isChosen ? theme.green : theme.blue;
    if (index === pointed) {
      ctx.fillStyle = faded(theme.foreground, 0.25);
      disc(ctx, x, y, size * 2.2);
      ctx.fill();
    }
    ctx.strokeStyle = color;
    ctx.fillStyle = point.kind === 'estimate' ? theme.background : color;
    ctx.lineWidth = 2 * ratio;
    if (point.kind === 'miss') cross(ctx, x, y, size);
    else {
      disc(ctx, x, y, size);
      ctx.fill();
      ctx.stroke();
    }
  }
  writeSizes(plot, points, theme);
  ctx.restore();
}

/** Writes the sizes above the points: first that of the chosen one, then of the others where there is room. */
function writeSizes(plot: uPlot, points: readonly SizePoint[], theme: ChartTheme): void {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  ctx.textAlign = 'center';
  ctx.textBaseline = 'bottom';
  const taken: { x: number; y: number; half: number }[] = [];
  for (const point of [...points].sort((a, b) => Number(b.isChosen) - Number(a.isChosen))) {
    const text = formatCount(point.microbatch);
    ctx.font = canvasFont(theme, point.isChosen);
    const half = ctx.measureText(text).width / 2 + 1.5 * ratio;
    const { x: middle, y: centre, size } = placeOf(plot, point);
    const x = Math.min(Math.max(middle, bbox.left + half), bbox.left + bbox.width - half);
    const y = centre - size - 4 * ratio;
    const isInTheWay = taken.some(
      (other) => Math.abs(other.x - x) < other.half + half && Math.abs(other.y - y) < 14 * ratio,
    );
    if (isInTheWay) continue;
    taken.push({ x, y, half });
    writeOver(ctx, text, x, y, theme);
  }
}

/** Where a point is on the canvas, and half its width there. */
function placeOf(
  plot: uPlot,
  { microbatch, value, isChosen }: SizePoint,
): { x: number; y: number; size: number } {
  return {
    x: plot.valToPos(microbatch, 'x', true),
    y: plot.valToPos(value, 'y', true),
    size: radius * devicePixelRatio * (isChosen ? 1.4 : 1),
  };
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
  theme: ChartTheme,
): void {
  ctx.lineJoin = 'round';
  ctx.setLineDash([]);
  ctx.strokeStyle = theme.background;
  ctx.lineWidth = 4 * devicePixelRatio;
  ctx.strokeText(text, x, y);
  ctx.fillStyle = theme.foreground;
  ctx.fillText(text, x, y);
}

/** The theme's font is in CSS pixels, a canvas counts the device's. */
function canvasFont({ font }: ChartTheme, isBold = false): string {
  const size = parseFloat(font) || 11;
  return `${isBold ? 'bold ' : ''}${size * devicePixelRatio}px ${font.replace(/^[\d.]+px\s*/, '')}`;
}
