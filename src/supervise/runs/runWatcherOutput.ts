// The last lines that a script wrote, as a page shows them: followed in its log, plain text, bars as they stand.
import { open } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';
import { stripVTControlCharacters } from 'node:util';
import { ScriptOutput } from './scriptOutput';

/** As much as is read of what was written between two looks. */
const readBytes = 1 << 16;
const keptLines = 200;
/** In characters of plain text. */
const keptLength = 16_384;

export class OutputTail {
  #position = 0;
  #decoder = new StringDecoder('utf8');
  #output = new ScriptOutput();
  #lines: string[] = [];
  #text = '';

  constructor(private readonly file: string) {}

  /** At most 200 lines and 16 KB; the last one may be unfinished. */
  get text(): string {
    return this.#text;
  }

  /**
   * Takes what was appended since the last look; of very much only the end.
   * @throws the file system's error; a file that is missing is none
   */
  async read(): Promise<void> {
    const handle = await open(this.file, 'r').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      throw error;
    });
    if (handle === null) return;
    try {
      const { size } = await handle.stat();
      if (size === this.#position) return;
      const isBehind = size < this.#position || size - this.#position > readBytes;
      if (isBehind) this.#skipTo(Math.max(0, size - readBytes));
      const piece = Buffer.allocUnsafe(size - this.#position);
      const { bytesRead } = await handle.read(piece, 0, piece.length, this.#position);
      this.#position += bytesRead;
      this.#add(this.#decoder.write(piece.subarray(0, bytesRead)), isBehind && this.#position > bytesRead);
    } finally {
      await handle.close();
    }
  }

  #skipTo(position: number): void {
    this.#position = position;
    this.#decoder = new StringDecoder('utf8');
    this.#output = new ScriptOutput();
    this.#lines = [];
  }

  /** @param isCut it begins in the middle of a line, which is left out where it ends */
  #add(piece: string, isCut: boolean): void {
    const start = isCut ? piece.search(/[\r\n]/) + 1 : 0;
    const lines = this.#output.add(piece.slice(start)).map(stripVTControlCharacters);
    this.#lines = [...this.#lines, ...lines].slice(-keptLines);
    const unfinished = stripVTControlCharacters(this.#output.unfinished);
    const shown = [...this.#lines, ...(unfinished === '' ? [] : [unfinished])].slice(-keptLines);
    let length = 0;
    const first = shown.findLastIndex((line) => (length += line.length + 1) > keptLength) + 1;
    // A single line that is longer than all that is kept: its end.
    this.#text = shown.slice(first).join('\n') || (shown.at(-1) ?? '').slice(-keptLength);
  }
}
