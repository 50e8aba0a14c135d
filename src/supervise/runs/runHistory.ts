// The history of one run, gathered from its events: of the training as it stands, with nothing in it twice.
import type { RunEpoch, RunHistoryPart, RunMark } from '../../protocol/page';
import type { RunEvent } from '../../protocol/runEvents';
import { isEpochUndone, isUpdateUndone, type RunPosition } from './runHistoryCourse';
import { keptMarks, markOf } from './runHistoryMarks';
import { firstIndex, RunHistoryPoints } from './runHistoryPoints';
import { RunTotals } from './runHistoryTotals';

/** Points that one part has at most, where nothing else is asked for. */
const partSize = 20_000;

export class RunHistory {
  readonly totals = new RunTotals();
  readonly #points = new RunHistoryPoints();
  #epochs: RunEpoch[] = [];
  #marks: RunMark[] = [];
  /** Where the marked checkpoints are, so that those that are undone go. */
  readonly #checkpoints = new WeakMap<RunMark, { call: number; update: number }>();
  #revision: number;
  /** Of the last point, in ms since the run's start. */
  #time = 0;
  /** By how much the clock was set back since, in ms. */
  #setBack = 0;

  /**
   * @param run name of the run folder
   * @param startedAt the run's start in ms since 1970, which points are timed from
   * @param revision larger than that of a history that this one takes the place of
   */
  constructor(
    private readonly run: string,
    private readonly startedAt: number,
    revision = 0,
  ) {
    this.#revision = revision;
  }

  /** Number of points: updates that stand. */
  get length(): number {
    return this.#points.length;
  }

  get epochs(): readonly RunEpoch[] {
    return this.#epochs;
  }

  /** The last 2,000, in order. */
  get marks(): readonly RunMark[] {
    return this.#marks;
  }

  /** Grows when points, epochs or marks that were given out before are others now: all must be given out again. */
  get revision(): number {
    return this.#revision;
  }

  /** Takes the next event. */
  add(event: RunEvent): void {
    const undone = this.totals.add(event);
    if (undone) this.#undo(undone);
    const point = this.#points.length;
    if (event.type === 'update') {
      this.#points.add(event, this.#timeOf(event));
    } else if (event.type === 'epoch') {
      const { call, epoch, logs } = event;
      this.#epochs.push({ point, call, epoch, logs });
    } else {
      const mark = markOf(event, point);
      if (mark === null) return;
      if (event.type === 'checkpoint') this.#checkpoints.set(mark, event);
      this.#marks.push(mark);
      if (this.#marks.length > keptMarks) this.#marks.shift();
    }
  }

  /**
   * What there is from point `from` on, in parts of at most `size` points, each made when it is asked for; none where
   * there is nothing.
   * Each part has the epochs and marks that stand at its points, the last one also those behind the last point. They
   * replace what was given out of `from` and later: an epoch that ends behind the last point is given out at once, and
   * again with the points that follow.
   */
  *parts(from: number, size = partSize): Generator<RunHistoryPart, void, undefined> {
    const { length } = this;
    for (let start = from; ; start += size) {
      const end = Math.min(start + size, length);
      const isLast = end >= length;
      const isInside = ({ point }: { point: number }): boolean => point >= start && (isLast || point < end);
      const epochs = behind(this.#epochs, start).filter(isInside);
      const marks = behind(this.#marks, start).filter(isInside);
      const isEmpty = end <= start && epochs.length === 0 && marks.length === 0;
      if (!isEmpty) {
        const points = this.#points.slice(start, Math.max(start, end));
        yield { run: this.run, from: start, points, epochs, marks };
      }
      if (isLast) return;
    }
  }

  /** In ms since the run's start; never less than before, also where the clock was set back. */
  #timeOf({ time }: RunEvent): number {
    const told = Date.parse(time) - this.startedAt;
    if (told + this.#setBack < this.#time) this.#setBack = this.#time - told;
    this.#time = told + this.#setBack;
    return this.#time;
  }

  #undo(position: RunPosition): void {
    const movedPoint = this.#points.undo(position);
    const epochs = this.#epochs.filter((epoch) => !isEpochUndone(position, epoch));
    const marks = this.#marks.filter((mark) => {
      const saved = this.#checkpoints.get(mark);
      return !saved || !isUpdateUndone(position, { call: saved.call, update: saved.update - 1 });
    });
    const isSame =
      movedPoint === null && epochs.length === this.#epochs.length && marks.length === this.#marks.length;
    if (isSame) return;
    const moved = movedPoint ?? ((index: number) => index);
    this.#epochs = epochs.map((epoch) => ({ ...epoch, point: moved(epoch.point) }));
    this.#marks = marks.map((mark) => this.#movedMark(mark, moved(mark.point)));
    this.#revision++;
  }

  #movedMark(mark: RunMark, point: number): RunMark {
    if (mark.point === point) return mark;
    const copy = { ...mark, point };
    const saved = this.#checkpoints.get(mark);
    if (saved) this.#checkpoints.set(copy, saved);
    return copy;
  }
}

/** Those that stand at `point` or behind it; they are in order. */
function behind<Item extends { readonly point: number }>(items: readonly Item[], point: number): Item[] {
  return items.slice(firstIndex(items.length, (index) => (items[index]?.point ?? 0) >= point));
}
