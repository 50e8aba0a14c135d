// Follows a file that another process appends lines to, and reads it to its end when that process is gone.
import { open, type FileHandle } from 'node:fs/promises';

export interface LineTail {
  /** Reads what is there, and stops following; asked again, it waits for the same. A last line without its end was torn by a death, and is dropped. */
  finish(): Promise<void>;
}

export interface LineTailOptions {
  /** Time between two looks at the file, in ms. */
  readonly pollMs?: number;
  /** A line longer than this many bytes is no line of ours: it is passed over. */
  readonly longestLine?: number;
}

const newline = 0x0a;

/**
 * Calls `onLine` for each complete line, in order. The file need not be there yet. Polls, because notices of the file
 * system are not reliable on every one of them (network folders, containers).
 */
export function tailLines(
  file: string,
  onLine: (line: string) => void,
  { pollMs = 50, longestLine = 4 * 2 ** 20 }: LineTailOptions = {},
): LineTail {
  let handle: FileHandle | null = null;
  let position = 0;
  let rest: Buffer = Buffer.alloc(0);
  let tooLong = false;
  let reading: Promise<void> = Promise.resolve();
  let failure: unknown = null;
  const chunk = Buffer.alloc(64 * 1024);

  async function readOn(): Promise<void> {
    handle ??= await openIfThere(file);
    if (handle === null) return;
    for (;;) {
      const { bytesRead } = await handle.read(chunk, 0, chunk.length, position);
      if (bytesRead === 0) return;
      position += bytesRead;
      take(chunk.subarray(0, bytesRead));
    }
  }

  function take(bytes: Buffer): void {
    let buffer = rest.length === 0 ? Buffer.from(bytes) : Buffer.concat([rest, bytes]);
    for (let end = buffer.indexOf(newline); end !== -1; end = buffer.indexOf(newline)) {
      if (!tooLong) onLine(buffer.toString('utf8', 0, end));
      tooLong = false;
      buffer = buffer.subarray(end + 1);
    }
    tooLong ||= buffer.length > longestLine;
    rest = tooLong ? Buffer.alloc(0) : buffer;
  }

  function look(): Promise<void> {
    reading = reading.then(readOn).catch((error: unknown) => {
      failure ??= error;
    });
    return reading;
  }

  async function end(): Promise<void> {
    clearInterval(timer);
    await look();
    await handle?.close();
    if (failure !== null) throw failure;
  }

  const timer = setInterval(() => void look(), pollMs);
  let ending: Promise<void> | null = null;
  return { finish: () => (ending ??= end()) };
}

async function openIfThere(file: string): Promise<FileHandle | null> {
  try {
    return await open(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
