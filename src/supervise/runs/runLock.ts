// The lock of a run folder: one training at a time. A lock whose processes are dead is taken over.
import { createHash, randomBytes } from 'node:crypto';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { processIsAliveSoon } from '../../protocol/processIsAlive';
import { processStartTime } from './runLockProcess';
import { replaceFile } from './runFolderFiles';

const owner = z.strictObject({
  pid: z.int().positive(),
  /** What the system says of the process's start: a number may be another process's by now. Null where it cannot tell. */
  startTime: z.string().nullable(),
  host: z.string(),
  /** The training process, which may outlive its supervisor while it saves. */
  trainer: z.strictObject({ pid: z.int().positive(), startTime: z.string().nullable() }).nullable(),
});
export type LockOwner = z.infer<typeof owner>;

/** Another process holds the run folder. */
export class RunLockedError extends Error {
  override readonly name = 'RunLockedError';
  constructor(folder: string, holder: LockOwner) {
    const elsewhere = holder.host === hostname() ? '' : ` on ${holder.host}`;
    let remedy = 'Wait for it, stop it, or name another folder with --run-dir.';
    if (elsewhere !== '') remedy = 'If it is no longer running there, remove run.lock from the folder.';
    // The number may be another process's by now, which cannot be told here.
    else if (holder.startTime === null) remedy += ' If that process is no training, remove run.lock from it.';
    super(
      `The run folder ${folder} is in use by another training (process ${holder.pid}${elsewhere}). ${remedy}`,
    );
  }
}

/** What is asked of the system; replaced in tests of other platforms' answers. */
export interface ProcessFacts {
  isAlive(pid: number): boolean | Promise<boolean>;
  startTime(pid: number): Promise<string | null>;
}
const realProcesses: ProcessFacts = { isAlive: processIsAliveSoon, startTime: processStartTime };

/** A file that cannot be read is not one that is written just now, once it has been the same for so long, in ms. */
const writingLimit = 2_000;
/** Between two looks at a lock that another process takes over, in ms. */
const takeOverPause = 50;

export class RunLock {
  private constructor(
    private readonly file: string,
    private readonly owner: LockOwner,
    private readonly processes: ProcessFacts,
  ) {}

  /**
   * Takes the lock.
   * @param file the lock file, in the run folder `folder`
   * @throws RunLockedError where a living training holds it; nothing was changed then
   */
  static async acquire(file: string, folder: string, processes = realProcesses): Promise<RunLock> {
    const mine: LockOwner = {
      pid: process.pid,
      startTime: await processes.startTime(process.pid),
      host: hostname(),
      trainer: null,
    };
    const taker = new Taker(JSON.stringify(mine), processes);
    for (;;) {
      const outcome = await taker.tryTake(file);
      if (outcome === 'taken') return new RunLock(file, mine, processes);
      if (outcome !== null) throw new RunLockedError(folder, outcome);
      await sleep(takeOverPause);
    }
  }

  /**
   * Records the training process, so that the folder counts as used as long as that one lives. Where that cannot be
   * written (a disk that is full by now), the lock is this process's alone.
   */
  async setTrainer(pid: number): Promise<void> {
    const trainer = { pid, startTime: await this.processes.startTime(pid) };
    try {
      await replaceFile(this.file, JSON.stringify({ ...this.owner, trainer }));
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error;
    }
  }

  /** Lets go of the lock, where it is still this one's. */
  async release(): Promise<void> {
    try {
      const holder = await readLockOwner(this.file);
      const { pid, startTime, host } = this.owner;
      const isOwn = holder?.pid === pid && holder.startTime === startTime && holder.host === host;
      if (isOwn) await rm(this.file, { force: true });
    } catch (error) {
      // On a disk that is read-only by now it stays, and ends with this process.
      if (!(error instanceof Error && 'code' in error)) throw error;
    }
  }
}

/** Who holds a lock; null where there is none, or where it is not readable (torn by a crash). */
export async function readLockOwner(file: string): Promise<LockOwner | null> {
  const text = await readText(file);
  return text === null ? null : parseOwner(text);
}

