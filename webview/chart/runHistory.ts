// What the page has of one run's points, epochs and marks, as columns that charts, tables and the CSV read.
import type { RunEpoch, RunHistoryPart, RunMark } from '../../src/protocol/page';
import { Column } from './column';
import { firstAtOrAfter } from './grid';

/** Figures of the ends of epochs: entry i belongs to the point `points[i]`. */
export interface EpochFigures {
  /** 0-based points, ascending: the last update of each epoch. */
  readonly points: readonly number[];
  readonly values: Column;
}

/** The history of one run. */
export class RunHistory {
  readonly timeMs = new Column();
  readonly loss = new Column();
  readonly memoryBytes = new Column();
  readonly examplesPerSecond = new Column();
  readonly metrics = new Map<string, Column>();
  epochs: RunEpoch[] = [];
  marks: RunMark[] = [];
  /** Grows with each part: what was made from an older one is out of date. */
  version = 0;
  #epochPoints: number[] = [];
  readonly #epochColumns = new Map<string, Column>();

  /** Updates done. */
  get length(): number {
    return this.timeMs.length;
  }

  /** Takes in a part; false, and nothing changed, where points before it are missing. */
  add(part: RunHistoryPart): boolean {
    if (part.from > this.length) return false;
    if (part.from === 0) this.#clear();
    else this.#truncate(part.from);
    const { points } = part;
    this.timeMs.append(points.timeMs);
    this.loss.append(points.loss);
    this.memoryBytes.append(points.memoryBytes);
    this.examplesPerSecond.append(points.examplesPerSecond);
    for (const [name, values] of Object.entries(points.metrics)) {
      const column = this.metrics.get(name) ?? new Column();
      this.metrics.set(name, column);
      column.padTo(part.from);
      column.append(values);
    }
    for (const column of this.metrics.values()) column.padTo(this.length);
    this.#addEpochs(part.epochs);
    for (const mark of part.marks) this.marks.push(mark);
    this.version++;
    return true;
  }

  /** Names of the figures that have a chart beside the loss's, in the order in which they came up. */
  metricNames(): string[] {
    const names = new Set(this.metrics.keys());
    for (const name of this.#epochColumns.keys()) {
      const base = name.startsWith('val_') ? name.slice('val_'.length) : name;
      if (base !== 'loss') names.add(base);
    }
    return [...names];
  }

  /** The figure at the ends of epochs (`val_loss`, …). */
  epochFigures(name: string): EpochFigures {
    return { points: this.#epochPoints, values: this.#epochColumns.get(name) ?? new Column() };
  }

  /** The epoch, counted from 1, that a point is of; null where epochs are not known. */
  epochAt(point: number): number | null {
    const index = firstAtOrAfter(this.#epochPoints, point);
    const of = this.epochs[index];
    if (of !== undefined) return of.epoch + 1;
    const last = this.epochs.at(-1);
    return last === undefined ? null : last.epoch + 2;
  }

  #addEpochs(epochs: readonly RunEpoch[]): void {
    for (const epoch of epochs) {
      this.epochs.push(epoch);
      this.#epochPoints.push(Math.max(0, epoch.point - 1));
      for (const [name, value] of Object.entries(epoch.logs)) {
        const column = this.#epochColumns.get(name) ?? new Column();
        this.#epochColumns.set(name, column);
        column.padTo(this.epochs.length - 1);
        column.append([value]);
      }
    }
    for (const column of this.#epochColumns.values()) column.padTo(this.epochs.length);
  }

  #clear(): void {
    this.#truncate(0);
    this.metrics.clear();
    this.#epochColumns.clear();
    this.marks = [];
  }

  /** Forgets the points from this one on, and the epochs and marks that stand there: a part that follows has them. */
  #truncate(length: number): void {
    for (const column of [this.timeMs, this.loss, this.memoryBytes, this.examplesPerSecond])
      column.truncate(length);
    for (const column of this.metrics.values()) column.truncate(length);
    const kept = length === 0 ? 0 : this.epochs.filter(({ point }) => point < length).length;
    this.epochs.length = kept;
    this.#epochPoints.length = kept;
    for (const column of this.#epochColumns.values()) column.truncate(kept);
    this.marks = this.marks.filter(({ point }) => point < length);
  }
}

/** Histories by the name of their run. */
export class RunHistories {
  readonly #byRun = new Map<string, RunHistory>();

  /** The run's history, empty at first. */
  of(run: string): RunHistory {
    const history = this.#byRun.get(run) ?? new RunHistory();
    this.#byRun.set(run, history);
    return history;
  }

  /** Lets the run's points go. */
  forget(run: string): void {
    this.#byRun.delete(run);
  }
}
