// What an interrupted run had told before its checkpoint: read from its events when the run is resumed.
import { closeSync, openSync, readSync } from 'node:fs';
import type { TrainingPosition } from '../../protocol/checkpoint';
import { parseRunEvent, type RunEvent } from '../../protocol/runEvents';

export type Logs = Record<string, number>;

/** Figures of one update, and the digest of its batch; null where it was not recorded. */
export interface EarlierUpdate {
  readonly logs: Logs;
  readonly data: number | null;
}

/** Updates of one call, in flat arrays: a run may have millions of them. */
class CallUpdates {
  #names: readonly string[] = [];
  readonly #rows: (Float64Array | undefined)[] = [];
  readonly #data: (number | null)[] = [];

  set(index: number, logs: Logs, data: number | null): void {
    const names = Object.keys(logs);
    if (names.join() !== this.#names.join()) this.#names = names;
    this.#rows[index] = Float64Array.from(Object.values(logs));
    this.#data[index] = data;
  }

  get(index: number): EarlierUpdate | null {
    const row = this.#rows[index];
    if (row === undefined) return null;
    const logs = Object.fromEntries(this.#names.map((name, i) => [name, row[i] ?? Number.NaN]));
    return { logs, data: this.#data[index] ?? null };
  }
}

/** Figures of the calls, epochs and updates that are done at a checkpoint. */
export class EarlierFigures {
  readonly #epochs = new Map<number, Map<number, Logs>>();
  readonly #updates = new Map<number, CallUpdates>();

  /**
   * Reads an events file up to the end; what was told anew after a restart stands for what was told before it. Lines
   * that are torn or rubbish are passed over, a missing file has none.
   */
  static read(file: string, position: TrainingPosition): EarlierFigures {
    const figures = new EarlierFigures(position);
    for (const line of readLines(file)) {
      const event = parseRunEvent(line);
      if (event) figures.#add(event);
    }
    return figures;
  }

  private constructor(private readonly position: TrainingPosition) {}

  /** Logs of an epoch that was done at the checkpoint; null for another one, or where they are not known. */
  epoch(call: number, epoch: number): Logs | null {
    return this.#epochs.get(call)?.get(epoch) ?? null;
  }

  /** An update of a call; null where it is not known. */
  update(call: number, index: number): EarlierUpdate | null {
    return this.#updates.get(call)?.get(index) ?? null;
  }

  #add(event: RunEvent): void {
    if (event.type === 'epoch') {
      if (!this.#isDone(event.call, event.epoch < this.position.epoch)) return;
      let epochs = this.#epochs.get(event.call);
      if (!epochs) this.#epochs.set(event.call, (epochs = new Map()));
      epochs.set(event.epoch, numbers(event.logs));
    } else if (event.type === 'update') {
      if (!this.#isDone(event.call, event.update < this.position.update)) return;
      let updates = this.#updates.get(event.call);
      if (!updates) this.#updates.set(event.call, (updates = new CallUpdates()));
      updates.set(event.update, { loss: event.loss ?? NaN, ...numbers(event.metrics) }, event.data ?? null);
    }
  }

  #isDone(call: number, inCall: boolean): boolean {
    return call < this.position.call || (call === this.position.call && (inCall || this.position.callEnded));
  }
}

function numbers(logs: Readonly<Record<string, number | null>>): Logs {
  return Object.fromEntries(Object.entries(logs).map(([name, value]) => [name, value ?? NaN]));
}

/** Lines of a file, a piece at a time: the events of a long run do not fit in one string. */
function* readLines(file: string): Generator<string> {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  try {
    const piece = Buffer.alloc(1 << 16);
    let rest: Buffer = Buffer.alloc(0);
    for (;;) {
      const length = readSync(descriptor, piece);
      if (length === 0) break;
      rest = Buffer.concat([rest, piece.subarray(0, length)]);
      const end = rest.lastIndexOf('\n');
      if (end === -1) continue;
      yield* rest.subarray(0, end).toString().split('\n');
      rest = rest.subarray(end + 1);
    }
  } finally {
    closeSync(descriptor);
  }
}
