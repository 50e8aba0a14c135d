// Which updates of a run stand: a resumed training goes back to a checkpoint, and what came after it there is undone.
import type { RunEvent } from '../../protocol/runEvents';

/** A place in a training: an update of a call, both 0-based, and its epoch. */
export interface RunPosition {
  readonly call: number;
  readonly epoch: number;
  readonly update: number;
}

/** True for what is done at or after `position`: a training that goes back there does it again. */
export function isUpdateUndone({ call, update }: RunPosition, of: { call: number; update: number }): boolean {
  return of.call > call || (of.call === call && of.update >= update);
}

/** The same for an epoch that had ended. */
export function isEpochUndone({ call, epoch }: RunPosition, of: { call: number; epoch: number }): boolean {
  return of.call > call || (of.call === call && of.epoch >= epoch);
}

/** Follows a run's events and tells where it goes back. Calls may run side by side: each has its own count. */
export class RunCourse {
  /** Updates done of each call. A call of `trainOnBatch` has one. */
  readonly #updates: number[] = [];
  #total = 0;
  /** A training process began, and nothing told yet where it goes on. */
  #isFresh = false;
  /** It is paused; a new process may be so while it passes over what is done. */
  #isPaused = false;

  /** Updates that stand. */
  get updates(): number {
    return this.#total;
  }

  /** Updates that stand before a place, those of earlier calls included. */
  before({ call, update }: { call: number; update: number }): number {
    return this.#updates.slice(0, call).reduce((sum, updates) => sum + updates, update);
  }

  /** @returns the place from which the training is done again, where the event says that it is; else null */
  add(event: RunEvent): RunPosition | null {
    switch (event.type) {
      case 'started':
        this.#isFresh = true;
        this.#isPaused = false;
        return null;
      case 'paused':
        this.#isPaused = true;
        return null;
      case 'resumed':
        // After a pause it goes on where it was; in a new process, where its checkpoint was.
        if (this.#isPaused) {
          this.#isPaused = false;
          return null;
        }
        return this.#isFresh ? this.#goBack(event) : null;
      case 'call':
        // A call that does not go on from a checkpoint begins anew.
        return this.#isFresh ? this.#goBack({ call: event.call, epoch: 0, update: 0 }) : null;
      case 'update':
        return this.#update(event);
      default:
        return null;
    }
  }

  #update({ call, epoch, update }: RunPosition): RunPosition | null {
    this.#isFresh = false;
    const isAgain = update < (this.#updates[call] ?? 0);
    const undone = isAgain ? this.#goBack({ call, epoch, update }) : null;
    this.#set(call, update + 1);
    return undone;
  }

  #goBack(position: RunPosition): RunPosition | null {
    this.#isFresh = false;
    const { call, epoch, update } = position;
    const before = this.#total;
    while (this.#updates.length > call + 1) this.#total -= this.#updates.pop() ?? 0;
    this.#set(call, Math.min(this.#updates[call] ?? 0, update));
    // Epochs may be undone where no update is: the last update of one was saved, its end was not.
    return before > 0 ? { call, epoch, update } : null;
  }

  #set(call: number, updates: number): void {
    while (this.#updates.length < call) this.#updates.push(0);
    this.#total += updates - (this.#updates[call] ?? 0);
    this.#updates[call] = updates;
  }
}
