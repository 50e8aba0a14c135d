// The columns of a run's history: numbers in arrays that grow, so that a million updates stay small and quick.
import type { RunPoints } from '../../protocol/page';
import type { RunEvent } from '../../protocol/runEvents';
import { isUpdateUndone, type RunPosition } from './runHistoryCourse';

type UpdateEvent = Extract<RunEvent, { type: 'update' }>;

const firstCapacity = 256;

/** The first index below `length` that is reached, where all behind it are, too; `length` where none is. */
export function firstIndex(length: number, isReached: (index: number) => boolean): number {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isReached(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Numbers, of which NaN stands for none. */
class Column {
  #values = new Float64Array(firstCapacity);

  /** Numbers that were never set below the length that is asked for are none. */
  constructor(length: number) {
    this.#reserve(length);
    this.#values.fill(NaN, 0, length);
  }

  at(index: number): number {
    return this.#values[index] ?? NaN;
  }

  set(index: number, value: number): void {
    this.#reserve(index + 1);
    this.#values[index] = value;
  }

  slice(from: number, to: number): number[] {
    return Array.from(this.#values.subarray(from, to));
  }

  sliceWithNulls(from: number, to: number): (number | null)[] {
    const values = this.#values;
    const slice: (number | null)[] = [];
    // A plain loop: a whole history is given out at once, on the editor's thread.
    for (let index = from; index < to; index++) {
      const value = values[index] ?? NaN;
      slice.push(Number.isNaN(value) ? null : value);
    }
    return slice;
  }

  #reserve(length: number): void {
    if (length <= this.#values.length) return;
    const larger = new Float64Array(Math.max(length, this.#values.length * 2));
    larger.set(this.#values);
    this.#values = larger;
  }
}

/** One entry for each update that stands, in the order in which they were done. */
export class RunHistoryPoints {
  #length = 0;
  readonly #call = new Column(0);
  readonly #update = new Column(0);
  readonly #timeMs = new Column(0);
  readonly #loss = new Column(0);
  readonly #memoryBytes = new Column(0);
  readonly #examplesPerSecond = new Column(0);
  readonly #metrics = new Map<string, Column>();

  get length(): number {
    return this.#length;
  }

  /** @param timeMs since the run's start */
  add({ call, update, loss, metrics, memoryBytes, examples, ms }: UpdateEvent, timeMs: number): void {
    const at = this.#length;
    this.#call.set(at, call);
    this.#update.set(at, update);
    this.#timeMs.set(at, timeMs);
    this.#loss.set(at, loss ?? NaN);
    this.#memoryBytes.set(at, memoryBytes ?? NaN);
    this.#examplesPerSecond.set(at, ms > 0 ? (examples * 1000) / ms : NaN);
    for (const name of Object.keys(metrics)) {
      if (!this.#metrics.has(name)) this.#metrics.set(name, new Column(at));
    }
    for (const [name, column] of this.#metrics) column.set(at, metrics[name] ?? NaN);
    this.#length++;
  }

  /**
   * Takes out what is done again.
   * @returns the new index of an entry by its old one, up to the old length; null where nothing was taken out
   */
  undo(position: RunPosition): ((index: number) => number) | null {
    const isUndone = (index: number): boolean =>
      isUpdateUndone(position, { call: this.#call.at(index), update: this.#update.at(index) });
    let first = 0;
    while (first < this.#length && !isUndone(first)) first++;
    if (first === this.#length) return null;
    const kept: number[] = [];
    for (let index = first; index < this.#length; index++) if (!isUndone(index)) kept.push(index);
    for (const column of this.#columns()) {
      kept.forEach((index, offset) => column.set(first + offset, column.at(index)));
    }
    this.#length = first + kept.length;
    // Calls side by side leave entries behind the first that goes.
    return (index) =>
      index <= first ? index : first + firstIndex(kept.length, (at) => (kept[at] ?? NaN) >= index);
  }

  slice(from: number, to: number): RunPoints {
    return {
      timeMs: this.#timeMs.slice(from, to),
      loss: this.#loss.sliceWithNulls(from, to),
      memoryBytes: this.#memoryBytes.sliceWithNulls(from, to),
      examplesPerSecond: this.#examplesPerSecond.sliceWithNulls(from, to),
      metrics: Object.fromEntries(
        [...this.#metrics].map(([name, column]) => [name, column.sliceWithNulls(from, to)]),
      ),
    };
  }

  #columns(): Column[] {
    const own = [
      this.#call,
      this.#update,
      this.#timeMs,
      this.#loss,
      this.#memoryBytes,
      this.#examplesPerSecond,
    ];
    return [...own, ...this.#metrics.values()];
  }
}
