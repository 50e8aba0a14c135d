// What all charts of a run share: the part of the updates that is seen, and the update that the pointer is at.
import type { UpdateRange } from './grid';

/** The smallest part that can be zoomed to, in updates. */
const narrowest = 4;

/** The view that all charts of a run share. */
export class SharedView {
  /** The part that was zoomed to; null: the whole run, and its end is followed. */
  zoom: UpdateRange | null = null;
  /** The update that is pointed at; null for none. */
  pointed: number | null = null;
  readonly #onZoom: (() => void)[] = [];
  readonly #onPoint: (() => void)[] = [];

  onZoom(changed: () => void): void {
    this.#onZoom.push(changed);
  }

  onPoint(changed: () => void): void {
    this.#onPoint.push(changed);
  }

  /** Shows a part, widened where it is too narrow and moved into 1…length; null for the whole run. */
  setZoom(part: UpdateRange | null, length: number): void {
    this.zoom = part === null ? null : within(part, Math.max(2, length));
    for (const changed of this.#onZoom) changed();
  }

  /** Points at an update, counted from 1; null for none. */
  point(update: number | null): void {
    if (update === this.pointed) return;
    this.pointed = update;
    for (const changed of this.#onPoint) changed();
  }

  /** What is seen of a run of this many updates. */
  seen(length: number): UpdateRange {
    // A part that the run does not reach (it was trained anew) is not there to be seen.
    return this.zoom !== null && this.zoom.from < length ? this.zoom : { from: 1, to: Math.max(2, length) };
  }
}

function within({ from, to }: UpdateRange, length: number): UpdateRange | null {
  const width = Math.max(Math.min(narrowest, length - 1), to - from);
  if (width >= length - 1) return null;
  const start = Math.min(Math.max(1, (from + to - width) / 2), length - width);
  return { from: start, to: start + width };
}
