// The one error of everything that reads examples: a sentence that names the file and, where there is one, the line.

/** Wrong or unreadable data. `message` is whole: file, place, what is wrong and what would be right. */
export class DataError extends Error {
  override readonly name = 'DataError';
  /** Absolute path of the file that is wrong; null where it is about several. */
  readonly file: string | null;
  /** 1-based line, in text files. */
  readonly line: number | null;

  constructor(message: string, place: { file?: string; line?: number } = {}, options?: ErrorOptions) {
    super(message, options);
    this.file = place.file ?? null;
    this.line = place.line ?? null;
    // The place of the mistake is in the data: whoever reads the stack for a file and line finds that one.
    if (this.file !== null && this.line !== null) {
      this.stack = `${this.name}: ${message}\n    at ${this.file}:${this.line}`;
    }
  }
}

/** What the system said about a file, in words: for the sentence "<file> <words>". */
export function inWords(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return 'does not exist';
    case 'EACCES':
    case 'EPERM':
      return 'cannot be read: permission denied';
    case 'EISDIR':
      return 'is a folder, not a file';
    default:
      return `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  }
}
