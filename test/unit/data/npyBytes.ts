// Writes .npy files byte by byte from the format's specification (NEP 1), independently of the reader under test.
import { writeFileSync } from 'node:fs';

/** Writes one value at a byte position. */
export type Put = (view: DataView, at: number, value: number, littleEndian: boolean) => void;

export interface NpyText {
  descr: string;
  shape: readonly number[];
  fortran?: boolean;
  version?: 1 | 2 | 3;
}

/** The header alone: magic, version, length, dictionary padded with blanks to a multiple of 64 and ended by a newline. */
export function npyHeader({ descr, shape, fortran = false, version = 1 }: NpyText): Buffer {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const text = `{'descr': '${descr}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': ${tuple}, }`;
  const prefix = version === 1 ? 10 : 12;
  const length = Math.ceil((prefix + text.length + 1) / 64) * 64 - prefix;
  const header = Buffer.alloc(prefix + length, ' ');
  Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0]).copy(header);
  if (version === 1) header.writeUInt16LE(length, 8);
  else header.writeUInt32LE(length, 8);
  header.write(text, prefix, 'latin1');
  header[header.length - 1] = 0x0a;
  return header;
}

/** A whole file; `values` are in the order in which they lie in the file. */
export function writeNpy(
  file: string,
  text: NpyText,
  bytes: number,
  put: Put,
  values: readonly number[],
): void {
  const data = Buffer.alloc(values.length * bytes);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  values.forEach((value, i) => put(view, i * bytes, value, !text.descr.startsWith('>')));
  writeFileSync(file, Buffer.concat([npyHeader(text), data]));
}
