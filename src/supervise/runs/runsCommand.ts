// `batch-planner runs`: the trainings in a folder and how they ended, newest first.
import { open, readdir } from 'node:fs/promises';
import path from 'node:path';
import { exitCodes, type ExitCode } from '../../protocol/exitCodes';
import { parseRunEvent, type RunEvent, type RunRecord } from '../../protocol/runEvents';
import { listRunFolders, type RunPaths } from './runFolder';
import { readRunRecord } from './runFolderFiles';
import { isHeld, readLockOwner } from './runLock';

/** One run as it is listed. */
export interface RunSummary {
  readonly folder: string;
  readonly name: string;
  readonly entry: string;
  readonly configPath: string;
  /** As in run.json, or `interrupted`: it says that it trains, but its processes are gone. */
  readonly state: RunRecord['state'] | 'interrupted';
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly targetBatchSize: number;
  readonly microbatchSize: number;
  readonly attempts: number;
  readonly backend: string | null;
  /** Of all calls and attempts; null before the first of them ended. */
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

/** Folders deeper than this below the given one are not looked into for configs. */
const deepest = 4;

/** Summaries of all runs in a folder and below it, newest first. A folder without a readable run.json is none. */
export async function listRuns(folder: string): Promise<RunSummary[]> {
  const summaries: RunSummary[] = [];
  for (const place of await foldersWithRuns(folder, 0)) {
    for (const paths of await listRunFolders(place)) {
      const record = await readRunRecord(paths);
      if (record) summaries.push(await summarise(paths, record));
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

async function summarise(paths: RunPaths, record: RunRecord): Promise<RunSummary> {
  const { epochs, updates, lastEpoch, ended } = await tally(paths.events);
  const { name, entry, configPath, startedAt, targetBatchSize, microbatchSize, attempts, backend } = record;
  return {
    folder: paths.folder,
    name,
    entry,
    configPath,
    state: await stateOf(paths, record),
    startedAt,
    endedAt: record.endedAt,
    targetBatchSize,
    microbatchSize,
    attempts,
    backend: backend?.name ?? null,
    epochs: epochs === 0 ? null : epochs,
    updates: updates === 0 ? null : updates,
    logs: lastEpoch?.logs ?? null,
    failure: record.state === 'failed' ? (ended?.failure?.message ?? null) : null,
  };
}

/** What a run is now: the record of one whose processes died still says that it trains. */
export async function stateOf(paths: RunPaths, record: RunRecord): Promise<RunSummary['state']> {
  if (record.endedAt !== null) return record.state;
  const holder = await readLockOwner(paths.lock);
  return holder && (await isHeld(holder)) ? record.state : 'interrupted';
}

/** What the events of a run add up to, over all its calls and attempts. */
interface Tally {
  readonly epochs: number;
  readonly updates: number;
  readonly lastEpoch: Extract<RunEvent, { type: 'epoch' }> | null;
  readonly ended: Extract<RunEvent, { type: 'ended' }> | null;
}

/** Reads a line at a time: a long run has a line for each of its updates. */
async function tally(file: string): Promise<Tally> {
  const count = { epochs: 0, updates: 0 };
  let lastEpoch: Tally['lastEpoch'] = null;
  let ended: Tally['ended'] = null;
  const handle = await open(file, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (handle !== null) {
    for await (const line of handle.readLines()) {
      const event = parseRunEvent(line);
      if (event?.type === 'update') count.updates += 1;
      else if (event?.type === 'ended') ended = event;
      else if (event?.type === 'epoch') {
        count.epochs += 1;
        lastEpoch = event;
      }
    }
  }
  return { ...count, lastEpoch, ended };
}
