// `batch-planner runs`: the trainings in a folder and how they ended, newest first.
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { exitCodes, type ExitCode } from '../../protocol/exitCodes';
import type { RunRecord } from '../../protocol/runEvents';
import { listRunFolders, type RunPaths } from './runFolder';
import {
  microbatchSizeNow,
  recordedState,
  RunSummaries,
  type ReadRun,
  type RecordedState,
} from './runSummary';

/** One run as it is listed. */
export interface RunSummary {
  readonly folder: string;
  readonly name: string;
  readonly entry: string;
  readonly configPath: string;
  readonly state: RecordedState;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly targetBatchSize: number;
  readonly microbatchSize: number;
  readonly attempts: number;
  readonly backend: string | null;
  /** Of all calls, those that a resumed training did again counted once; null before the first of them ended. */
  readonly epochs: number | null;
  readonly updates: number | null;
  /** Figures of the last epoch. */
  readonly logs: Readonly<Record<string, number | null>> | null;
  readonly failure: string | null;
}

export interface RunsCommandOptions {
  /** Runs of configs in this folder and below it are listed. */
  readonly folder: string;
  readonly json: boolean;
  readonly out: { write(text: string): unknown };
  /** Shows them to a person; not used for JSON. */
  readonly view: { show(runs: readonly RunSummary[]): void };
}

/** What `runs --json` prints. */
export interface RunsDocument {
  readonly version: 1;
  readonly runs: readonly RunSummary[];
}

export async function runRunsCommand({ folder, json, out, view }: RunsCommandOptions): Promise<ExitCode> {
  const runs = await listRuns(path.resolve(folder));
  if (json) {
    const document: RunsDocument = { version: 1, runs };
    out.write(`${JSON.stringify(document, null, 2)}\n`);
  } else {
    view.show(runs);
  }
  return exitCodes.done;
}

/** Runs of this name in a folder and below it. */
export async function findRuns(folder: string, name: string): Promise<RunPaths[]> {
  const found: RunPaths[] = [];
  for (const place of await foldersWithRuns(folder, 0))
    found.push(...(await listRunFolders(place)).filter((paths) => paths.name === name));
  return found;
}

/** Folders deeper than this below the given one are not looked into for configs. */
const deepest = 4;

/** Summaries of all runs in a folder and below it, newest first. A folder without a readable run.json is none. */
export async function listRuns(folder: string): Promise<RunSummary[]> {
  const runs = new RunSummaries();
  const summaries: RunSummary[] = [];
  for (const place of await foldersWithRuns(folder, 0)) {
    for (const paths of await listRunFolders(place)) {
      const run = await runs.read(paths);
      if (run) summaries.push(summarise(run));
    }
  }
  return summaries.sort((a, b) => b.startedAt.localeCompare(a.startedAt));
}

async function foldersWithRuns(folder: string, depth: number): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    // What may not be looked into holds no runs of this user's.
    if (error.code === 'EACCES' || error.code === 'EPERM' || error.code === 'ENOENT') return [];
    throw error;
  });
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const found = folders.includes('.batch-planner') ? [folder] : [];
  if (depth >= deepest) return found;
  for (const name of folders) {
    if (name.startsWith('.') || name === 'node_modules') continue;
    found.push(...(await foldersWithRuns(path.join(folder, name), depth + 1)));
  }
  return found;
}

/** What a run is now: the record of one whose processes died still says that it trains. */
export async function stateOf(paths: RunPaths, record: RunRecord): Promise<RecordedState> {
  return (await recordedState(paths, record)).state;
}

function summarise({ paths, record, state, totals }: ReadRun): RunSummary {
  const { name, entry, configPath, startedAt, endedAt, targetBatchSize, attempts, backend } = record;
  const { epochs, updates, ended } = totals;
  return {
    folder: paths.folder,
    name,
    entry,
    configPath,
    state,
    startedAt,
    endedAt,
    targetBatchSize,
    microbatchSize: microbatchSizeNow(record, totals),
    attempts,
    backend: backend?.name ?? null,
    epochs: epochs.length === 0 ? null : epochs.length,
    updates: updates === 0 ? null : updates,
    logs: epochs.at(-1)?.logs ?? null,
    failure: state === 'failed' ? (ended?.failure?.message ?? null) : null,
  };
}
