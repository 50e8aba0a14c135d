// Fills WASM's memory until it refuses, and tells what became of the tensors that were there. Tells JSON.
import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import { guardWasmMemory, WasmOutOfMemoryError } from '../../src/engine/wasm/memoryGuard';
import { registerWasmKernels } from '../../src/engine/wasm/register';

const pieceElements = 25 * 2 ** 20;

/** What happened. */
export interface Filled {
  readonly pieces: number;
  readonly error: string;
  /** Pieces whose first or last value is not what it was filled with. */
  readonly changed: number;
  /** What a product says whose right side can be packed no more. */
  readonly product: string;
  readonly liveBytes: number;
  readonly limitBytes: number;
  /** Results after room was made again. */
  readonly square: number;
  readonly productAgain: number;
}

function errorOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof WasmOutOfMemoryError) return error.message;
    throw error;
  }
  return '';
}

async function fill(limitBytes: number): Promise<Filled> {
  await tf.setBackend('wasm');
  const memory = guardWasmMemory(tf.backend(), limitBytes);
  registerWasmKernels(tf);
  // Half a gigabyte that a product has to copy into tiles of its own.
  const right = tf.fill<tf.Rank.R2>([4096, 32768], 2);
  const left = tf.ones<tf.Rank.R2>([2, 4096]);
  const pieces: tf.Tensor[] = [];
  const error = errorOf(() => {
    for (;;) pieces.push(tf.fill([pieceElements], pieces.length + 1));
  });
  const changed = pieces.filter((piece, index) => {
    const ends = [tf.slice(piece, [0], [2]), tf.slice(piece, [pieceElements - 2], [2])];
    return ends.some((end) => end.dataSync().some((value) => value !== index + 1));
  }).length;
  const product = errorOf(() => tf.matMul(left, right));
  const liveBytes = memory.liveBytes();
  tf.dispose(pieces);
  const square = tf.square(tf.scalar(12)).dataSync()[0] ?? NaN;
  const productAgain = tf.slice(tf.matMul(left, right), [1, 32767], [1, 1]).dataSync()[0] ?? NaN;
  return { pieces: pieces.length, error, changed, product, liveBytes, limitBytes, square, productAgain };
}

void fill(Number(process.argv[2])).then((filled) =>
  process.stdout.write(`FILLED ${JSON.stringify(filled)}\n`),
);
