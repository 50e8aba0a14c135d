// What an interrupted run had told before its checkpoint: read from its events when the run is resumed.
import { closeSync, openSync, readSync } from 'node:fs';
import type { TrainingPosition } from '../../protocol/checkpoint';
import { parseRunEvent, type RunEvent } from '../../protocol/runEvents';

export type Logs = Record<string, number>;

/** Figures of the calls, epochs and updates that are done at a checkpoint. */
export class EarlierFigures {
  readonly #epochs = new Map<number, Map<number, Logs>>();
  readonly #lastUpdates = new Map<number, Logs>();
  readonly #updates = new Map<number, Logs>();

  /** Reads an events file; lines that are torn or rubbish are passed over, a missing file has none. */
  static read(file: string, position: TrainingPosition): EarlierFigures {
    const figures = new EarlierFigures(position);
    for (const line of readLines(file)) {
      const event = parseRunEvent(line);
      if (event) figures.#add(event);
    }
    return figures;
  }

  private constructor(private readonly position: TrainingPosition) {}

  /** Logs of a call's epochs, in order, up to `before` (all of them where it is left out). */
  epochs(call: number, before = Infinity): Logs[] {
    const epochs = [...(this.#epochs.get(call) ?? [])].filter(([epoch]) => epoch < before);
    return epochs.sort(([a], [b]) => a - b).map(([, logs]) => logs);
  }

  /** Logs of the last update of a call; null where none is known. */
  lastUpdate(call: number): Logs | null {
    return this.#lastUpdates.get(call) ?? null;
  }

  /** Logs of update `index` of the call and epoch in which the checkpoint was taken; null where they are not known. */
  update(index: number): Logs | null {
    return this.#updates.get(index) ?? null;
  }

  #add(event: RunEvent): void {
    if (event.type === 'epoch') {
      let epochs = this.#epochs.get(event.call);
      if (!epochs) this.#epochs.set(event.call, (epochs = new Map()));
      epochs.set(event.epoch, numbers(event.logs));
    } else if (event.type === 'update') {
      const logs = { loss: event.loss ?? NaN, ...numbers(event.metrics) };
      this.#lastUpdates.set(event.call, logs);
      if (event.call === this.position.call && event.epoch === this.position.epoch) {
        this.#updates.set(event.update, logs);
      }
    }
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
