// Writes a checkpoint so that it is either there whole or not at all: temporary folder, flush, rename, folder flush.
import { createHash } from 'node:crypto';
import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import path from 'node:path';
import type { CheckpointModel, CheckpointState } from '../../protocol/checkpoint';
import { isOutOfRoom } from '../../protocol/fileTrouble';
import type { LayersModel } from '../contracts';
import { optimizerClass, optimizerNumbers, stateTensors } from './checkpointTensors';
import { writeAll } from './largeFile';
import { encodeHeader, tensorData, type HostTensor, type TensorShape } from './tensorFile';

/** Reads a tensor's values to the host; a promise only where the backend has no other way. */
export type ReadValues = (
  tensor: NamedHandle['tensor'],
) => HostTensor['values'] | Promise<HostTensor['values']>;
type NamedHandle = ReturnType<typeof stateTensors>[number];

/** A model of the script, and its file in an earlier checkpoint where it has not changed since. */
export interface ModelToSave {
  readonly index: number;
  readonly name: string;
  readonly model: LayersModel;
  readonly unchanged: { readonly folder: string; readonly entry: CheckpointModel } | null;
}

/** What the state file says beside the models' files, which the writer adds. */
export type CheckpointFacts = Omit<CheckpointState, 'version' | 'models'>;

/**
 * Writes `<folder>/<name>` whole. Weights must not change until the promise is settled.
 * @throws the file system's own error; nothing of that name is there then
 */
export async function writeCheckpoint(
  folder: string,
  name: string,
  facts: CheckpointFacts,
  models: readonly ModelToSave[],
  read: ReadValues,
): Promise<{ place: string; models: CheckpointModel[] }> {
  const place = path.join(folder, name);
  const temporary = path.join(folder, `${temporaryPrefix}${name}-${process.pid}`);
  // Not with the folders above: a run folder that was deleted is not made again.
  if (!existsSync(folder)) mkdirSync(folder, { mode: 0o700 });
  // What an earlier try left where it could not even be removed.
  rmSync(temporary, { recursive: true, force: true });
  try {
    mkdirSync(temporary, { mode: 0o700 });
    const entries: CheckpointModel[] = [];
    for (const model of models) {
      entries.push(reuse(temporary, model.unchanged) ?? (await save(temporary, model, read)));
    }
    const state: CheckpointState = { version: 2, ...facts, models: entries };
    writeWhole(path.join(temporary, stateFile), [Buffer.from(encodeState(state))]);
    flushFolder(temporary);
    renameSync(temporary, place);
    flushFolder(folder);
    return { place, models: entries };
  } catch (error) {
    removeUnfinished(temporary);
    throw error;
  }
}

/** Removes a checkpoint in the making; one that cannot be removed now is removed before the next is written. */
export function removeUnfinished(place: string): void {
  try {
    rmSync(place, { recursive: true, force: true });
  } catch {
    // Its name says that it is none; the trouble that keeps it there is told by what was to be done.
  }
}

export const stateFile = 'state.json';
/** Begins the name of a checkpoint in the making; one that is left over was never finished. */
export const temporaryPrefix = '.unfinished-';

function encodeState(state: CheckpointState): string {
  const sha256 = createHash('sha256').update(JSON.stringify(state)).digest('hex');
  return `${JSON.stringify({ sha256, state }, null, 1)}\n`;
}

async function save(
  folder: string,
  { index, name, model }: ModelToSave,
  read: ReadValues,
): Promise<CheckpointModel> {
  const tensors = stateTensors(model);
  const shapes = tensors.map(({ name: tensorName, tensor }): TensorShape => {
    if (tensor.dtype !== 'float32' && tensor.dtype !== 'int32' && tensor.dtype !== 'bool') {
      throw new Error(`"${tensorName}" holds ${tensor.dtype} values, which a checkpoint cannot keep`);
    }
    return { name: tensorName, dtype: tensor.dtype, shape: tensor.shape };
  });
  const metadata = {
    optimizer: optimizerClass(model),
    numbers: JSON.stringify(optimizerNumbers(model)),
  };
  const file = `model-${index}.safetensors`;
  const output = new HashedFile(path.join(folder, file));
  try {
    output.write(encodeHeader(shapes, metadata));
    for (const [i, { tensor }] of tensors.entries()) {
      const pending = read(tensor);
      const values = pending instanceof Promise ? await pending : pending;
      output.write(tensorData({ ...(shapes[i] as TensorShape), values }));
    }
    return { index, name, file, ...output.finish() };
  } finally {
    output.close();
  }
}

/**
 * A model that did not change costs a link, not its size; a copy where the file system has no links.
 * @returns null where it has to be saved anew: it has changed, or its file in the earlier checkpoint is gone
 */
function reuse(folder: string, unchanged: ModelToSave['unchanged']): CheckpointModel | null {
  if (unchanged === null) return null;
  const from = path.join(unchanged.folder, unchanged.entry.file);
  const to = path.join(folder, unchanged.entry.file);
  if (statSync(from, { throwIfNoEntry: false })?.size !== unchanged.entry.bytes) return null;
  try {
    linkSync(from, to);
  } catch (error) {
    if (isOutOfRoom(error)) throw error;
    copyFileSync(from, to);
    flush(to, 'r+');
  }
  return unchanged.entry;
}

/** A file that is hashed while it is written, and flushed when it is finished. */
class HashedFile {
  readonly #descriptor: number;
  readonly #hash = createHash('sha256');
  #bytes = 0;

  constructor(file: string) {
    this.#descriptor = openSync(file, 'wx', 0o600);
  }

  write(data: Uint8Array): void {
    writeAll(this.#descriptor, data, (piece) => this.#hash.update(piece));
    this.#bytes += data.length;
  }

  finish(): { bytes: number; sha256: string } {
    fsyncSync(this.#descriptor);
    return { bytes: this.#bytes, sha256: this.#hash.digest('hex') };
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

function writeWhole(file: string, parts: readonly Uint8Array[]): void {
  const output = new HashedFile(file);
  try {
    for (const part of parts) output.write(part);
    output.finish();
  } finally {
    output.close();
  }
}

/** A rename is on the disk only when its folder is; Windows has no handle for that and needs none. */
function flushFolder(folder: string): void {
  if (process.platform !== 'win32') flush(folder, 'r');
}

function flush(place: string, flags: string): void {
  const descriptor = openSync(place, flags);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
