// Watches how much memory a child uses of what it can have: the evidence by which an abrupt death is put down to memory.
import { readFileSync } from 'node:fs';
import path from 'node:path';

/** The system's files, injected for tests; null where a file is not there or not to be read. */
export type ReadSystemFile = (file: string) => string | null;

/** Reads a small file of /proc or of a cgroup. */
export const readSystemFile: ReadSystemFile = (file) => {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'EACCES' || code === 'EPERM' || code === 'ESRCH' || code === 'ENOTDIR')
      return null;
    throw error;
  }
};

/**
 * Of the memory that was free when a trial or an update began, the part from which on an abrupt death is put down to memory.
 * Resident memory: the kernel ends a process when nothing is left. Address space: the process ends by itself at the
 * allocation that is refused, which may be a large one, so a good part may still be left.
 */
const exhausted = { resident: 0.9, addressSpace: 0.6 } as const;

/** Follows one child's memory. On systems without /proc every answer is null. */
export class MemoryWatch {
  #pid: number | null = null;
  /** What was in use when the step began, in bytes. */
  #before: { readonly addressSpace: number } | null = null;
  #exhausted: boolean | null = null;
  readonly #killsBefore: number | null;

  /** `availableBytes`: what the machine, or the container, could give when the child was started. */
  constructor(
    private readonly availableBytes: number | null,
    private readonly read: ReadSystemFile = readSystemFile,
  ) {
    this.#killsBefore = this.#kernelKills();
  }

  /** The process that trains, once it has told of itself. */
  follow(pid: number): void {
    this.#pid = pid;
  }

  /** A trial or an update begins: from now on its use of memory is looked at. */
  stepStarted(): void {
    this.#exhausted = null;
    this.#before = null;
    const addressSpace = kilobytes(this.#status(), 'VmSize');
    if (addressSpace !== null) this.#before = { addressSpace };
    this.sample();
  }

  /**
   * Looks at the child now; called many times a second.
   * @param availableNow bytes that the machine, or the container, can still give, where it was asked: another program may have
   * taken what there was when the child was started
   */
  sample(availableNow: number | null = null): void {
    const before = this.#before;
    const status = before === null ? null : this.#status();
    if (before === null || status === null) return;
    const limit = addressSpaceLimit(this.read(`/proc/${this.#pid}/limits`));
    // What was available counts from before the child was there, so all that it holds is taken from it.
    const resident = share(0, kilobytes(status, 'VmHWM'), this.availableBytes);
    const addressSpace = share(before.addressSpace, kilobytes(status, 'VmPeak'), limit);
    const own = kilobytes(status, 'VmRSS');
    const now = own === null || availableNow === null ? 0 : share(0, own, own + availableNow);
    this.#exhausted =
      this.#exhausted === true ||
      Math.max(resident, now) >= exhausted.resident ||
      addressSpace >= exhausted.addressSpace;
  }

  /** Whether nearly all memory was in use at some moment of the step; null: nothing was seen. */
  get isExhausted(): boolean | null {
    return this.#exhausted;
  }

  /**
   * Whether the kernel ended a process for memory since this watch began: one of the cgroup that the child shares with this
   * process, or any of the machine where the cgroup tells nothing. Null: the system does not tell.
   */
  killedByKernel(): boolean | null {
    const kills = this.#kernelKills();
    return kills === null || this.#killsBefore === null ? null : kills > this.#killsBefore;
  }

  #status(): string | null {
    return this.#pid === null ? null : this.read(`/proc/${this.#pid}/status`);
  }

  #kernelKills(): number | null {
    for (const file of killCounters(this.read('/proc/self/cgroup'))) {
      const kills = counter(this.read(file), 'oom_kill');
      if (kills !== null) return kills;
    }
    return null;
  }
}

/**
 * Files that count the processes which the kernel's out-of-memory killer has ended, the narrowest first: those of this process's
 * memory cgroup, then of the whole machine. A cgroup's counter has its own processes whoever ran out, cgroup or machine (Linux,
 * Documentation/admin-guide/cgroup-v2.rst, memory.events; cgroup v1 keeps it in memory.oom_control).
 */
function killCounters(cgroups: string | null): string[] {
  const files: string[] = [];
  for (const line of cgroups?.split('\n') ?? []) {
    const [, controllers, folder] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (controllers === undefined || folder === undefined) continue;
    if (controllers === '') files.push(path.posix.join('/sys/fs/cgroup', folder, 'memory.events'));
    if (controllers.split(',').includes('memory'))
      files.unshift(path.posix.join('/sys/fs/cgroup/memory', folder, 'memory.oom_control'));
  }
  return [...files, '/proc/vmstat'];
}

/** A field of /proc/PID/status in bytes; it is given there in kB. */
function kilobytes(status: string | null, field: string): number | null {
  const value = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status ?? '')?.[1];
  return value === undefined ? null : Number(value) * 1024;
}

/** RLIMIT_AS in bytes, as `ulimit -v` and prlimit set it; null where there is none. */
function addressSpaceLimit(limits: string | null): number | null {
  const value = /^Max address space\s+(\d+)/m.exec(limits ?? '')?.[1];
  return value === undefined ? null : Number(value);
}

function counter(text: string | null, name: string): number | null {
  const value = new RegExp(`^${name} (\\d+)$`, 'm').exec(text ?? '')?.[1];
  return value === undefined ? null : Number(value);
}

/** The part of what was free before that is in use now; 0 where a figure is missing. */
function share(before: number, used: number | null, limit: number | null): number {
  return used === null || limit === null || limit <= before ? 0 : (used - before) / (limit - before);
}
