// Watches how much memory a child uses of what it can have: the evidence by which an abrupt death is put down to memory.
import { readFileSync } from 'node:fs';

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

/** Follows one child's memory. On systems without /proc every answer is null. */
export class MemoryWatch {
  #pid: number | null = null;
  #share: number | null = null;
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
    this.sample();
  }

  /** Looks at the child now; called every few hundred milliseconds. */
  sample(): void {
    if (this.#pid === null) return;
    const status = this.read(`/proc/${this.#pid}/status`);
    if (status === null) return;
    const limit = addressSpaceLimit(this.read(`/proc/${this.#pid}/limits`));
    const shares = [
      share(kilobytes(status, 'VmPeak'), limit),
      share(kilobytes(status, 'VmHWM'), this.availableBytes),
    ];
    for (const each of shares) if (each !== null) this.#share = Math.max(this.#share ?? 0, each);
  }

  /** Largest share that was seen in use; null: nothing was seen. */
  get memoryShare(): number | null {
    return this.#share;
  }

  /** Whether the kernel ended a process for memory since this watch began; null: it does not tell. */
  killedByKernel(): boolean | null {
    const kills = this.#kernelKills();
    return kills === null || this.#killsBefore === null ? null : kills > this.#killsBefore;
  }

  /** Processes ended by the kernel's out-of-memory killer: of the whole machine, or of this container's cgroup. */
  #kernelKills(): number | null {
    const machine = counter(this.read('/proc/vmstat'), 'oom_kill');
    const cgroup = counter(this.read('/sys/fs/cgroup/memory.events'), 'oom_kill');
    return machine === null && cgroup === null ? null : (machine ?? 0) + (cgroup ?? 0);
  }
}

/** A field of /proc/PID/status in bytes; it is given there in kB. */
function kilobytes(status: string, field: string): number | null {
  const value = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1];
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

function share(used: number | null, limit: number | null): number | null {
  return used === null || limit === null || limit === 0 ? null : used / limit;
}
