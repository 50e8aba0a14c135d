// How far a training is, gathered from its events: counts, figures, speed and what is left.
import type { RunEvent } from '../../protocol/runEvents';
import type { RunProgress } from '../../protocol/runProgress';
import { RunCourse } from './runHistoryCourse';

type CallEvent = Extract<RunEvent, { type: 'call' }>;
type UpdateEvent = Extract<RunEvent, { type: 'update' }>;

/** Updates over which speed is averaged. */
const window = 50;

export class TrainingProgress {
  call: CallEvent | null = null;
  /** 0-based. */
  epoch = 0;
  /** Updates done in this epoch. */
  updateOfEpoch = 0;
  last: UpdateEvent | null = null;
  isPaused = false;
  /** Microbatches done of the update in the making; null where it is not known. */
  microbatch: { done: number; of: number } | null = null;
  /** Time of the last checkpoint, in ms since 1970; null before the first. */
  savedAt: number | null = null;
  #learnedPerEpoch: number | null = null;
  #resumedUpdate: number | null = null;
  /** A training process began, and nothing told yet where it goes on. */
  #isFresh = false;
  /** Where a process that is started now goes on, as far as is known: the update that comes next in what is saved. */
  #saved: { call: number; update: number } | null = null;
  /** Updates that such a process has passed over so far. */
  #replayed = 0;
  readonly #course = new RunCourse();
  readonly #recent: { time: number; examples: number }[] = [];

  /** Updates that stand, of all calls. */
  get updates(): number {
    return this.#course.updates;
  }

  add(event: RunEvent): void {
    this.#course.add(event);
    switch (event.type) {
      case 'started':
        this.#recent.length = 0;
        this.#isFresh = true;
        this.#replayed = 0;
        this.isPaused = false;
        this.microbatch = null;
        break;
      case 'call':
        this.#newCall(event);
        break;
      case 'update':
        this.#update(event);
        break;
      case 'epoch':
        this.#learnedPerEpoch = this.updateOfEpoch || this.#learnedPerEpoch;
        this.epoch = event.epoch + 1;
        this.updateOfEpoch = 0;
        break;
      case 'checkpoint':
        this.savedAt = Date.parse(event.time);
        this.#saved = event;
        break;
      case 'paused':
        this.isPaused = true;
        break;
      case 'resumed':
        this.isPaused = false;
        // Where the last checkpoint was damaged, it is an earlier one.
        if (this.#isFresh) this.#saved = event;
        this.#isFresh = false;
        this.#recent.length = 0;
        this.epoch = event.epoch;
        this.#resumedUpdate = event.update;
        this.updateOfEpoch = this.#doneOfEpoch(event) ?? this.updateOfEpoch;
        break;
      default:
    }
  }

  /**
   * Updates that a process which goes on has passed over so far, and how many there are to pass over, of all calls; null
   * once it trains, and where nothing is saved.
   */
  get replay(): { readonly done: number; readonly of: number } | null {
    if (!this.#isFresh || this.#saved === null) return null;
    const of = this.#course.before(this.#saved);
    return of === 0 ? null : { done: Math.min(this.#replayed, of), of };
  }

  addProgress({ call, update, microbatch, of }: RunProgress): void {
    if (this.#isFresh) this.#replayed = this.#course.before({ call, update: update + 1 });
    const isCurrent = call === this.call?.call && (this.last?.call !== call || update > this.last.update);
    this.microbatch = isCurrent ? { done: microbatch, of } : null;
  }

  /** Updates in an epoch: told by the call, or learned from the first epoch; null where neither is known. */
  get updatesPerEpoch(): number | null {
    return this.call?.method === 'trainOnBatch'
      ? null
      : (this.call?.updatesPerEpoch ?? this.#learnedPerEpoch);
  }

  get epochs(): number | null {
    return this.call?.epochs ?? null;
  }

  /** Over the last updates, what lies between them (validation, callbacks) included; null before the second one. */
  get examplesPerSecond(): number | null {
    const seconds = this.#recentSeconds();
    const examples = this.#recent.slice(1).reduce((sum, update) => sum + update.examples, 0);
    return seconds > 0 ? examples / seconds : null;
  }

  /** Time in ms that the rest of this call may take; null where that cannot be told. */
  get leftMs(): number | null {
    const { epochs, updatesPerEpoch } = this;
    const seconds = this.#recentSeconds();
    if (epochs === null || updatesPerEpoch === null || seconds <= 0) return null;
    const left = (epochs - this.epoch) * updatesPerEpoch - this.updateOfEpoch;
    return Math.max(0, left) * ((seconds * 1000) / (this.#recent.length - 1));
  }

  #newCall(event: CallEvent): void {
    // A call that does not go on from a checkpoint begins anew.
    if (event.call !== this.call?.call || this.#isFresh) {
      this.epoch = 0;
      this.updateOfEpoch = 0;
      // A loop of calls for the same model (one fit for each epoch) goes on at the same speed.
      if (event.modelName !== this.call?.modelName) this.#recent.length = 0;
      this.#learnedPerEpoch = null;
    }
    this.call = event;
    this.#isFresh = false;
    this.microbatch = null;
  }

  /** Updates of its epoch that are done before a place; null where the epochs' length is not known. */
  #doneOfEpoch({ epoch, update }: { epoch: number; update: number }): number | null {
    const perEpoch = this.updatesPerEpoch;
    return perEpoch === null ? null : Math.max(0, update - epoch * perEpoch);
  }

  #update(event: UpdateEvent): void {
    if (event.epoch !== this.epoch || event.call !== this.last?.call) this.updateOfEpoch = 0;
    if (this.#resumedUpdate !== null) {
      // In the middle of an epoch: what was done of it before the interruption counts.
      this.updateOfEpoch = this.#doneOfEpoch(event) ?? this.updateOfEpoch;
      this.#resumedUpdate = null;
    }
    this.epoch = event.epoch;
    this.updateOfEpoch++;
    this.last = event;
    this.microbatch = null;
    this.#recent.push({ time: Date.parse(event.time), examples: event.examples });
    if (this.#recent.length > window) this.#recent.shift();
  }

  #recentSeconds(): number {
    const first = this.#recent[0];
    const last = this.#recent.at(-1);
    return first && last ? (last.time - first.time) / 1000 : 0;
  }
}
