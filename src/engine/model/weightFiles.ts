// Reads the weight files that a model.json names: paths kept inside the model's folder, sizes checked before memory is taken.
import { open, stat } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';
import { ModelFileError } from './modelFileError';

/** Bytes of one stored element; strings have no fixed size. */
const elementBytes = { float32: 4, int32: 4, bool: 1, complex64: 8 } as const;
const quantizedBytes = { uint8: 1, uint16: 2, float16: 2 } as const;
/** tfjs stores each string as a 4-byte length and its UTF-8 bytes. */
const stringLengthBytes = 4;

const weightSpec = z.looseObject({
  name: z.string(),
  shape: z.array(z.int().nonnegative()),
  dtype: z.enum(['float32', 'int32', 'bool', 'string', 'complex64']),
  quantization: z
    .looseObject({
      dtype: z.enum(['uint8', 'uint16', 'float16']),
      scale: z.number().optional(),
      min: z.number().optional(),
    })
    .optional(),
});
type WeightSpec = z.infer<typeof weightSpec>;

/** `weightsManifest` of a model.json: groups, each a run of weights stored end to end over its files. */
export const weightsManifest = z.array(
  z.looseObject({ paths: z.array(z.string().min(1)), weights: z.array(weightSpec) }),
);
export type WeightsManifest = z.infer<typeof weightsManifest>;

/** Bytes that a group's weights take on disk; `exact` is false where strings make it a lower bound. */
function storedBytes(weights: readonly WeightSpec[]): { bytes: number; exact: boolean } {
  let bytes = 0;
  let exact = true;
  for (const { shape, dtype, quantization } of weights) {
    const elements = shape.reduce((product, length) => product * length, 1);
    if (quantization !== undefined) {
      bytes += elements * quantizedBytes[quantization.dtype];
    } else if (dtype === 'string') {
      bytes += elements * stringLengthBytes;
      exact = false;
    } else {
      bytes += elements * elementBytes[dtype];
    }
  }
  return { bytes, exact };
}

const count = (bytes: number): string => bytes.toLocaleString('en-US');

/** Absolute path of a weight file. A manifest comes from elsewhere: it may not point out of the model's folder. */
function weightFile(modelFile: string, named: string): string {
  const folder = path.dirname(modelFile);
  const file = path.resolve(folder, named);
  const inside = path.relative(folder, file);
  if (inside === '' || inside === '..' || inside.startsWith(`..${path.sep}`) || path.isAbsolute(inside)) {
    throw new ModelFileError(
      'outsideFolder',
      modelFile,
      `${modelFile} names the weight file "${named}", which lies outside the model's folder; weight files must lie beside model.json or below it.`,
    );
  }
  return file;
}

async function fileBytes(modelFile: string, file: string): Promise<number> {
  try {
    const info = await stat(file);
    if (info.isFile()) return info.size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw new ModelFileError(
        'unreadable',
        file,
        `The weight file ${file} cannot be read: ${String(error)}`,
        {
          cause: error,
        },
      );
    }
  }
  throw new ModelFileError(
    'weightsMissing',
    file,
    `The weight file ${file} is missing; ${path.basename(modelFile)} names it, so put it back beside the model.`,
  );
}

async function readInto(target: Uint8Array, file: string): Promise<void> {
  const handle = await open(file, 'r');
  try {
    let done = 0;
    while (done < target.length) {
      // One read of Node takes at most 2^31 - 1 bytes.
      const wanted = Math.min(target.length - done, 2 ** 30);
      const { bytesRead } = await handle.read(target, done, wanted, done);
      if (bytesRead === 0) {
        throw new ModelFileError(
          'weightsSize',
          file,
          `The weight file ${file} became shorter while it was read: ${count(done)} of ${count(target.length)} bytes.`,
        );
      }
      done += bytesRead;
    }
  } finally {
    await handle.close();
  }
}

/**
 * All weights of a model in one buffer, in the manifest's order.
 * @throws ModelFileError naming the file, with expected and actual bytes, before anything is allocated
 */
export async function readWeights(
  modelFile: string,
  manifest: WeightsManifest,
): Promise<{ weightSpecs: WeightSpec[]; weightData: ArrayBuffer }> {
  const files: { file: string; bytes: number }[] = [];
  for (const group of manifest) {
    const shards = [];
    for (const named of group.paths) {
      const file = weightFile(modelFile, named);
      shards.push({ file, bytes: await fileBytes(modelFile, file) });
    }
    const actual = shards.reduce((sum, shard) => sum + shard.bytes, 0);
    const expected = storedBytes(group.weights);
    if (actual < expected.bytes || (expected.exact && actual > expected.bytes)) {
      const last = shards.at(-1)?.file ?? modelFile;
      const what =
        shards.length === 1 ? `The weight file ${last} has` : `The weight files up to ${last} have`;
      const why = actual < expected.bytes ? 'it was cut short' : 'it belongs to another model';
      throw new ModelFileError(
        'weightsSize',
        last,
        `${what} ${count(actual)} bytes, but ${path.basename(modelFile)} needs ${count(expected.bytes)}: ${why}; copy or save the model again.`,
      );
    }
    files.push(...shards);
  }
  const weightData = new ArrayBuffer(files.reduce((sum, { bytes }) => sum + bytes, 0));
  let offset = 0;
  for (const { file, bytes } of files) {
    await readInto(new Uint8Array(weightData, offset, bytes), file);
    offset += bytes;
  }
  return { weightSpecs: manifest.flatMap((group) => group.weights), weightData };
}
