// CSV files as a table of numbers: read once, as a stream, into blocks of float32; every mistake is told with its line.
import { DataError } from './dataError';
import { csvRecords } from './csvRecords';
import type { Rows } from './rows';

/** Turns the text of a field into its number; throws a plain Error that says why it cannot. */
export type FieldReader = (text: string) => number;

/** Which columns are kept, in which order, and how each is read; asked once the first line told the width. */
export type TableLayout = (
  width: number,
  header: readonly string[] | null,
) => { column: number; read: FieldReader }[];

export interface CsvOptions {
  readonly header: boolean | 'auto';
  readonly delimiter: string;
}

/** More than any row of numbers that is written as text; what is far longer is no CSV. */
const mostColumns = 2 ** 20;
/** Values of one block: 1 MiB. Blocks are never copied, so that growing takes no second copy of the file. */
const blockValues = 2 ** 18;

/** The kept columns of all lines. */
export interface CsvTable {
  readonly count: number;
  /** Kept columns, as the layout listed them. */
  readonly width: number;
  value(row: number, column: number): number;
}

/** Reads a field as a finite number. */
export const readNumber: FieldReader = (text) => {
  const value = text.trim() === '' ? NaN : Number(text);
  if (Number.isFinite(value)) return value;
  throw new Error(
    text.trim() === '' ? 'is empty where a number is expected' : `is "${shorten(text)}", not a number`,
  );
};

/** Reads several CSV files as one table. Throws DataError. */
export async function readCsv(
  files: readonly string[],
  options: CsvOptions,
  layout: TableLayout,
): Promise<CsvTable> {
  const blocks: Float32Array[] = [];
  let width = 0;
  let rowsPerBlock = 1;
  let count = 0;
  let names: readonly string[] | null = null;
  let fields: { width: number; kept: { column: number; read: FieldReader }[] } | null = null;

  for (const file of files) {
    const before = count;
    let header: readonly string[] | null = null;
    let first = true;
    for await (const { record, info } of csvRecords(file, options.delimiter)) {
      const fail = (sentence: string) =>
        new DataError(`${file}, line ${info.lines}: ${sentence}.`, { file, line: info.lines });
      if (record.length > mostColumns) {
        throw fail(`${record.length} columns, and at most ${mostColumns} can be trained on`);
      }
      if (first) {
        first = false;
        if (isHeader(record, options.header)) {
          header = record.map((name) => name.trim());
          names ??= header;
          if (header.join() !== names.join()) throw fail('the header differs from that of the first file');
          continue;
        }
      }
      if (fields === null) {
        const kept = layoutOf(file, layout, record.length, header);
        fields = { width: record.length, kept };
        width = kept.length;
        rowsPerBlock = Math.max(1, Math.floor(blockValues / width));
      }
      if (record.length !== fields.width) {
        throw fail(
          `${record.length} column${record.length === 1 ? '' : 's'}, where the lines before have ${fields.width}`,
        );
      }
      const place = count % rowsPerBlock;
      if (place === 0) blocks.push(new Float32Array(rowsPerBlock * width));
      const block = blocks.at(-1) as Float32Array;
      fields.kept.forEach(({ column, read }, i) => {
        try {
          block[place * width + i] = read(record[column] ?? '');
        } catch (error) {
          const isFirst = count === before && header === null;
          const hint = isFirst ? ' (if this line names the columns, set "header": true)' : '';
          throw fail(
            `column ${shorten(header?.[column] ?? String(column))} ${(error as Error).message}${hint}`,
          );
        }
      });
      count++;
    }
    if (count === before) throw new DataError(`${file} holds no examples.`, { file });
  }
  return {
    count,
    width,
    value: (row, column) =>
      blocks[Math.floor(row / rowsPerBlock)]?.[(row % rowsPerBlock) * width + column] ?? NaN,
  };
}

/** Columns [first, first + size) of a table as rows. */
export function tableRows(table: CsvTable, name: string, first: number, size: number): Rows {
  return {
    name,
    count: table.count,
    shape: [size],
    read(row, into, at) {
      for (let i = 0; i < size; i++) into[at + i] = table.value(row, first + i);
    },
    close: () => undefined,
  };
}

function layoutOf(file: string, layout: TableLayout, width: number, header: readonly string[] | null) {
  try {
    return layout(width, header);
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw new DataError(`${file}: ${(error as Error).message}.`, { file }, { cause: error });
  }
}

function isHeader(record: readonly string[], asked: boolean | 'auto'): boolean {
  if (asked !== 'auto') return asked;
  // Class names stand among numbers in a line of data; in a header no field is a number.
  return record.every((field) => field.trim() === '' || !Number.isFinite(Number(field)));
}

function shorten(text: string): string {
  return text.length <= 40 ? text : `${text.slice(0, 40)}…`;
}
