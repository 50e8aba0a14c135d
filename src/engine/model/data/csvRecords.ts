// The records of a CSV file as a stream, of which no more is in memory at once than one line of a sane length.
import { Transform, type TransformCallback } from 'node:stream';
import { CsvError, parse, type Info } from 'csv-parse';
import { formatBytes } from '../../../planning/units';
import { openPlainFile } from '../../../protocol/plainFile';
import { DataError, inWords } from './dataError';

/** Most bytes of a line, and of a record, which may go over several lines where a field is quoted. */
export const longestLine = 16 * 2 ** 20;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** One line's fields, with the number of the line it ends on. */
export interface CsvRecord {
  readonly record: string[];
  readonly info: Info;
}

/**
 * Reads a file record by record.
 * @throws DataError with file and line
 */
export async function* csvRecords(file: string, delimiter: string): AsyncGenerator<CsvRecord> {
  const handle = await openPlainFile(file).catch((error: unknown) => {
    throw new DataError(`${file} ${inWords(error)}.`, { file }, { cause: error });
  });
  const stream = handle.createReadStream();
  const lines = new LineLimit();
  const parser = parse({
    bom: true,
    delimiter,
    info: true,
    max_record_size: longestLine,
    relax_column_count: true,
    skip_empty_lines: true,
    trim: true,
  });
  // A stream that fails does not fail what it is piped into.
  stream.on('error', (error) => lines.destroy(error));
  lines.on('error', (error) => parser.destroy(error));
  try {
    for await (const item of stream.pipe(lines).pipe(parser)) yield item as CsvRecord;
  } catch (error) {
    throw asDataError(file, error);
  } finally {
    stream.destroy();
    lines.destroy();
    parser.destroy();
  }
}

function asDataError(file: string, error: unknown): unknown {
  if (error instanceof LineTooLongError) {
    return new DataError(`${file}, line ${error.line}: ${error.message}.`, { file, line: error.line });
  }
  if (error instanceof CsvError) {
    const line = typeof error.lines === 'number' ? error.lines : undefined;
    const place = line === undefined ? file : `${file}, line ${line}`;
    const what = error.code === 'CSV_MAX_RECORD_SIZE' ? tooLong : error.message;
    return new DataError(
      `${place}: ${what}.`,
      { file, ...(line === undefined ? {} : { line }) },
      { cause: error },
    );
  }
  if (error instanceof DataError || !(error instanceof Error && 'code' in error)) return error;
  return new DataError(`${file} ${inWords(error)}.`, { file }, { cause: error });
}

const tooLong = `a line is longer than ${formatBytes(longestLine)}, so this is no CSV file or a quote is not closed`;

class LineTooLongError extends Error {
  override readonly name = 'LineTooLongError';
  constructor(readonly line: number) {
    super(tooLong);
  }
}

/** Hands on whole lines only: one that does not end is refused before the parser has spent minutes on it. */
class LineLimit extends Transform {
  #held: Buffer[] = [];
  #length = 0;
  #line = 1;

  override _transform(piece: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    // Lines end with either, or both; they are counted by the first kind that there is.
    const lineEnd = piece.includes(lineFeed) ? lineFeed : carriageReturn;
    const end = piece.lastIndexOf(lineEnd) + 1;
    const first = piece.indexOf(lineEnd);
    if (this.#length + (first < 0 ? piece.length : first) > longestLine) {
      done(new LineTooLongError(this.#line));
      return;
    }
    if (end > 0) {
      for (const part of this.#held) this.push(part);
      this.push(piece.subarray(0, end));
      for (let at = first; at >= 0; at = piece.indexOf(lineEnd, at + 1)) this.#line++;
      this.#held = [];
      this.#length = 0;
    }
    this.#held.push(piece.subarray(end));
    this.#length += piece.length - end;
    done();
  }

  override _flush(done: TransformCallback): void {
    for (const part of this.#held) this.push(part);
    done();
  }
}
