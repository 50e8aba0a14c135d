// What a supervisor's training adds up to over all its processes: updates that stand, and what saving took.
import { formatShare } from '../../planning/units';
import type { RunEvent } from '../../protocol/runEvents';
import { RunTotals } from '../runs/runHistoryTotals';

/** Less than this, in ms, is too little to tell a part of. */
const leastTime = 1000;

export class TrainingTally {
  readonly #totals = new RunTotals();
  /** What stood where this training began; null until it is told. */
  #base: { updates: number; epochs: number } | null = null;
  #checkpoints = 0;
  #savingMs = 0;
  readonly #earlierMs: number;

  /** @param earlier events of the run before this training */
  constructor(earlier: readonly RunEvent[]) {
    for (const event of earlier) this.#totals.add(event);
    this.#earlierMs = this.#totals.trained.toLastEventMs;
  }

  add(event: RunEvent): void {
    if (event.type === 'update') this.#begin();
    this.#totals.add(event);
    if (event.type === 'call' || event.type === 'resumed') this.#begin();
    if (event.type === 'checkpoint') {
      this.#checkpoints++;
      this.#savingMs += event.ms;
    }
  }

  /** Updates that were done by this training and stand. */
  get updates(): number {
    return this.#base === null ? 0 : Math.max(0, this.#totals.updates - this.#base.updates);
  }

  get epochs(): number {
    return this.#base === null ? 0 : Math.max(0, this.#totals.epochs.length - this.#base.epochs);
  }

  /** Updates and epochs of the whole run that stand. */
  get all(): { readonly updates: number; readonly epochs: number } {
    return { updates: this.#totals.updates, epochs: this.#totals.epochs.length };
  }

  get lastUpdate(): Extract<RunEvent, { type: 'update' }> | null {
    return this.#totals.lastUpdate;
  }

  /** Where a process that is started now goes on: the update that comes next in the newest checkpoint. */
  get saved(): { readonly call: number; readonly update: number } | null {
    return this.#totals.saved;
  }

  /** How often was saved and what part of the time that took, for a person; null where nothing was saved. */
  get savingSentence(): string | null {
    if (this.#checkpoints === 0) return null;
    const times = this.#checkpoints === 1 ? 'once' : `${this.#checkpoints} times`;
    const trainingMs = this.#totals.trained.toLastEventMs - this.#earlierMs;
    if (trainingMs < leastTime) return `Saved ${times}.`;
    return `Saved ${times} (${formatShare(this.#savingMs / trainingMs)} of the time).`;
  }

  #begin(): void {
    this.#base ??= { updates: this.#totals.updates, epochs: this.#totals.epochs.length };
  }
}
