// The lock of a run folder: one training at a time. A lock whose processes are dead is taken over.
import { randomBytes } from 'node:crypto';
import { link, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { processIsAlive } from '../../protocol/processIsAlive';
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
    const remedy =
      elsewhere === ''
        ? 'Wait for it, stop it, or name another folder with --run-dir.'
        : `If it is no longer running there, remove run.lock from the folder.`;
    super(
      `The run folder ${folder} is in use by another training (process ${holder.pid}${elsewhere}). ${remedy}`,
    );
  }
}

/** What is asked of the system; replaced in tests of other platforms' answers. */
export interface ProcessFacts {
  isAlive(pid: number): boolean;
  startTime(pid: number): Promise<string | null>;
}
const realProcesses: ProcessFacts = { isAlive: processIsAlive, startTime: processStartTime };

/** A taking over that was begun so long ago (in ms) died in the middle of it. */
const takeOverLimit = 10_000;

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
    for (;;) {
      if (await create(file, JSON.stringify(mine))) return new RunLock(file, mine, processes);
      const holder = await readLockOwner(file);
      if (holder && (await isHeld(holder, processes))) throw new RunLockedError(folder, holder);
      await takeOver(file, processes);
    }
  }

  /** Records the training process, so that the folder counts as used as long as that one lives. */
  async setTrainer(pid: number): Promise<void> {
    const trainer = { pid, startTime: await this.processes.startTime(pid) };
    await replaceFile(this.file, JSON.stringify({ ...this.owner, trainer }));
  }

  async release(): Promise<void> {
    await rm(this.file, { force: true });
  }
}

/** Who holds a lock; null where there is none, or where it is not readable (torn by a crash). */
export async function readLockOwner(file: string): Promise<LockOwner | null> {
  try {
    const checked = owner.safeParse(JSON.parse(await readFile(file, 'utf8')));
    return checked.success ? checked.data : null;
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** True while the supervisor or the trainer lives. One on another machine cannot be asked: it counts as living. */
export async function isHeld(holder: LockOwner, processes = realProcesses): Promise<boolean> {
  if (holder.host !== hostname()) return true;
  for (const { pid, startTime } of [holder, ...(holder.trainer ? [holder.trainer] : [])]) {
    if (!processes.isAlive(pid)) continue;
    const now = await processes.startTime(pid);
    if (now === null || startTime === null || now === startTime) return true;
  }
  return false;
}

/** Removes a dead process's lock. Of several that try at once, one does; the others look again. */
async function takeOver(file: string, processes: ProcessFacts): Promise<void> {
  const mutex = `${file}.taking-over`;
  if (!(await create(mutex, ''))) {
    const begun = await stat(mutex).catch(() => null);
    if (begun && Date.now() - begun.mtimeMs > takeOverLimit) await rm(mutex, { force: true });
    await sleep(50);
    return;
  }
  try {
    const holder = await readLockOwner(file);
    if (!holder || !(await isHeld(holder, processes))) await rm(file, { force: true });
  } finally {
    await rm(mutex, { force: true });
  }
}

/** Creates a file that was not there, with its text at once: nobody finds it empty. False where it was there. */
async function create(file: string, text: string): Promise<boolean> {
  const temporary = `${file}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`;
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
