// The checkpoints folder of a run: writes the next one, keeps the last two and the best, and decides when one is due.
import { readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { CheckpointModel, CheckpointState } from '../../protocol/checkpoint';
import { checkpointNames, nextCheckpointName, readState } from './checkpointReader';
import {
  temporaryPrefix,
  writeCheckpoint,
  type CheckpointFacts,
  type ModelToSave,
  type ReadValues,
} from './checkpointWriter';

/** Checkpoints that are kept beside the best one. */
const kept = 2;
/** All checkpoints together may take this part of the training's time: 2 %. */
const costShare = 0.02;
/** Time in ms that they may take whatever the training's time is. */
const freeMs = 1000;

type Monitored = NonNullable<CheckpointState['monitored']>;

export class CheckpointStore {
  #best: { name: string; monitored: Monitored } | null = null;
  readonly #start: number;
  #lastTime: number;
  #spent = 0;
  #lastCost = 0;
  #updates = 0;
  #last: { folder: string; models: readonly CheckpointModel[] } | null = null;

  /**
   * @param interval seconds between two checkpoints, which are put off where they cost too much; updates between two,
   * whatever they cost, or null
   * @param now monotonic clock in ms: the wall clock may jump
   */
  constructor(
    readonly folder: string,
    private readonly interval: { readonly seconds: number; readonly updates: number | null },
    private readonly now: () => number = () => performance.now(),
  ) {
    this.#start = now();
    this.#lastTime = this.#start;
    for (const name of checkpointNames(folder)) this.#remember(name);
    this.#removeUnfinished();
  }

  /** Counts an update. */
  updateDone(): void {
    this.#updates++;
  }

  /** True when the interval has passed: that of updates, or that of time where one more costs a small part of it. */
  isDue(): boolean {
    const { seconds, updates } = this.interval;
    if (updates !== null && this.#updates >= updates) return true;
    return this.now() - this.#lastTime >= seconds * 1000 && this.isCheap();
  }

  /**
   * True where one may be taken (also out of turn, at the end of an epoch or a call) without slowing the training: all
   * of them together take at most 2 % of its time. The first second is free, so that a short training loses nothing.
   */
  isCheap(): boolean {
    return this.#spent + this.#lastCost <= freeMs + costShare * (this.now() - this.#start);
  }

  /** Renames a damaged checkpoint, so that it does not count as one of those that are kept. */
  setAside(name: string): void {
    renameSync(path.join(this.folder, name), path.join(this.folder, `damaged-${name}-${Date.now()}`));
  }

  isBest(monitored: Monitored | null): boolean {
    if (!monitored) return false;
    const best = this.#best?.monitored;
    return (
      !best || best.name !== monitored.name || best.model !== monitored.model || monitored.value < best.value
    );
  }

  /**
   * Writes the next checkpoint and removes those no longer wanted.
   * @param changed whether a model's weights may differ from those in the last checkpoint
   * @throws the file system's error; the earlier ones are untouched then
   */
  async write(
    facts: CheckpointFacts,
    models: readonly (Omit<ModelToSave, 'unchanged'> & { changed: boolean })[],
    read: ReadValues,
  ): Promise<{ place: string; ms: number; best: boolean }> {
    const start = this.now();
    const last = this.#last;
    const toSave = models.map(({ changed, ...model }): ModelToSave => {
      const entry = changed ? undefined : last?.models.find(({ index }) => index === model.index);
      return { ...model, unchanged: last && entry ? { folder: last.folder, entry } : null };
    });
    const name = nextCheckpointName(this.folder);
    try {
      const written = await writeCheckpoint(this.folder, name, facts, toSave, read);
      this.#last = { folder: written.place, models: written.models };
      const best = this.isBest(facts.monitored);
      if (best && facts.monitored) this.#best = { name, monitored: facts.monitored };
      this.#prune();
      return { place: written.place, ms: this.now() - start, best };
    } finally {
      // A failed try counts too: a full disk is not to be tried again at every update.
      this.#lastCost = this.now() - start;
      this.#spent += this.#lastCost;
      this.#lastTime = this.now();
      this.#updates = 0;
    }
  }

  #prune(): void {
    const names = checkpointNames(this.folder);
    for (const name of names.slice(0, -kept)) {
      if (name !== this.#best?.name) rmSync(path.join(this.folder, name), { recursive: true, force: true });
    }
  }

  /** Learns which of an earlier process's checkpoints is the best. */
  #remember(name: string): void {
    let monitored: Monitored | null;
    try {
      ({ monitored } = readState(path.join(this.folder, name)));
    } catch {
      // Damaged: whoever resumes is told by the reader; it is no candidate for the best.
      return;
    }
    if (monitored && this.isBest(monitored)) this.#best = { name, monitored };
  }

  #removeUnfinished(): void {
    if (checkpointNames(this.folder).length === 0) return;
    for (const name of readdirSync(this.folder)) {
      if (name.startsWith(temporaryPrefix)) {
        rmSync(path.join(this.folder, name), { recursive: true, force: true });
      }
    }
  }
}
