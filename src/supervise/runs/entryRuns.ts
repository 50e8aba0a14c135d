// The runs of one config: the list of them, and the notice that there is a new one or that one was deleted.
import { realpath } from 'node:fs/promises';
import path from 'node:path';
import type { EarlierRun } from '../../protocol/page';
import { listRunFolders, type RunPaths } from './runFolder';
import { readRunRecord } from './runFolderFiles';
import type { RunTotals } from './runHistoryTotals';
import { microbatchSizeNow, RunSummaries, type ReadRun } from './runSummary';

/** Lists a config's runs again and again, and reads of each only what was added. */
export class RunList {
  readonly #summaries = new RunSummaries();
  #reading: Promise<EarlierRun[]> | null = null;

  /** @param configPath absolute */
  constructor(private readonly configPath: string) {}

  /**
   * Runs of the config in the folder beside it, newest first.
   * @throws the file system's error
   */
  read(): Promise<EarlierRun[]> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  async #read(): Promise<EarlierRun[]> {
    const folders = await listRunFolders(path.dirname(this.configPath));
    this.#summaries.keep(new Set(folders.map(({ folder }) => folder)));
    const runs: ReadRun[] = [];
    for (const paths of folders) {
      const run = await this.#summaries.read(paths);
      if (run && (await isSameFile(run.record.configPath, this.configPath))) runs.push(run);
    }
    return runs.map(earlierRun).sort((a, b) => b.startedAt.localeCompare(a.startedAt));
  }
}

export interface RunsWatchOptions {
  /** There is a new run, or one is gone. */
  onChange(): void;
  /** The runs cannot be looked at; the next look may succeed. */
  onError?(error: unknown): void;
  /** Between two looks, in ms. */
  readonly pauseMs?: number;
}

/**
 * Notices runs of a config that are started (from a terminal, by a task) or deleted.
 * Polls: watchers of the file system miss some disks of other machines.
 */
export function watchRuns(
  configPath: string,
  { onChange, onError, pauseMs = 1_000 }: RunsWatchOptions,
): { dispose(): void } {
  /** By name: whether it is the config's; a folder whose run.json is not there yet is looked at again. */
  let known: ReadonlyMap<string, boolean> | null = null;
  let timer: NodeJS.Timeout | null = null;
  let isDisposed = false;
  const look = async (): Promise<void> => {
    try {
      const before = known;
      const now = await ownership(configPath, before ?? new Map());
      known = now;
      const names = (runs: ReadonlyMap<string, boolean>): string =>
        JSON.stringify([...runs].filter(([, isOwn]) => isOwn).map(([name]) => name));
      if (before !== null && !isDisposed && names(before) !== names(now)) onChange();
    } catch (error) {
      onError?.(error);
    }
    if (!isDisposed) timer = setTimeout(() => void look(), pauseMs);
  };
  void look();
  return {
    dispose: () => {
      isDisposed = true;
      if (timer !== null) clearTimeout(timer);
    },
  };
}

async function ownership(
  configPath: string,
  known: ReadonlyMap<string, boolean>,
): Promise<ReadonlyMap<string, boolean>> {
  const now = new Map<string, boolean>();
  for (const paths of await listRunFolders(path.dirname(configPath))) {
    const isOwn = known.get(paths.name) ?? (await belongsTo(paths, configPath));
    if (isOwn !== null) now.set(paths.name, isOwn);
  }
  return now;
}

async function belongsTo(paths: RunPaths, configPath: string): Promise<boolean | null> {
  const record = await readRunRecord(paths);
  return record && (await isSameFile(record.configPath, configPath));
}

/** One file has several names where a folder is a link, or where a drive's letter is written in either case. */
async function isSameFile(one: string, other: string): Promise<boolean> {
  if (one === other) return true;
  if (path.basename(one).toLowerCase() !== path.basename(other).toLowerCase()) return false;
  const [realOne, realOther] = await Promise.all([one, other].map(realFile));
  return realOne !== null && realOne === realOther;
}

/** Null where there is no such file (any more). */
async function realFile(file: string): Promise<string | null> {
  try {
    return await realpath(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
}

function earlierRun({ paths, record, state, totals }: ReadRun): EarlierRun {
  const { startedAt, targetBatchSize } = record;
  const { epochs, updates } = totals;
  return {
    name: paths.name,
    state,
    startedAt,
    epochs: epochs.length === 0 ? null : epochs.length,
    updates: updates === 0 ? null : updates,
    figure: figureOf(totals),
    targetBatchSize,
    microbatchSize: microbatchSizeNow(record, totals),
  };
}

/** The one by which runs are compared: the loss on data that was not trained on, where there is one. */
function figureOf({ last, best }: RunTotals): EarlierRun['figure'] {
  const name = ['val_loss', 'loss'].find((each) => each in last) ?? Object.keys(last)[0];
  return name === undefined ? null : { name, last: last[name] ?? null, best: best[name]?.value ?? null };
}
