// Reads the weight files that a model.json names: kept inside the model's folder, sizes checked before memory is taken.
import { realpath, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { formatBytes, formatCount } from '../../planning/units';
import { openPlainFile } from '../../protocol/plainFile';
import { ModelFileError } from './modelFileError';
import { storedBytes, type WeightSpec, type WeightsManifest } from './weightManifest';
import { namedWeightFile } from './weightPaths';

interface Shard {
  readonly file: string;
  readonly bytes: number;
}

/**
 * All weights of a model in one buffer, in the manifest's order.
 * @throws ModelFileError naming the file, with expected and actual bytes, before anything is allocated
 */
export async function readWeights(
  modelFile: string,
  manifest: WeightsManifest,
): Promise<{ weightSpecs: WeightSpec[]; weightData: ArrayBuffer }> {
  const groups = namedFiles(modelFile, manifest);
  const homes = await homesOf(modelFile);
  const shards: Shard[] = [];
  for (const { files, weights } of groups) {
    const found: Shard[] = [];
    for (const file of files) found.push(await findShard(modelFile, file, homes));
    mustBeWhole(modelFile, found, weights);
    shards.push(...found);
  }
  const weightData = allocate(
    modelFile,
    shards.reduce((sum, { bytes }) => sum + bytes, 0),
  );
  let offset = 0;
  for (const { file, bytes } of shards) {
    await readInto(new Uint8Array(weightData, offset, bytes), file);
    offset += bytes;
  }
  return { weightSpecs: manifest.flatMap((group) => group.weights), weightData };
}

/** Every name is looked at before any file is: a manifest that is wrong in one place is not followed in another. */
function namedFiles(
  modelFile: string,
  manifest: WeightsManifest,
): { files: readonly string[]; weights: readonly WeightSpec[] }[] {
  const taken = new Set<string>();
  return manifest.map(({ paths, weights }) => ({
    weights,
    files: paths.map((named) => {
      const file = namedWeightFile(modelFile, named);
      // A small file that is named a million times would become a model of a million times its size.
      if (taken.has(file)) {
        throw new ModelFileError(
          'namedTwice',
          modelFile,
          `${modelFile} names the weight file ${JSON.stringify(named)} twice; save or convert the model again.`,
        );
      }
      taken.add(file);
      return file;
    }),
  }));
}

/**
 * Real paths of the folders that weights may lie in: that of the model.json, and where it is a link (as in caches that
 * keep all content in one folder), that of the file itself.
 */
async function homesOf(modelFile: string): Promise<string[]> {
  return [await realpath(path.dirname(modelFile)), path.dirname(await realpath(modelFile))];
}

async function findShard(modelFile: string, file: string, homes: readonly string[]): Promise<Shard> {
  try {
    const real = await realpath(file);
    if (!homes.some((home) => real.startsWith(home.endsWith(path.sep) ? home : home + path.sep))) {
      throw new ModelFileError(
        'outsideFolder',
        modelFile,
        `The weight file ${file} is a link to ${real}, which lies outside the model's folder; put the file itself beside ${path.basename(modelFile)} or below it.`,
      );
    }
    const info = await stat(real);
    if (info.isFile()) return { file: real, bytes: info.size };
    const what = info.isDirectory() ? 'a folder' : 'a pipe, a socket or a device';
    throw new ModelFileError(
      'unreadable',
      file,
      `The weight file ${file}, which ${path.basename(modelFile)} names, is ${what}; put the file itself there.`,
    );
  } catch (error) {
    if (error instanceof ModelFileError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw unreadable(file, error);
    throw new ModelFileError(
      'weightsMissing',
      file,
      `The weight file ${file} is missing; ${path.basename(modelFile)} names it, so put it back beside the model.`,
      { cause: error },
    );
  }
}

function mustBeWhole(modelFile: string, shards: readonly Shard[], weights: readonly WeightSpec[]): void {
  const actual = shards.reduce((sum, { bytes }) => sum + bytes, 0);
  const expected = storedBytes(weights);
  if (actual >= expected.bytes && (!expected.exact || actual === expected.bytes)) return;
  const last = shards.at(-1)?.file ?? modelFile;
  const what = shards.length === 1 ? `The weight file ${last} has` : `The weight files up to ${last} have`;
  const why = actual < expected.bytes ? 'it was cut short' : 'it belongs to another model';
  const needed = Number.isSafeInteger(expected.bytes)
    ? formatCount(expected.bytes)
    : 'more than any file can have';
  throw new ModelFileError(
    'weightsSize',
    last,
    `${what} ${formatCount(actual)} bytes, but ${path.basename(modelFile)} needs ${needed}: ${why}; copy or save the model again.`,
  );
}

/** A file may have any size without taking any room on the disk, and be named in a manifest that agrees with it. */
function allocate(modelFile: string, bytes: number): ArrayBuffer {
  const memory = memoryOfProcess();
  const refuse = (cause?: unknown) =>
    new ModelFileError(
      'weightsSize',
      modelFile,
      `The weights of ${modelFile} take ${formatBytes(bytes)}, more than the ${formatBytes(memory)} of memory here.`,
      { cause },
    );
  if (bytes > memory) throw refuse();
  try {
    return new ArrayBuffer(bytes);
  } catch (error) {
    if (error instanceof RangeError) throw refuse(error);
    throw error;
  }
}

/** Bytes of memory that this process may take: the machine's, or what a container leaves it. */
function memoryOfProcess(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, os.totalmem()) : os.totalmem();
}

async function readInto(target: Uint8Array, file: string): Promise<void> {
  const handle = await openPlainFile(file).catch((error: unknown) => {
    throw unreadable(file, error);
  });
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
          `The weight file ${file} became shorter while it was read: ${formatCount(done)} of ${formatCount(target.length)} bytes.`,
        );
      }
      done += bytesRead;
    }
  } finally {
    await handle.close();
  }
}

function unreadable(file: string, error: unknown): ModelFileError {
  const why = error instanceof Error ? error.message : String(error);
  return new ModelFileError('unreadable', file, `The weight file ${file} cannot be read: ${why}.`, {
    cause: error,
  });
}
