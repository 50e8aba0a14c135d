// A .npy file as rows: kept in memory where it is small, read row by row from the disk where it is not.
import { closeSync, fstatSync, readSync } from 'node:fs';
import { openPlainFileSync } from '../../../protocol/plainFile';
import { DataError, inWords } from './dataError';
import { headerPlace, parseHeader, prefixBytes, type NpyHeader } from './npyHeader';
import { decoderOf, prepare, type Decoder } from './npyValues';
import { sizeOf, type Rows, type Values } from './rows';

/** Files up to this size are held in memory as they are: a uint8 image takes a quarter of what its float32 would. */
export const keepInMemoryBytes = 256 * 2 ** 20;
/** Rows of an array in Fortran order are scattered over the whole file, which must be in memory then. */
const largestFortranBytes = 2 ** 31 - 1;
/** Row numbers are kept as 32-bit whole numbers. */
const mostRows = 2 ** 31 - 1;
/** A gigabyte of float32: one example of it would not be trained on, whatever the device. */
const mostValuesPerRow = 2 ** 28;

/**
 * Opens a .npy file whose axis 0 counts the examples; its size is checked against its header before anything is read.
 * Throws DataError: no such file, not a .npy file, an unfit dtype, truncated, no rows.
 */
export function openNpy(file: string, keepInMemory = keepInMemoryBytes): Rows {
  let descriptor: number;
  try {
    descriptor = openPlainFileSync(file);
  } catch (error) {
    throw new DataError(`${file} ${inWords(error)}.`, { file }, { cause: error });
  }
  try {
    return rowsOf(file, descriptor, keepInMemory);
  } catch (error) {
    closeSync(descriptor);
    if (error instanceof DataError) throw error;
    // The header's own errors are predicates of the file; the system's are turned into one.
    const isSystem = error instanceof Error && 'code' in error;
    const what = isSystem ? inWords(error) : (error as Error).message;
    throw new DataError(`${file} ${what}.`, { file }, { cause: error });
  }
}

function rowsOf(file: string, descriptor: number, keepInMemory: number): Rows {
  const header = readHeader(descriptor);
  const [count, ...shape] = header.shape;
  if (count === undefined)
    throw new DataError(`${file} holds a single number, not rows of examples.`, { file });
  if (count === 0)
    throw new DataError(`${file} holds no examples (shape ${shapeText(header.shape)}).`, { file });
  const size = sizeOf(shape);
  if (size === 0)
    throw new DataError(`${file} holds empty examples (shape ${shapeText(header.shape)}).`, { file });

  const expected = header.dataOffset + count * size * header.bytesPerValue;
  const found = fstatSync(descriptor).size;
  if (!Number.isSafeInteger(expected)) {
    throw new DataError(
      `${file} is damaged: no file has as many values as its header says (shape ${shapeText(header.shape)}).`,
      { file },
    );
  }
  if (found !== expected) {
    throw new DataError(
      `${file} is ${found < expected ? 'truncated' : 'longer than it says'}: its header (${header.kind}, shape ${shapeText(header.shape)}) asks for ${expected} bytes, and it has ${found}.`,
      { file },
    );
  }
  // A file may have any length and take no room on the disk. Rows are counted in 32 bits, and one is read at once.
  if (count > mostRows || size > mostValuesPerRow) {
    const what = count > mostRows ? `${count} examples` : `examples of ${size} values`;
    const most = count > mostRows ? `${mostRows} examples` : `${mostValuesPerRow} values`;
    throw new DataError(`${file} holds ${what}, and at most ${most} can be trained on.`, { file });
  }
  const dataBytes = expected - header.dataOffset;
  const scattered = header.fortranOrder && shape.length > 0;
  if (scattered && dataBytes > largestFortranBytes) {
    throw new DataError(
      `${file} is in Fortran order and too big to be turned in memory: save numpy.ascontiguousarray(…) of it.`,
      { file },
    );
  }
  const facts = { name: file, count, shape };
  const decode = decoderOf(header.kind);
  if (!scattered && dataBytes > keepInMemory) return fromDisk(facts, descriptor, header, decode);

  const bytes = readBytes(descriptor, header.dataOffset, dataBytes);
  closeSync(descriptor);
  prepare(bytes, header);
  const read = scattered
    ? readScattered(bytes, header, decode)
    : (index: number, into: Values, at: number) => decode(bytes, index * size, size, into, at);
  return { ...facts, read, close: () => undefined };
}

function readHeader(descriptor: number): NpyHeader {
  const prefix = new Uint8Array(prefixBytes);
  const got = readSync(descriptor, prefix, 0, prefixBytes, 0);
  const { offset, length, utf8 } = headerPlace(prefix.subarray(0, got));
  const text = readBytes(descriptor, offset, length);
  return parseHeader(Buffer.from(text.buffer).toString(utf8 ? 'utf8' : 'latin1'), offset + length);
}

/** Reads exactly `length` bytes into a buffer of their own, so that views on it are aligned. */
function readBytes(descriptor: number, position: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  readInto(descriptor, bytes, position);
  return bytes;
}

function readInto(descriptor: number, bytes: Uint8Array, position: number): void {
  let done = 0;
  while (done < bytes.length) {
    const got = readSync(descriptor, bytes, done, bytes.length - done, position + done);
    if (got === 0) throw new Error(`ends after ${position + done} bytes, ${bytes.length - done} too early`);
    done += got;
  }
}

function fromDisk(
  facts: Pick<Rows, 'name' | 'count' | 'shape'>,
  descriptor: number,
  header: NpyHeader,
  decode: Decoder,
): Rows {
  const size = sizeOf(facts.shape);
  const row = new Uint8Array(size * header.bytesPerValue);
  return {
    ...facts,
    read(index, into, at) {
      try {
        readInto(descriptor, row, header.dataOffset + index * row.length);
      } catch (error) {
        const what = error instanceof Error && 'code' in error ? inWords(error) : (error as Error).message;
        throw new DataError(`${facts.name} ${what}.`, { file: facts.name }, { cause: error });
      }
      prepare(row, header);
      decode(row, 0, size, into, at);
    },
    close: () => closeSync(descriptor),
  };
}

/** Fortran order: value (i, j, k) of shape (n, a, b) lies at i + n·(j + a·k), where C order has (i·a + j)·b + k. */
function readScattered(bytes: Uint8Array, header: NpyHeader, decode: Decoder): Rows['read'] {
  const [count = 0, ...shape] = header.shape;
  const size = sizeOf(shape);
  const places = new Int32Array(size);
  const index = new Array<number>(shape.length).fill(0);
  for (let value = 0; value < size; value++) {
    let place = 0;
    for (let axis = shape.length - 1; axis >= 0; axis--)
      place = place * (shape[axis] ?? 1) + (index[axis] ?? 0);
    places[value] = place * count;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = (index[axis] ?? 0) + 1;
      if (index[axis] !== shape[axis]) break;
      index[axis] = 0;
    }
  }
  return (row, into, at) => {
    for (let value = 0; value < size; value++) decode(bytes, row + (places[value] ?? 0), 1, into, at + value);
  };
}

/** A damaged header may list thousands of dimensions. */
function shapeText(shape: readonly number[]): string {
  return `(${shape.slice(0, 8).join(', ')}${shape.length > 8 ? ', …' : ''})`;
}
