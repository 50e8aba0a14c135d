// What a list of runs tells of each: read once, and from then on only what was added to it.
import { stat } from 'node:fs/promises';
import type { RunRecord } from '../../protocol/runEvents';
import type { RunPaths } from './runFolder';
import { readRunRecord } from './runFolderFiles';
import { RunTotals } from './runHistoryTotals';
import { isHeld, readLockOwner } from './runLock';
import { RunEventReader } from './runWatcherEvents';

/** As in run.json, or `interrupted`: it says that it trains, but its processes are gone. */
export type RecordedState = RunRecord['state'] | 'interrupted';

export interface ReadRun {
  readonly paths: RunPaths;
  readonly record: RunRecord;
  readonly state: RecordedState;
  readonly totals: RunTotals;
}

interface Kept {
  /** When run.json was written, and its size: an equal one is not read again. */
  readonly stamp: string;
  readonly record: RunRecord;
  readonly events: RunEventReader;
  readonly totals: RunTotals;
}

/** Reads runs and remembers what was read. One reading at a time of each run. */
export class RunSummaries {
  readonly #kept = new Map<string, Kept>();

  /**
   * @returns null for a folder without a readable run.json, which is no run (or none yet)
   * @throws the file system's error
   */
  async read(paths: RunPaths): Promise<ReadRun | null> {
    const kept = await this.#open(paths);
    if (kept === null) {
      this.#kept.delete(paths.folder);
      return null;
    }
    const { record, events, totals } = kept;
    const isOther = await events.read((event) => totals.add(event));
    if (isOther) {
      this.#kept.delete(paths.folder);
      return this.read(paths);
    }
    this.#kept.set(paths.folder, kept);
    const { state, record: newest } = await recordedState(paths, record);
    return { paths, record: newest, state, totals };
  }

  /** Forgets the runs that are not among these. */
  keep(folders: ReadonlySet<string>): void {
    for (const folder of this.#kept.keys()) if (!folders.has(folder)) this.#kept.delete(folder);
  }

  async #open(paths: RunPaths): Promise<Kept | null> {
    const stamp = await fileStamp(paths.record);
    if (stamp === null) return null;
    const kept = this.#kept.get(paths.folder);
    if (kept?.stamp === stamp) return kept;
    const record = await readRunRecord(paths);
    if (record === null) return kept ?? null;
    const isSame = kept?.record.startedAt === record.startedAt;
    return isSame
      ? { ...kept, stamp, record }
      : { stamp, record, events: new RunEventReader(paths.events), totals: new RunTotals() };
  }
}

/** Changes when a file is written anew; null where there is none. */
export async function fileStamp(file: string): Promise<string | null> {
  try {
    const { mtimeMs, size } = await stat(file);
    return `${mtimeMs} ${size}`;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
}

/** What a run is now, and the record that says so: one whose processes died still says that it trains. */
export async function recordedState(
  paths: RunPaths,
  record: RunRecord,
): Promise<{ state: RecordedState; record: RunRecord }> {
  if (record.endedAt !== null) return { state: record.state, record };
  const holder = await readLockOwner(paths.lock);
  if (holder && (await isHeld(holder))) return { state: record.state, record };
  // It may have ended between the two looks: the lock goes after the record was written.
  const now = (await readRunRecord(paths)) ?? record;
  return { state: now.endedAt === null ? 'interrupted' : now.state, record: now };
}

/** Largest microbatch now, which is smaller than planned after a reduction. */
export function microbatchSizeNow(record: RunRecord, totals: RunTotals): number {
  return totals.reducedTo ?? record.microbatchSize;
}
