// What is asked of the trainer from outside, looked at between two updates: pause, stop, or a supervisor that is gone.
import { closeSync, readSync, statSync, type Stats } from 'node:fs';
import { openPlainFileSync } from '../../protocol/plainFile';
import { processIsAlive } from '../../protocol/processIsAlive';
import { controlRequest } from '../../protocol/job';

/** `leave`: the supervisor is gone; save and end. */
export type Asked = 'run' | 'pause' | 'stop' | 'leave';

/** Least time between two looks, in ms: a look costs some microseconds, an update may take no more. */
const lookPause = 50;
/** Least time between two looks at the supervisor, in ms. */
const parentPause = 500;
/** Far more than a request has, in bytes. */
const longestRequest = 4096;

export class Control {
  #asked: Asked = 'run';
  #lookTime = -Infinity;
  #parentTime = -Infinity;
  #seen = '';

  constructor(
    private readonly file: string,
    private readonly parentPid: number,
    private readonly now: () => number = () => performance.now(),
    private readonly isAlive: (pid: number) => boolean = processIsAlive,
  ) {}

  /** Cheap enough to be called after each update. Whatever has become of the file, it does not fail. */
  look(): Asked {
    const time = this.now();
    if (time - this.#parentTime >= parentPause) {
      this.#parentTime = time;
      if (!this.isAlive(this.parentPid)) return 'leave';
    }
    if (time - this.#lookTime >= lookPause) {
      this.#lookTime = time;
      this.#read();
    }
    return this.#asked;
  }

  /** Resolves once anything but a pause is asked, or `stop` says so. */
  async untilNoPause(stop: () => boolean): Promise<Asked> {
    for (;;) {
      const asked = stop() ? 'stop' : this.look();
      if (asked !== 'pause') return asked;
      await new Promise((resolve) => setTimeout(resolve, lookPause * 2));
    }
  }

  #read(): void {
    try {
      const stat = statSync(this.file, { throwIfNoEntry: false });
      const seen = stat ? `${stat.mtimeMs} ${stat.size} ${stat.ino}` : '';
      if (seen === this.#seen) return;
      const asked = stat ? readRequest(this.file, stat) : 'run';
      // A half-written file is read again at the next look.
      if (asked === null) return;
      this.#seen = seen;
      this.#asked = asked;
    } catch {
      // Gone between two steps, not to be read, or no file at all: what was asked before holds.
    }
  }
}

/** Null where it holds no request. */
function readRequest(file: string, { size }: Stats): Asked | null {
  if (size > longestRequest) return null;
  const descriptor = openPlainFileSync(file);
  try {
    const text = Buffer.alloc(longestRequest);
    return parse(text.toString('utf8', 0, readSync(descriptor, text)));
  } finally {
    closeSync(descriptor);
  }
}

function parse(text: string): Asked | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const checked = controlRequest.safeParse(value);
  if (!checked.success) return null;
  // To end without saving is the supervisor's to do; a trainer that outlives it saves first.
  return checked.data.request === 'end' ? 'stop' : checked.data.request;
}
