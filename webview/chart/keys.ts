// What the keyboard does in a chart: all that the mouse can.
import type { SharedView } from './zoom';

/** Arrows move along the updates, + and − zoom, 0 and Escape show the whole run; true where the key did something. */
export function moveByKey(key: string, view: SharedView, length: number): boolean {
  if (length === 0) return false;
  const seen = view.seen(length);
  const width = seen.to - seen.from;
  const first = Math.max(1, Math.ceil(seen.from));
  const last = Math.min(length, Math.floor(seen.to));
  const step = Math.max(1, Math.round(width / 100));
  const at = view.pointed ?? last;
  const pointTo = (update: number) => view.point(Math.min(last, Math.max(first, update)));
  const zoomTo = (part: number) =>
    view.setZoom({ from: at - (at - seen.from) * part, to: at + (seen.to - at) * part }, length);
  switch (key) {
    case 'ArrowLeft':
      pointTo(view.pointed === null ? last : at - step);
      return true;
    case 'ArrowRight':
      pointTo(view.pointed === null ? first : at + step);
      return true;
    case 'Home':
      pointTo(first);
      return true;
    case 'End':
      pointTo(last);
      return true;
    case '+':
    case '=':
      zoomTo(0.5);
      return true;
    case '-':
      zoomTo(2);
      return true;
    case '0':
    case 'Escape':
      if (view.zoom === null) return false;
      view.setZoom(null, length);
      return true;
    default:
      return false;
  }
}
