// Reads a run's events as they are appended, in pieces: between two of them the thread is free for others.
import { open, stat } from 'node:fs/promises';
import { parseRunEvent, type RunEvent } from '../../protocol/runEvents';

/** Bytes read and parsed at a time: some hundred events, a few ms of work. */
const pieceLength = 1 << 15;
const lineEnd = 0x0a;

/** No handle is held between two looks: a folder can be deleted on any platform. */
export class RunEventReader {
  #position = 0;
  /** Bytes behind the last whole line. */
  #rest: Buffer[] = [];

  constructor(private readonly file: string) {}

  /**
   * Hands on the events that were appended since the last look. Lines that are torn or rubbish are passed over.
   * @param isWanted looked at between two pieces; false ends the reading, and what was not read yet comes next time
   * @returns whether the file holds less than was read before: it is another one, and must be read by a new reader
   * @throws the file system's error; a file that is missing is none
   */
  async read(add: (event: RunEvent) => void, isWanted: () => boolean = () => true): Promise<boolean> {
    const size = await sizeOf(this.file);
    if (size < this.#position) return true;
    if (size === this.#position) return false;
    const piece = Buffer.allocUnsafe(Math.min(pieceLength, size - this.#position));
    const handle = await open(this.file, 'r');
    try {
      while (this.#position < size && isWanted()) {
        const { bytesRead } = await handle.read(piece, 0, piece.length, this.#position);
        if (bytesRead === 0) break;
        this.#position += bytesRead;
        for (const line of this.#lines(piece.subarray(0, bytesRead))) {
          const event = parseRunEvent(line);
          if (event) add(event);
        }
      }
    } finally {
      await handle.close();
    }
    return false;
  }

  #lines(piece: Buffer): string[] {
    const end = piece.lastIndexOf(lineEnd);
    // Copied, as the piece is read into again.
    if (end === -1) {
      this.#rest.push(Buffer.from(piece));
      return [];
    }
    const whole = Buffer.concat([...this.#rest, piece.subarray(0, end)]);
    this.#rest = [Buffer.from(piece.subarray(end + 1))];
    return whole.toString('utf8').split('\n');
  }
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}
