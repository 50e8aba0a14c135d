// Named arrays in one file, in the safetensors layout, so that a checkpoint can also be opened elsewhere.
// Layout (huggingface/safetensors, README "Format"): 8 bytes length of the header, little endian; the header as JSON,
// {name: {dtype, shape, data_offsets}}; then the data of all tensors without gaps, row-major, little endian.
import * as z from 'zod';

/** One array on the host. `bool` has one byte an element. */
export interface HostTensor {
  readonly name: string;
  readonly dtype: 'float32' | 'int32' | 'bool';
  readonly shape: readonly number[];
  readonly values: Float32Array | Int32Array | Uint8Array;
}

/** A file that does not hold what its header says. */
export class TensorFileError extends Error {
  override readonly name = 'TensorFileError';
}

const codes = { float32: 'F32', int32: 'I32', bool: 'BOOL' } as const;
const header = z.record(
  z.string(),
  z.union([
    z.strictObject({
      dtype: z.enum(['F32', 'I32', 'BOOL']),
      shape: z.array(z.int().nonnegative()),
      data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
    }),
    z.record(z.string(), z.string()),
  ]),
);
const metadataKey = '__metadata__';
/** The format's own limit. */
const longestHeader = 100_000_000;

/** Description of a tensor before its values are read: what the header needs. */
export type TensorShape = Omit<HostTensor, 'values'>;

/** Bytes of one tensor in the file. */
export function tensorBytes({ dtype, shape }: TensorShape): number {
  return shape.reduce((product, size) => product * size, 1) * (dtype === 'bool' ? 1 : 4);
}

/** The file's beginning, up to the data, which follows in the same order. Padded with blanks to a multiple of 8. */
export function encodeHeader(
  tensors: readonly TensorShape[],
  metadata: Readonly<Record<string, string>>,
): Buffer {
  const entries: Record<string, unknown> = { [metadataKey]: metadata };
  let offset = 0;
  for (const tensor of tensors) {
    const end = offset + tensorBytes(tensor);
    entries[tensor.name] = { dtype: codes[tensor.dtype], shape: tensor.shape, data_offsets: [offset, end] };
    offset = end;
  }
  const text = Buffer.from(JSON.stringify(entries));
  const padded = Buffer.alloc(8 + Math.ceil(text.length / 8) * 8, ' ');
  padded.writeBigUInt64LE(BigInt(padded.length - 8));
  text.copy(padded, 8);
  return padded;
}

/** The values as the bytes that stand in the file, without a copy. */
export function tensorData(tensor: HostTensor): Uint8Array {
  return new Uint8Array(tensor.values.buffer, tensor.values.byteOffset, tensor.values.byteLength);
}

/** Where a file's bytes come from; it may be too large to be held whole. */
export interface TensorSource {
  /** Bytes of the whole file. */
  readonly length: number;
  /** A copy of some of them, in a buffer of their own. */
  read(start: number, length: number): Uint8Array<ArrayBuffer>;
}

/**
 * Reads a file's header. Values are read when they are asked for, and not kept.
 * @throws TensorFileError where header and data disagree
 */
export function decodeTensorFile(source: TensorSource): {
  tensors: HostTensor[];
  metadata: Record<string, string>;
} {
  const length = source.length >= 8 ? Number(bufferOf(source.read(0, 8)).readBigUInt64LE()) : Infinity;
  if (length > Math.min(source.length - 8, longestHeader)) {
    throw new TensorFileError('the file ends before its header does');
  }
  let metadata: Record<string, string> = {};
  const tensors: HostTensor[] = [];
  for (const [name, entry] of Object.entries(parseHeader(bufferOf(source.read(8, length))))) {
    if (name === metadataKey) {
      metadata = entry as Record<string, string>;
      continue;
    }
    if (!('data_offsets' in entry) || typeof entry.data_offsets === 'string') {
      throw new TensorFileError(`"${name}" is not described as a tensor`);
    }
    tensors.push(tensorIn(source, 8 + length, name, entry as TensorEntry));
  }
  return { tensors, metadata };
}

interface TensorEntry {
  readonly dtype: 'F32' | 'I32' | 'BOOL';
  readonly shape: number[];
  readonly data_offsets: readonly [number, number];
}

function parseHeader(text: Buffer): z.infer<typeof header> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text.toString());
  } catch (error) {
    throw new TensorFileError(`its header is not JSON: ${String(error)}`);
  }
  const checked = header.safeParse(parsed);
  if (!checked.success) throw new TensorFileError('its header does not describe tensors');
  return checked.data;
}

function tensorIn(
  source: TensorSource,
  dataStart: number,
  name: string,
  { dtype: code, shape, data_offsets: [start, end] }: TensorEntry,
): HostTensor {
  const dtype = code === 'F32' ? 'float32' : code === 'I32' ? 'int32' : 'bool';
  if (dataStart + end > source.length || end - start !== tensorBytes({ name, dtype, shape })) {
    throw new TensorFileError(`the bytes of "${name}" are not there in full`);
  }
  return {
    name,
    dtype,
    shape,
    get values() {
      const bytes = source.read(dataStart + start, end - start);
      if (dtype === 'bool') return bytes;
      return dtype === 'float32' ? new Float32Array(bytes.buffer) : new Int32Array(bytes.buffer);
    },
  };
}

function bufferOf(bytes: Uint8Array<ArrayBuffer>): Buffer {
  return Buffer.from(bytes.buffer);
}
