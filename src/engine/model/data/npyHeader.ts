// The header of a .npy file (versions 1 to 3), read by the rules of NumPy's NEP 1 and numpy/lib/format.py.

/** Kinds of numbers that examples may be made of. */
export const npyKinds = [
  'bool',
  'int8',
  'uint8',
  'int16',
  'uint16',
  'int32',
  'uint32',
  'int64',
  'uint64',
  'float16',
  'float32',
  'float64',
] as const;
export type NpyKind = (typeof npyKinds)[number];

export interface NpyHeader {
  readonly kind: NpyKind;
  readonly bytesPerValue: number;
  readonly littleEndian: boolean;
  /** Columns first (Fortran) instead of rows first (C). */
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
  /** Where the numbers begin, in bytes from the start of the file. */
  readonly dataOffset: number;
}

/** Bytes that hold the length of the header: magic, version, and a length of 2 or 4 bytes. */
export const prefixBytes = 12;
const magic = '\x93NUMPY';
/** NumPy itself refuses longer headers; a longer one is a damaged file. */
const longestHeader = 1 << 20;

const letters: Readonly<Record<string, NpyKind>> = {
  b1: 'bool',
  i1: 'int8',
  u1: 'uint8',
  i2: 'int16',
  u2: 'uint16',
  i4: 'int32',
  u4: 'uint32',
  i8: 'int64',
  u8: 'uint64',
  f2: 'float16',
  f4: 'float32',
  f8: 'float64',
};

/** Names of what cannot be an example, by the letter of its dtype. */
const notNumbers: Readonly<Record<string, string>> = {
  c: 'complex numbers',
  S: 'byte strings',
  a: 'byte strings',
  U: 'text',
  O: 'Python objects',
  M: 'dates',
  m: 'time spans',
  V: 'records',
  f: 'floating-point numbers of a size that only some machines have',
};

/** Where the header's text lies, told by the first `prefixBytes` bytes. Throws a plain Error, which says what is wrong. */
export function headerPlace(prefix: Uint8Array): { offset: number; length: number; utf8: boolean } {
  const start = Buffer.from(prefix.buffer, prefix.byteOffset, prefix.byteLength);
  if (start.length >= 4 && start.readUInt32BE(0) === 0x504b0304) {
    throw new Error('is an archive (.npz): save each array in a file of its own with numpy.save');
  }
  if (start.length < 10 || start.toString('latin1', 0, 6) !== magic) {
    throw new Error('is not a .npy file (it does not begin with the mark of one)');
  }
  const major = start[6];
  if (major !== 1 && major !== 2 && major !== 3)
    throw new Error(`has version ${major}, and versions 1 to 3 are known`);
  if (major !== 1 && start.length < prefixBytes) throw new Error('ends within its header');
  const place =
    major === 1
      ? { offset: 10, length: start.readUInt16LE(8), utf8: false }
      : { offset: 12, length: start.readUInt32LE(8), utf8: major === 3 };
  if (place.length > longestHeader) throw new Error(`is damaged: its header claims ${place.length} bytes`);
  return place;
}

/** Reads the header's text: a Python dictionary with `descr`, `fortran_order` and `shape`. Throws a plain Error. */
export function parseHeader(text: string, dataOffset: number): NpyHeader {
  const descr = /'descr'\s*:\s*(?:'([^']*)'|"([^"]*)"|(\[))/.exec(text);
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text);
  const shapeText = /'shape'\s*:\s*\(([\d\sL,]*)\)/.exec(text);
  if (!descr || !order || !shapeText) throw new Error('is damaged: its header cannot be understood');
  if (descr[3]) throw new Error('holds records with named fields: save one plain array for each input');
  const shape = (shapeText[1] ?? '')
    .split(',')
    .map((part) => part.trim().replace(/L$/, ''))
    .filter((part) => part !== '')
    .map(Number);
  if (!shape.every((dimension) => Number.isSafeInteger(dimension))) {
    throw new Error('is damaged: its header cannot be understood');
  }
  return { ...numberKind(descr[1] ?? descr[2] ?? ''), fortranOrder: order[1] === 'True', shape, dataOffset };
}

function numberKind(descr: string): Pick<NpyHeader, 'kind' | 'bytesPerValue' | 'littleEndian'> {
  const parts = /^([<>|=]?)([A-Za-z?])(\d*)$/.exec(descr);
  const [, order = '', letter = '', size = ''] = parts ?? [];
  const kind = letter === '?' ? 'bool' : letters[letter + size];
  if (kind === undefined) {
    const what = notNumbers[letter];
    throw new Error(
      `holds ${what ?? 'values of an unknown kind'} (dtype ${descr}): save it as float32 or as whole numbers`,
    );
  }
  // NumPy never writes "=" (the writer's own order); "|" is for single bytes.
  return { kind, bytesPerValue: Number(size || 1), littleEndian: order !== '>' };
}
