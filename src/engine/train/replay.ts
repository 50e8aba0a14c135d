// Going on from a checkpoint: the script runs anew from its first line, and what was done is passed over.
//
// The script makes its data and draws its random numbers as it did the first time, and tfjs shuffles, cuts and iterates
// them as it did; only the updates that are done compute nothing. Their recorded figures go to the callbacks, so that what
// callbacks count and decide (early stopping, a learning rate that is lowered) comes out as before. Where the checkpoint
// was taken, weights, optimizer and random state are put back, and the training goes on: with the same result as without
// the interruption, if the data and their order follow from the script, its seeds and Math.random alone. A digest of
// each batch tells where they do not; the saved state is then taken up at the next epoch.
import path from 'node:path';
import type { CheckpointState, RandomState } from '../../protocol/checkpoint';
import type { Figures, LayersModel, Tf, TrainingCall } from '../contracts';
import { newestSound, type DamagedCheckpoint, type SoundCheckpoint } from './checkpointReader';
import {
  CheckpointMismatchError,
  optimizerClass,
  optimizerNumbers,
  restoreState,
  restoreWeights,
} from './checkpointTensors';
import { EarlierFigures } from './earlierFigures';
import type { CallProgress } from './trainerCall';

export class Replay {
  readonly #figures: EarlierFigures;
  #restored = new WeakSet<LayersModel>();
  /** First update whose batch is not what it was. */
  #deviation: number | null = null;
  #lost = 0;

  /** The newest sound checkpoint of a run; null where there is none, with the damaged ones in either case. */
  static open(folder: string, eventsFile: string): { replay: Replay | null; damaged: DamagedCheckpoint[] } {
    const { sound, damaged } = newestSound(folder);
    return { replay: sound && new Replay(sound, eventsFile), damaged };
  }

  private constructor(
    private readonly checkpoint: SoundCheckpoint,
    eventsFile: string,
  ) {
    this.#figures = EarlierFigures.read(eventsFile, checkpoint.state.position);
  }

  get state(): CheckpointState {
    return this.checkpoint.state;
  }

  /** Name of the checkpoint, for people. */
  get name(): string {
    return path.basename(this.checkpoint.place);
  }

  get random(): RandomState {
    return this.state.random;
  }

  /** True once a batch was not what it was: the updates that are done are then passed over unlooked at. */
  get hasDeviated(): boolean {
    return this.#deviation !== null;
  }

  /** True for a call of which at least a part is done. */
  covers(call: TrainingCall): boolean {
    return call.index <= this.state.position.call;
  }

  /** True where the checkpoint was taken, or, after a deviation, where the saved state can be taken up. */
  isReached({ call, epoch, update, updateOfEpoch, ended }: CallProgress): boolean {
    const { position } = this.state;
    if (call.index < position.call) return false;
    if (ended) return true;
    if (position.callEnded) return false;
    if (!this.hasDeviated) return update >= position.update && epoch >= position.epoch;
    const next = position.updateOfEpoch > 0 ? position.epoch + 1 : position.epoch;
    // In the last epoch there is no next one: the rest of it is trained, in the order that it has now.
    return call.epochs === null || next < call.epochs
      ? epoch >= next
      : epoch >= position.epoch && updateOfEpoch >= position.updateOfEpoch;
  }

  /** Figures of an update that is done; empty, and counted, where the events do not hold them. */
  figures({ call, update }: CallProgress): Figures {
    const known = this.#figures.update(call.index, update);
    if (known === null) this.#lost++;
    return known?.logs ?? {};
  }

  /** Updates passed over whose figures were lost. */
  get lostFigures(): number {
    return this.#lost;
  }

  /** What the script's optimizer has otherwise than the saved one, in words; null where nothing is. */
  optimizerDifference(model: LayersModel, index: number): string | null {
    const saved = this.checkpoint.model(index);
    if (!saved) return null;
    const now = optimizerClass(model);
    if (now !== saved.optimizer) {
      return `its optimizer is ${now}, not ${saved.optimizer}: what the saved one had learnt of the gradients is not used`;
    }
    const [before, after] = [saved.numbers['learningRate'], optimizerNumbers(model)['learningRate']];
    if (before === after || before === undefined || after === undefined) return null;
    return `its learning rate is ${after}, the saved one is ${before}: the saved one is used`;
  }

  /** Figures of an epoch that was done at the checkpoint; null for another one. */
  epoch(call: TrainingCall, epoch: number): Figures | null {
    return this.#figures.epoch(call.index, epoch);
  }

  /**
   * Compares a batch with the one that update `index` of a call had.
   * @returns true at the first one that differs
   */
  deviates(call: TrainingCall, index: number, digest: number): boolean {
    if (this.hasDeviated) return false;
    const before = this.#figures.update(call.index, index)?.data ?? null;
    if (before === null || before === digest) return false;
    this.#deviation = index;
    return true;
  }

  /**
   * Puts a model back as it was at the checkpoint. One that was disposed before it was taken is not in it, and nothing
   * can need it.
   * @throws CheckpointMismatchError where the script's model is another one
   */
  putBack(tf: Tf, model: LayersModel, index: number, name: string, restore = restoreState): void {
    this.#restored.add(model);
    const saved = this.checkpoint.model(index);
    if (!saved) return;
    try {
      restore(tf, model, saved);
    } catch (error) {
      if (!(error instanceof CheckpointMismatchError)) throw error;
      throw new CheckpointMismatchError(
        `Model "${name}" is not the one that this run trained: ${error.message}. ` +
          'Start a new run, or bring the script back to what it was.',
      );
    }
  }

  /**
   * The weights alone, once for each model: what the script asks of it during the replay is then answered sensibly.
   * The optimizer stays the script's, so that what callbacks do to it can be compared with what is saved.
   */
  putBackFirst(tf: Tf, model: LayersModel, index: number, name: string): void {
    if (!this.#restored.has(model)) this.putBack(tf, model, index, name, restoreWeights);
  }
}
