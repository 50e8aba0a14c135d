// What a run's events add up to, without its points: epochs, figures, the call, what is saved, how it ended.
import type { RunEvent } from '../../protocol/runEvents';
import { isEpochUndone, isUpdateUndone, RunCourse, type RunPosition } from './runHistoryCourse';
import { TrainedTime } from './runHistoryTime';
import { BestFigures, type BestFigure, type RunFigures } from './runHistoryFigures';

type EventOf<Type extends RunEvent['type']> = Extract<RunEvent, { type: Type }>;

/** An epoch that ended and stands; 0-based, in its call. */
export interface EndedEpoch {
  readonly call: number;
  readonly epoch: number;
  readonly logs: RunFigures;
}

/** The state that a resume goes on from. */
export interface SavedPosition {
  /** ISO 8601 in UTC. */
  readonly time: string;
  readonly call: number;
  /** Updates of its call that are done in it. */
  readonly update: number;
}

/** As many checkpoints as are remembered: a damaged one is passed over, and the one before it is taken. */
const rememberedCheckpoints = 8;

/** Adds up events in their order. Small, however long the run is. */
export class RunTotals {
  readonly #course = new RunCourse();
  #epochs: EndedEpoch[] = [];
  #best = new BestFigures();
  #lastUpdate: EventOf<'update'> | null = null;
  #call: EventOf<'call'> | null = null;
  #callHasEnded = false;
  #ended: EventOf<'ended'> | null = null;
  #saved: SavedPosition[] = [];
  #savingMs = 0;
  #started: EventOf<'started'> | null = null;
  #reducedTo: number | null = null;
  readonly #trained = new TrainedTime();

  /** Epochs that stand, of all calls, in order. */
  get epochs(): readonly EndedEpoch[] {
    return this.#epochs;
  }

  /** Updates that stand, of all calls. */
  get updates(): number {
    return this.#course.updates;
  }

  /** Figures of the last epoch, or of the last update before the first epoch ended. */
  get last(): RunFigures {
    const epoch = this.#epochs.at(-1);
    if (epoch) return epoch.logs;
    return this.#lastUpdate ? { loss: this.#lastUpdate.loss, ...this.#lastUpdate.metrics } : {};
  }

  get best(): Readonly<Record<string, BestFigure>> {
    return this.#best.all;
  }

  get lastUpdate(): EventOf<'update'> | null {
    return this.#lastUpdate;
  }

  /** The training call that was last begun. */
  get call(): EventOf<'call'> | null {
    return this.#call;
  }

  get callHasEnded(): boolean {
    return this.#callHasEnded;
  }

  /** How the last training process said that it ended; null while it runs, or where it died without a word. */
  get ended(): EventOf<'ended'> | null {
    return this.#ended;
  }

  get saved(): SavedPosition | null {
    return this.#saved.at(-1) ?? null;
  }

  /** Time that all checkpoints took, in ms, those of updates that were done again included. */
  get savingMs(): number {
    return this.#savingMs;
  }

  /** The last training process that began to train. */
  get started(): EventOf<'started'> | null {
    return this.#started;
  }

  /** The microbatch size after a reduction; null where there was none. */
  get reducedTo(): number | null {
    return this.#reducedTo;
  }

  /** Time in which updates were made: pauses, and what lies between two training processes, do not count. */
  get trained(): TrainedTime {
    return this.#trained;
  }

  /** @returns the place from which the training is done again, where the event says that it is; else null */
  add(event: RunEvent): RunPosition | null {
    this.#trained.add(event);
    const undone = this.#course.add(event);
    if (undone) this.#undo(undone);
    switch (event.type) {
      case 'started':
        this.#started = event;
        this.#ended = null;
        break;
      case 'call':
        this.#call = event;
        this.#callHasEnded = false;
        // What a resumed training really uses, which a person may have set anew.
        if (this.#reducedTo !== null && event.passThrough === null && event.microbatchSize !== null) {
          this.#reducedTo = event.microbatchSize;
        }
        break;
      case 'update':
        this.#lastUpdate = event;
        break;
      case 'epoch':
        this.#epochs.push({ call: event.call, epoch: event.epoch, logs: event.logs });
        this.#best.add(event.epoch, event.logs);
        break;
      case 'callEnded':
        this.#callHasEnded = true;
        break;
      case 'checkpoint':
        this.#savingMs += event.ms;
        this.#saved.push({ time: event.time, call: event.call, update: event.update });
        if (this.#saved.length > rememberedCheckpoints) this.#saved.shift();
        break;
      case 'microbatchReduced':
      case 'microbatchGrown':
        this.#reducedTo = event.to;
        break;
      case 'ended':
        this.#ended = event;
        break;
      default:
    }
    return undone;
  }

  #undo(position: RunPosition): void {
    this.#epochs = this.#epochs.filter((epoch) => !isEpochUndone(position, epoch));
    this.#best = new BestFigures();
    for (const { epoch, logs } of this.#epochs) this.#best.add(epoch, logs);
    if (this.#lastUpdate && isUpdateUndone(position, this.#lastUpdate)) this.#lastUpdate = null;
    // A checkpoint names the update that comes next: one at the very place is the one that was gone on from.
    this.#saved = this.#saved.filter(
      ({ call, update }) => !isUpdateUndone(position, { call, update: update - 1 }),
    );
  }
}
