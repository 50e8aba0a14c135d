// A little room on the disk that is kept for bad times: a run whose disk is full can still say so, and how it ended.
import { closeSync, fsyncSync, ftruncateSync, openSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';

/** Bytes that one giving frees: a block of most file systems, and more than a line of events needs. */
const step = 4096;
const steps = 4;

export class SpareRoom {
  readonly #file: string;
  readonly #descriptor: number | null;
  #left = 0;

  /** Takes the room; where that cannot be, there is none. */
  constructor(folder: string) {
    this.#file = path.join(folder, 'room.spare');
    this.#descriptor = openOrNull(this.#file);
    this.take();
  }

  /** Gives back a part of it. */
  give(): void {
    if (this.#descriptor === null || this.#left === 0) return;
    this.#left--;
    try {
      ftruncateSync(this.#descriptor, this.#left * step);
      fsyncSync(this.#descriptor);
    } catch {
      // On a disk that is broken or read-only no room is won.
    }
  }

  /** Takes again what was given. @returns whether all of it is there: the disk has room */
  take(): boolean {
    if (this.#descriptor === null) return true;
    // Not zeros, which some file systems keep without taking room for them.
    const piece = Buffer.alloc(step, 0xa5);
    try {
      for (; this.#left < steps; this.#left++) writeSync(this.#descriptor, piece, 0, step, this.#left * step);
      return true;
    } catch {
      return false;
    }
  }

  /** Gives all of it back, for good. */
  remove(): void {
    if (this.#descriptor === null) return;
    try {
      closeSync(this.#descriptor);
      rmSync(this.#file, { force: true });
    } catch {
      // On a read-only disk it stays; it is small, and a resumed training takes it over.
    }
  }
}

function openOrNull(file: string): number | null {
  try {
    return openSync(file, 'w', 0o600);
  } catch {
    return null;
  }
}
