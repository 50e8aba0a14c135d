// Reads and writes files of any size in pieces: Node refuses more than 2 GiB in one call, and a state may have more.
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync, writeSync } from 'node:fs';

/** Most bytes of one system call. */
const largestPiece = 2 ** 30;
const hashedPiece = 2 ** 22;

/**
 * Bytes of a file, from `start` on.
 * @throws Error where the file ends before; the file system's error
 */
export function readRange(file: string, start: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  const descriptor = openSync(file, 'r');
  try {
    for (let done = 0; done < length;) {
      const piece = bytes.subarray(done, done + largestPiece);
      const read = readSync(descriptor, piece, 0, piece.length, start + done);
      if (read === 0) throw new Error(`${file} ends before byte ${start + length}`);
      done += read;
    }
  } finally {
    closeSync(descriptor);
  }
  return bytes;
}

/**
 * SHA-256 of a file, in hexadecimal.
 * @throws the file system's error
 */
export function hashFile(file: string): string {
  const hash = createHash('sha256');
  const piece = Buffer.alloc(hashedPiece);
  const descriptor = openSync(file, 'r');
  try {
    for (;;) {
      const read = readSync(descriptor, piece);
      if (read === 0) return hash.digest('hex');
      hash.update(piece.subarray(0, read));
    }
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Writes all of `data` at the file's end, and shows each piece to `written`.
 * @throws the file system's error
 */
export function writeAll(descriptor: number, data: Uint8Array, written: (piece: Uint8Array) => void): void {
  for (let done = 0; done < data.length;) {
    const piece = data.subarray(done, done + largestPiece);
    const length = writeSync(descriptor, piece);
    written(piece.subarray(0, length));
    done += length;
  }
}