async function readText(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
}

function parseOwner(text: string): LockOwner | null {
  try {
    const checked = owner.safeParse(JSON.parse(text));
    return checked.success ? checked.data : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** True while the supervisor or the trainer lives. One on another machine cannot be asked: it counts as living. */
export async function isHeld(holder: LockOwner, processes = realProcesses): Promise<boolean> {
  if (holder.host !== hostname()) return true;
  for (const { pid, startTime } of [holder, ...(holder.trainer ? [holder.trainer] : [])]) {
    if (!(await processes.isAlive(pid))) continue;
    const now = await processes.startTime(pid);
    if (now === null || startTime === null || now === startTime) return true;
  }
  return false;
}

/** What a look at a lock shows. */
type Look =
  /** Nobody living holds it: a lock with this very text may be removed. */
  | { readonly dead: string }
  /** Who is named in it lives; null: it cannot be read, and may be being written. */
  | { readonly dead: null; readonly holder: LockOwner | null };

/** Looks at a lock again and again, until it is known whether it is free. */
class Watch {
  #text: string | null = null;
  #since = 0;

  constructor(private readonly processes: ProcessFacts) {}

  async look(file: string): Promise<Look> {
    const text = await readText(file);
    const holder = text === null ? null : parseOwner(text);
    if (text !== null && holder !== null) {
      return (await isHeld(holder, this.processes)) ? { dead: null, holder } : { dead: text };
    }
    // The wall clock and the file's time may jump: only the time that passes here counts.
    if (text === null || text !== this.#text) this.#since = performance.now();
    this.#text = text;
    const isTorn = text !== null && performance.now() - this.#since >= writingLimit;
    return isTorn ? { dead: text } : { dead: null, holder: null };
  }
}

/**
 * Takes locks, those of the dead too. Who removes a dead lock holds a second one meanwhile, the claim, whose name has the digest
 * of the dead lock's text. So whatever stands in the lock's place by then is never removed: it has another text, and another
 * claim. A claim whose holder died is a dead lock like any other, with a claim of its own.
 */
class Taker {
  readonly #watches = new Map<string, Watch>();

  /** @param text what is written into the locks that are taken */
  constructor(
    private readonly text: string,
    private readonly processes: ProcessFacts,
  ) {}

  /** @returns `taken`, or who holds the lock; null: not known yet, or another process takes it just now */
  async tryTake(file: string): Promise<'taken' | LockOwner | null> {
    if (await create(file, this.text)) return 'taken';
    const look = await this.#watch(file).look(file);
    if (look.dead === null) return look.holder;
    await this.#removeDead(file, look.dead);
    return (await create(file, this.text)) ? 'taken' : null;
  }

  /** Removes a lock with this text, unless another process does so. */
  async #removeDead(file: string, dead: string): Promise<void> {
    const claim = claimOf(file, dead);
    if ((await this.tryTake(claim)) !== 'taken') return;
    try {
      if ((await readText(file)) === dead) await rm(file, { force: true });
    } finally {
      await rm(claim, { force: true });
    }
  }

  #watch(file: string): Watch {
    const watch = this.#watches.get(file) ?? new Watch(this.processes);
    this.#watches.set(file, watch);
    return watch;
  }
}

/** The lock that a process holds while it removes the lock `file` with the text `dead`. */
export function claimOf(file: string, dead: string): string {
  return `${file}.${createHash('sha256').update(dead).digest('hex').slice(0, 16)}`;
}

/** Ends a name that nothing else takes. */
function uniqueEnd(): string {
  return `${process.pid}-${randomBytes(4).toString('hex')}.tmp`;
}

/** Creates a file that was not there, with its text at once: nobody finds it empty. False where it was there. */
async function create(file: string, text: string): Promise<boolean> {
  const temporary = `${file}.${uniqueEnd()}`;
  try {
    await writeFile(temporary, text, { flag: 'wx', mode: 0o600 });
    try {
      await link(temporary, file);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EEXIST') throw error;
      // A file system without links (FAT, some network ones).
      await writeFile(file, text, { flag: 'wx', mode: 0o600 });
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}
