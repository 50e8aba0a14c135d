// Draws the events of a run as marks along the top of a chart, each kind with a shape of its own, and finds them again.
import type { RunMark } from '../../src/protocol/page';
import type { ChartColor, ChartTheme } from './theme';

/** Draws a shape of the given half size around a place. */
type Shape = (context: CanvasRenderingContext2D, x: number, y: number, size: number) => void;

interface Look {
  readonly color: ChartColor;
  readonly isFilled: boolean;
  readonly shape: Shape;
}

const triangle: Shape = (context, x, y, size) => {
  context.moveTo(x - size, y - size * 0.7);
  context.lineTo(x + size, y - size * 0.7);
  context.lineTo(x, y + size * 0.9);
  context.closePath();
};

const risingTriangle: Shape = (context, x, y, size) => {
  context.moveTo(x - size, y + size * 0.7);
  context.lineTo(x + size, y + size * 0.7);
  context.lineTo(x, y - size * 0.9);
  context.closePath();
};

const diamond: Shape = (context, x, y, size) => {
  context.moveTo(x, y - size);
  context.lineTo(x + size * 0.8, y);
  context.lineTo(x, y + size);
  context.lineTo(x - size * 0.8, y);
  context.closePath();
};

const cross: Shape = (context, x, y, size) => {
  const reach = size * 0.8;
  context.moveTo(x - reach, y - reach);
  context.lineTo(x + reach, y + reach);
  context.moveTo(x + reach, y - reach);
  context.lineTo(x - reach, y + reach);
};

const turningArrow: Shape = (context, x, y, size) => {
  const radius = size * 0.8;
  context.arc(x, y, radius, -Math.PI * 0.15, Math.PI * 1.4);
  context.moveTo(x + radius * 0.3, y - radius * 1.5);
  context.lineTo(x - radius * 0.25, y - radius * 0.95);
  context.lineTo(x + radius * 0.4, y - radius * 0.35);
};

const bars: Shape = (context, x, y, size) => {
  for (const side of [-0.4, 0.4]) {
    context.moveTo(x + size * side, y - size * 0.8);
    context.lineTo(x + size * side, y + size * 0.8);
  }
};

const exclamation: Shape = (context, x, y, size) => {
  context.moveTo(x, y - size);
  context.lineTo(x, y + size * 0.3);
  context.moveTo(x, y + size * 0.75);
  context.lineTo(x, y + size);
};

const looks: Readonly<Partial<Record<RunMark['kind'], Look>>> = {
  checkpoint: { color: 'muted', isFilled: true, shape: diamond },
  microbatchReduced: { color: 'orange', isFilled: true, shape: triangle },
  microbatchGrown: { color: 'green', isFilled: true, shape: risingTriangle },
  outOfMemory: { color: 'red', isFilled: false, shape: cross },
  resumed: { color: 'green', isFilled: false, shape: turningArrow },
  paused: { color: 'blue', isFilled: false, shape: bars },
  warning: { color: 'yellow', isFilled: false, shape: exclamation },
};

/** Kinds that come one after another without end are drawn once for each stretch of this many CSS pixels. */
const crowded = 9;

/** The marks that a chart draws: a start and an end are its own edges. */
export function drawnMarks(marks: readonly RunMark[]): RunMark[] {
  return marks.filter(({ kind }) => looks[kind] !== undefined);
}

/** Where a chart draws marks, in canvas pixels. */
interface Place {
  readonly left: number;
  readonly width: number;
  readonly top: number;
  readonly height: number;
  readonly ratio: number;
  /** The place of a mark. */
  readonly xOf: (mark: RunMark) => number;
}

/** Draws each mark where its update is. */
export function drawMarks(
  context: CanvasRenderingContext2D,
  theme: ChartTheme,
  marks: readonly RunMark[],
  place: Place,
): void {
  const { left, width, top, height, ratio, xOf } = place;
  const size = 5 * ratio;
  const last = new Map<RunMark['kind'], number>();
  let right = -Infinity;
  context.save();
  context.beginPath();
  context.rect(left - size, 0, width + 2 * size, top + height);
  context.clip();
  for (const mark of marks) {
    const { kind } = mark;
    const look = looks[kind];
    const x = xOf(mark);
    if (look === undefined || x < left - 0.5 || x > left + width + 0.5) continue;
    if (x - (last.get(kind) ?? -Infinity) < crowded * ratio) continue;
    last.set(kind, x);
    context.strokeStyle = theme[look.color];
    context.fillStyle = theme[look.color];
    context.lineWidth = ratio * (theme.isHighContrast ? 2 : 1.5);
    if (kind !== 'checkpoint') {
      context.globalAlpha = 0.5;
      context.beginPath();
      context.setLineDash([2 * ratio, 3 * ratio]);
      context.moveTo(x, top);
      context.lineTo(x, top + height);
      context.stroke();
      context.setLineDash([]);
      context.globalAlpha = 1;
    }
    // Events of one moment stand side by side.
    const beside = Math.max(x, right + crowded * ratio + size * 0.5);
    const isFar = beside - x > 4 * size;
    if (!isFar) right = beside;
    context.beginPath();
    look.shape(context, isFar ? x : beside, top - size - 2 * ratio, size);
    if (look.isFilled) context.fill();
    else context.stroke();
  }
  context.restore();
}

/** A legend's picture of a mark: the same shape, on a canvas of its own. */
export function markPicture(kind: RunMark['kind'], theme: ChartTheme): HTMLCanvasElement | null {
  const look = looks[kind];
  if (look === undefined) return null;
  const canvas = document.createElement('canvas');
  const ratio = window.devicePixelRatio;
  canvas.width = canvas.height = Math.round(14 * ratio);
  canvas.className = 'mark-picture';
  canvas.setAttribute('aria-hidden', 'true');
  const context = canvas.getContext('2d');
  if (context === null) return null;
  context.strokeStyle = theme[look.color];
  context.fillStyle = theme[look.color];
  context.lineWidth = 1.5 * ratio;
  context.beginPath();
  look.shape(context, 7 * ratio, 7 * ratio, 5 * ratio);
  if (look.isFilled) context.fill();
  else context.stroke();
  return canvas;
}
