// Follows files that another process appends to: whole lines as they come, whatever the writer's state is.
import type { FileHandle } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';
import { openPlainFile, PlainFileError } from '../../protocol/plainFile';
import { parseRunEvent, type RunEvent } from '../../protocol/runEvents';

/** Reads what was appended to a file since the last look. The file may not be there yet. */
export class FileTail {
  #handle: FileHandle | null = null;
  #position: number;
  #decoder = new StringDecoder('utf8');
  readonly #piece = Buffer.alloc(1 << 16);

  /** @param position byte at which reading begins */
  constructor(
    private readonly file: string,
    position = 0,
  ) {
    this.#position = position;
  }

  /** What was appended since; the empty string where there is nothing new. */
  async read(): Promise<string> {
    this.#handle ??= await openIfThere(this.file);
    if (!this.#handle) return '';
    let text = '';
    for (;;) {
      const { bytesRead } = await this.#handle.read(this.#piece, 0, this.#piece.length, this.#position);
      if (bytesRead === 0) return text;
      this.#position += bytesRead;
      text += this.#decoder.write(this.#piece.subarray(0, bytesRead));
    }
  }

  async close(): Promise<void> {
    await this.#handle?.close();
    this.#handle = null;
  }
}

/** Cuts text that comes in pieces into lines. */
export class Lines {
  #rest = '';

  /** The lines that a piece completes, without their ends. */
  add(piece: string): string[] {
    const lines = (this.#rest + piece).split('\n');
    this.#rest = lines.pop() ?? '';
    return lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
  }

  /** The last line where it had no end; empty where it had one. */
  end(): string {
    const rest = this.#rest;
    this.#rest = '';
    return rest;
  }
}

/** Follows events.ndjson. Lines that are torn or rubbish are passed over. */
export class RunEventTail {
  readonly #tail: FileTail;
  readonly #lines = new Lines();

  constructor(file: string, position = 0) {
    this.#tail = new FileTail(file, position);
  }

  async read(): Promise<RunEvent[]> {
    const lines = this.#lines.add(await this.#tail.read());
    return lines.map(parseRunEvent).filter((event) => event !== null);
  }

  async close(): Promise<void> {
    await this.#tail.close();
  }
}

/** All events of a run so far; empty where the file is missing. */
export async function readRunEvents(file: string): Promise<RunEvent[]> {
  const tail = new RunEventTail(file);
  try {
    return await tail.read();
  } finally {
    await tail.close();
  }
}

async function openIfThere(file: string): Promise<FileHandle | null> {
  try {
    return await openPlainFile(file);
  } catch (error) {
    // No run writes into a pipe or a device: there is nothing of a run in it.
    if (error instanceof PlainFileError || (error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
