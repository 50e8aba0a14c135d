// Finds the checkpoints of a run and reads the newest sound one; a damaged one is told and passed over.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import {
  checkpointEnvelope,
  checkpointState,
  type CheckpointModel,
  type CheckpointState,
} from '../../protocol/checkpoint';
import { stateFile } from './checkpointWriter';
import { hashFile, readRange } from './largeFile';
import { decodeTensorFile, type HostTensor } from './tensorFile';

/** A checkpoint whose files are all there and unchanged. */
export interface SoundCheckpoint {
  readonly place: string;
  readonly state: CheckpointState;
  /** Reads one model's part; null where the model is not in this checkpoint. */
  model(index: number): SavedModel | null;
}

export interface SavedModel {
  readonly tensors: readonly HostTensor[];
  readonly optimizer: string;
  readonly numbers: Readonly<Record<string, number>>;
}

/** Why a checkpoint is not taken. */
export interface DamagedCheckpoint {
  readonly place: string;
  readonly reason: string;
}

const namePattern = /^\d{6,}$/;

/** Name of the checkpoint after `last`; names sort by age. */
export function nextCheckpointName(folder: string): string {
  const last = checkpointNames(folder).at(-1);
  return String(last === undefined ? 1 : Number(last) + 1).padStart(6, '0');
}

/** Names of finished checkpoints, oldest first; empty where there is no such folder. */
export function checkpointNames(folder: string): string[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
  return names.filter((name) => namePattern.test(name)).sort((a, b) => Number(a) - Number(b));
}

/** The newest checkpoint that is sound, and those after it that are not. */
export function newestSound(folder: string): { sound: SoundCheckpoint | null; damaged: DamagedCheckpoint[] } {
  const damaged: DamagedCheckpoint[] = [];
  for (const name of checkpointNames(folder).reverse()) {
    const place = path.join(folder, name);
    try {
      const state = readState(place);
      for (const model of state.models) checkFile(place, model);
      return { sound: new Checkpoint(place, state), damaged };
    } catch (error) {
      damaged.push({ place, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  return { sound: null, damaged };
}

/**
 * Reads what a checkpoint says of itself, without its models.
 * @throws Error with a plain reason where it is missing, damaged or of a newer version
 */
export function readState(place: string): CheckpointState {
  const text = readFileSync(path.join(place, stateFile), 'utf8');
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new Error(`${stateFile} is damaged: it is not whole`, { cause: error });
  }
  const envelope = checkpointEnvelope.safeParse(parsed);
  if (!envelope.success) throw new Error(`${stateFile} is not a checkpoint's`);
  const { sha256, state } = envelope.data;
  if (digest(JSON.stringify(state)) !== sha256)
    throw new Error(`${stateFile} is damaged: its checksum differs`);
  const checked = checkpointState.safeParse(state);
  if (!checked.success) throw new Error(`${stateFile} is of another version of Batch Planner`);
  return checked.data;
}

class Checkpoint implements SoundCheckpoint {
  constructor(
    readonly place: string,
    readonly state: CheckpointState,
  ) {}

  model(index: number): SavedModel | null {
    const entry = this.state.models.find((model) => model.index === index);
    if (!entry) return null;
    const file = path.join(this.place, entry.file);
    const { tensors, metadata } = decodeTensorFile({
      length: entry.bytes,
      read: (start, length) => readRange(file, start, length),
    });
    return {
      tensors,
      optimizer: metadata.optimizer ?? '',
      numbers: JSON.parse(metadata.numbers ?? '{}') as Record<string, number>,
    };
  }
}

/** @throws Error with a plain reason where a model's file is missing or another one than was written */
function checkFile(place: string, { file, bytes, sha256 }: CheckpointModel): void {
  const whole = path.join(place, file);
  const { size } = statSync(whole);
  if (size !== bytes) throw new Error(`${file} has ${size} bytes instead of ${bytes}`);
  if (hashFile(whole) !== sha256) throw new Error(`${file} is damaged: its checksum differs`);
}

function digest(content: string): string {
  return createHash('sha256').update(content).digest('hex');
}
