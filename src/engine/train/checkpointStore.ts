// The checkpoints folder of a run: writes the next one, keeps the last two and the best, and decides when one is due.
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { CheckpointModel, CheckpointState } from '../../protocol/checkpoint';
import { isOutOfRoom } from '../../protocol/fileTrouble';
import { checkpointNames, nextCheckpointName, readState } from './checkpointReader';
import {
  removeUnfinished,
  temporaryPrefix,
  writeCheckpoint,
  type CheckpointFacts,
  type ModelToSave,
  type ReadValues,
} from './checkpointWriter';

/** Checkpoints that are kept beside the best one. */
const kept = 2;
/** Begins the name of a checkpoint that was found damaged. */
const damagedPrefix = 'damaged-';
/** All checkpoints together may take this part of the training's time: 2 %. */
const costShare = 0.02;
/** Time in ms that they may take whatever the training's time is. */
const freeMs = 150;
/** The same at the end of a call. */
const freeMsAtEnd = 1000;

type Monitored = NonNullable<CheckpointState['monitored']>;

interface Written {
  readonly folder: string;
  readonly models: readonly CheckpointModel[];
}

export class CheckpointStore {
  #best: { name: string; monitored: Monitored } | null = null;
  readonly #start: number;
  #lastTime: number;
  #spent = 0;
  #lastCost = 0;
  #updates = 0;
  #hasFailed = false;
  /** The last one that this process wrote, and the one before it. */
  #last: Written | null = null;
  #before: Written | null = null;

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
   * True where one may be taken (also out of turn, at the end of an epoch) without slowing the training: all of them
   * together take at most 2 % of its time. A little time is free, so that a short training loses nothing.
   */
  isCheap(free = freeMs): boolean {
    return this.#spent + this.#lastCost <= free + costShare * (this.now() - this.#start);
  }

  /** As `isCheap` at the end of a call: what the script does after it may fail, and is not to cost the training. */
  isCheapAtEnd(): boolean {
    return this.isCheap(freeMsAtEnd);
  }

  /**
   * True where one may be taken out of turn because it is the best: where it is cheap, and after a try that failed. On a
   * full disk the best one's room may be the only one that there is.
   */
  isDueAsBest(monitored: Monitored | null): boolean {
    return (this.#hasFailed || this.isCheap()) && this.isBest(monitored);
  }

  /** Renames a damaged checkpoint, so that it does not count as one of those that are kept. */
  setAside(name: string): void {
    // A clock that was set back may give the same time twice.
    let time = Date.now();
    while (existsSync(path.join(this.folder, `${damagedPrefix}${name}-${time}`))) time++;
    renameSync(path.join(this.folder, name), path.join(this.folder, `${damagedPrefix}${name}-${time}`));
  }

  isBest(monitored: Monitored | null): boolean {
    if (!monitored) return false;
    const best = this.#best?.monitored;
    return (
      !best || best.name !== monitored.name || best.model !== monitored.model || monitored.value < best.value
    );
  }

  /**
   * Writes the next checkpoint and removes those no longer wanted; before, where the disk is full.
   * @param changed whether a model's weights may differ from those in the last checkpoint
   * @returns `madeRoom`: the disk is full, and an older one had to be removed before
   * @throws the file system's error; the earlier ones are untouched then
   */
  async write(
    facts: CheckpointFacts,
    models: readonly (Omit<ModelToSave, 'unchanged'> & { changed: boolean })[],
    read: ReadValues,
  ): Promise<{ place: string; ms: number; best: boolean; madeRoom: boolean }> {
    const start = this.now();
    const toSave = models.map(({ changed, ...model }): ModelToSave => {
      return { ...model, unchanged: changed ? null : this.#earlier(model.index) };
    });
    const name = nextCheckpointName(this.folder);
    const attempt = (): ReturnType<typeof writeCheckpoint> =>
      writeCheckpoint(this.folder, name, facts, toSave, read);
    let madeRoom = false;
    this.#hasFailed = true;
    try {
      const written = await attempt().catch((error: unknown) => {
        madeRoom = isOutOfRoom(error) && this.#makeRoom(this.isBest(facts.monitored));
        if (madeRoom) return attempt();
        throw error;
      });
      this.#before = this.#last;
      this.#last = { folder: written.place, models: written.models };
      const best = this.isBest(facts.monitored);
      if (best && facts.monitored) this.#best = { name, monitored: facts.monitored };
      this.#prune();
      this.#hasFailed = false;
      return { place: written.place, ms: this.now() - start, best, madeRoom };
    } finally {
      // A failed try counts too: a full disk is not to be tried again at every update.
      this.#lastCost = this.now() - start;
      this.#spent += this.#lastCost;
      this.#lastTime = this.now();
      this.#updates = 0;
    }
  }

  /**
   * The file of a model that has not changed since the last checkpoint, in the one before that. Two that follow each other
   * share no file: damage to one would be damage to both.
   */
  #earlier(model: number): ModelToSave['unchanged'] {
    const entryOf = (written: Written | null): CheckpointModel | undefined =>
      written?.models.find(({ index }) => index === model);
    const before = this.#before;
    const entry = entryOf(before);
    if (before === null || entry === undefined || entry.sha256 !== entryOf(this.#last)?.sha256) return null;
    return { folder: before.folder, entry };
  }

  #prune(): void {
    const names = checkpointNames(this.folder);
    if (this.#best && !names.includes(this.#best.name)) this.#best = null;
    for (const name of names.slice(0, -kept)) if (name !== this.#best?.name) this.#remove(name);
  }

  /**
   * Removes what a resume can do without, when the disk is full: the checkpoint before the last one, where this process
   * wrote the last one and it is therefore known to be whole, and damaged ones.
   * @param isBest the next one takes the place of the best
   * @returns whether anything was removed
   */
  #makeRoom(isBest: boolean): boolean {
    const names = checkpointNames(this.folder);
    const newest = this.#last && path.basename(this.#last.folder);
    const before = names.at(-1) === newest ? names.slice(0, -1) : [];
    const spare = before.filter((name) => isBest || name !== this.#best?.name);
    const damaged = readdirSync(this.folder).filter((name) => name.startsWith(damagedPrefix));
    return [...spare, ...damaged].map((name) => this.#remove(name)).includes(true);
  }

  /** @returns whether it is gone; one that cannot be removed now is removed after the next is written */
  #remove(name: string): boolean {
    try {
      rmSync(path.join(this.folder, name), { recursive: true, force: true });
      return true;
    } catch {
      // What was saved is saved: that an old one cannot be removed is no failure of it.
      return false;
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
    if (!existsSync(this.folder)) return;
    for (const name of readdirSync(this.folder)) {
      if (name.startsWith(temporaryPrefix)) removeUnfinished(path.join(this.folder, name));
    }
  }
}
