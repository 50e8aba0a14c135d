// Appends lines to a file; those that cannot be written wait in memory, in their order, until they can.
import { fsyncSync, writeSync } from 'node:fs';

interface Line {
  readonly data: Buffer;
  readonly isOptional: boolean;
}

/** Bytes that may wait: some ten thousand updates. */
const waitingLimit = 8 * 2 ** 20;

export class WaitingLines {
  #lines: Line[] = [];
  #bytes = 0;
  /** Bytes of the first line that are in the file. */
  #done = 0;
  #dropped = 0;

  /** @param descriptor of a file that is opened for appending */
  constructor(
    private readonly descriptor: number,
    private readonly limit = waitingLimit,
  ) {}

  /** Lines that were given up, as too much was waiting. */
  get dropped(): number {
    return this.#dropped;
  }

  /**
   * Writes a line behind those that wait.
   * @param isOptional may be given up where too much waits
   * @returns the file system's error; null where everything is written
   */
  add(line: string, isOptional: boolean): Error | null {
    const data = Buffer.from(`${line}\n`);
    this.#lines.push({ data, isOptional });
    this.#bytes += data.length;
    const error = this.write();
    if (this.#bytes > this.limit) this.#shorten();
    return error;
  }

  /** Writes what waits, as far as it goes; as `add`. */
  write(): Error | null {
    let written = 0;
    try {
      for (const { data } of this.#lines) {
        while (this.#done < data.length) this.#done += writeSync(this.descriptor, data, this.#done);
        this.#done = 0;
        this.#bytes -= data.length;
        written++;
      }
      return null;
    } catch (error) {
      return error as Error;
    } finally {
      this.#lines.splice(0, written);
    }
  }

  /**
   * Writes a line before those that wait, where there is room for just that.
   * @returns as `add`; a line that could not be written does not wait
   */
  first(line: string): Error | null {
    // One that is half there stays as rubbish, and comes again whole.
    const data = Buffer.from(`${this.#done > 0 ? '\n' : ''}${line}\n`);
    this.#done = 0;
    let done = 0;
    try {
      while (done < data.length) done += writeSync(this.descriptor, data, done);
      return null;
    } catch (error) {
      if (done > 0) this.#endTorn();
      return error as Error;
    }
  }

  /** Waits until what is written is on the disk; as `add`. */
  flush(): Error | null {
    try {
      fsyncSync(this.descriptor);
      return null;
    } catch (error) {
      return error as Error;
    }
  }

  /** What comes next begins a line of its own. */
  #endTorn(): void {
    this.#lines.unshift({ data: Buffer.from('\n'), isOptional: false });
    this.#bytes++;
  }

  /** Gives up the older half of what is optional. */
  #shorten(): void {
    const half = this.limit / 2;
    this.#lines = this.#lines.filter(({ data, isOptional }, index) => {
      // The first may be half written.
      if (index === 0 || !isOptional || this.#bytes <= half) return true;
      this.#bytes -= data.length;
      this.#dropped++;
      return false;
    });
  }
}
