// Opens and reads files whose content or whose very kind comes from elsewhere: a link in someone's project may lead to a
// pipe that never answers, or to a device that never ends.
import { closeSync, constants, fstatSync, openSync, type Stats } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { formatBytes } from '../planning/units';

/** Not a file that can be read whole. `message` is said after "<file> cannot be read: ". */
export class PlainFileError extends Error {
  override readonly name = 'PlainFileError';
  constructor(
    /** `EISDIR` as the system has it; the others are ours: a pipe, socket or device, and a file beyond the limit. */
    readonly code: 'EISDIR' | 'ENOTPLAIN' | 'EFBIG',
    message: string,
  ) {
    super(message);
  }
}

/** Without waiting for whoever writes into a pipe; Windows has no such flag and no such pipes. */
const openFlags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);
/** Bytes that are read at a time. */
const pieceBytes = 1 << 20;

/** Most bytes of a config, a run's record and the like: far more than any of them has. */
export const textFileLimit = 16 * 2 ** 20;
/** Most bytes of a model.json, whose weights are in files of their own. */
export const modelTextLimit = 64 * 2 ** 20;

/**
 * Opens a file for reading.
 * @throws PlainFileError where it is a folder, a pipe, a socket or a device; the file system's error
 */
export async function openPlainFile(file: string): Promise<FileHandle> {
  const handle = await open(file, openFlags);
  try {
    mustBePlain(await handle.stat());
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** As `openPlainFile`; the descriptor is the caller's to close. */
export function openPlainFileSync(file: string): number {
  const descriptor = openSync(file, openFlags);
  try {
    mustBePlain(fstatSync(descriptor));
    return descriptor;
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/**
 * The text of a file.
 * @param limit most bytes that it may have
 * @throws PlainFileError; the file system's error
 */
export async function readPlainText(file: string, limit = textFileLimit): Promise<string> {
  const handle = await openPlainFile(file);
  try {
    const { size } = await handle.stat();
    if (size > limit) throw tooLarge(limit);
    // Files of the kernel say that they are empty, and go on for ever: what counts is what was read.
    const pieces: Buffer[] = [];
    for (let read = 0; ;) {
      const piece = Buffer.allocUnsafe(Math.min(pieceBytes, Math.max(4096, size - read + 1)));
      const { bytesRead } = await handle.read(piece, 0, piece.length, null);
      if (bytesRead === 0) return Buffer.concat(pieces).toString('utf8');
      read += bytesRead;
      if (read > limit) throw tooLarge(limit);
      pieces.push(piece.subarray(0, bytesRead));
    }
  } finally {
    await handle.close();
  }
}

function mustBePlain(info: Stats): void {
  if (info.isFile()) return;
  if (info.isDirectory()) throw new PlainFileError('EISDIR', 'it is a folder');
  throw new PlainFileError('ENOTPLAIN', 'it is a pipe, a socket or a device, not a file of its own');
}

function tooLarge(limit: number): PlainFileError {
  return new PlainFileError('EFBIG', `it is larger than ${formatBytes(limit)}, which no such file is`);
}
