// Bytes of a .npy file as numbers: one view or decoder for each kind, whole rows at a time.
import { endianness } from 'node:os';
import type { NpyHeader, NpyKind } from './npyHeader';
import type { Values } from './rows';

/** Copies `count` values from position `from` (in values, of bytes that `prepare` was given) into `into`. */
export type Decoder = (bytes: Uint8Array, from: number, count: number, into: Values, at: number) => void;

/** Turns bytes in place into this machine's byte order. */
export function prepare(bytes: Uint8Array, header: NpyHeader, machine: 'LE' | 'BE' = endianness()): void {
  if (header.bytesPerValue === 1 || header.littleEndian === (machine === 'LE')) return;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (header.bytesPerValue === 2) buffer.swap16();
  else if (header.bytesPerValue === 4) buffer.swap32();
  else buffer.swap64();
}

type View = new (buffer: ArrayBufferLike, byteOffset: number, length: number) => ArrayLike<number>;
const views: Partial<Record<NpyKind, View & { readonly BYTES_PER_ELEMENT: number }>> = {
  bool: Uint8Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  float32: Float32Array,
  float64: Float64Array,
};

/** The decoder of a kind. The bytes must begin at a multiple of 8 of their buffer. */
export function decoderOf(kind: NpyKind): Decoder {
  if (kind === 'float16') return decodeFloat16;
  if (kind === 'int64' || kind === 'uint64') return decodeInt64(kind === 'int64');
  const View = views[kind];
  if (View === undefined) throw new Error(`no decoder for ${kind}`);
  return (bytes, from, count, into, at) => {
    into.set(new View(bytes.buffer, bytes.byteOffset + from * View.BYTES_PER_ELEMENT, count), at);
  };
}

const decodeFloat16: Decoder = (bytes, from, count, into, at) => {
  const halves = new Uint16Array(bytes.buffer, bytes.byteOffset + from * 2, count);
  for (let i = 0; i < count; i++) into[at + i] = fromHalf(halves[i] ?? 0);
};

/** IEEE 754 half precision: 1 sign bit, 5 exponent bits (bias 15), 10 fraction bits. */
function fromHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** 64-bit whole numbers as two halves: BigInt would make an object of each. Exact up to 2^53, which float32 is not. */
function decodeInt64(signed: boolean): Decoder {
  const [low, high] = endianness() === 'LE' ? [0, 1] : [1, 0];
  return (bytes, from, count, into, at) => {
    const offset = bytes.byteOffset + from * 8;
    const unsignedHalves = new Uint32Array(bytes.buffer, offset, count * 2);
    const highHalves = signed ? new Int32Array(bytes.buffer, offset, count * 2) : unsignedHalves;
    for (let i = 0; i < count; i++) {
      into[at + i] = (highHalves[2 * i + high] ?? 0) * 2 ** 32 + (unsignedHalves[2 * i + low] ?? 0);
    }
  };
}
