// Going on from a checkpoint: which of the script's calls, epochs and updates are passed over, and what is put back.
//
// The script runs anew from its first line. Calls that had ended do not train again: their model gets its weights as
// they were at the checkpoint, and the call gives back the History that was recorded. The call in which the checkpoint
// was taken begins at the epoch it was in, with the generator as it was when that epoch began; the updates of that epoch
// that are done are passed over with their recorded figures, then the training goes on. The result is the same as that of
// an uninterrupted run where the order of the data does not depend on earlier epochs. It does in two cases: `fit` shuffles
// the order that the epoch before left (so a resume in the first epoch is exact, a later one draws a new order), and a
// data set may be shuffled by the clock. Not repeated either: what callbacks with a memory of their own (early stopping)
// saw in earlier epochs.
import path from 'node:path';
import type { CheckpointState, RandomState } from '../../protocol/checkpoint';
import { newestSound, type DamagedCheckpoint, type SoundCheckpoint } from './checkpointReader';
import { CheckpointMismatchError, restoreState } from './checkpointTensors';
import type { CallDirective, LayersModel, Tf, TrainingCall } from '../contracts';
import { EarlierFigures, type Logs } from './trainerHistory';

const newOrderNote =
  'If the data is shuffled, the rest of this epoch is in another order than it was: some of its examples may be seen ' +
  'twice in this epoch and others not. What was trained is kept; later epochs see every example again.';

/** How a call is to be run. */
export interface ResumedCall {
  readonly directive: CallDirective | null;
  /** Epoch and updates of the call with which it goes on; null where it is passed over whole. */
  readonly from: { epoch: number; update: number; updateOfEpoch: number } | null;
  /** Figures of the epochs that are not run again. */
  readonly earlierEpochs: readonly Logs[];
  /** What a person should know of where it goes on. */
  readonly note: string | null;
}

export class Resume {
  readonly #figures: EarlierFigures;
  /** Models restored in this process, with the optimizer that they had then: a new one needs its slots again. */
  readonly #restored = new WeakMap<LayersModel, object>();

  /** The newest sound checkpoint of a run; null where there is none, with the damaged ones in either case. */
  static open(folder: string, eventsFile: string): { resume: Resume | null; damaged: DamagedCheckpoint[] } {
    const { sound, damaged } = newestSound(folder);
    return { resume: sound && new Resume(sound, eventsFile), damaged };
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

  /** True for a call of which at least a part is done. */
  covers(call: TrainingCall): boolean {
    return call.index <= this.state.position.call;
  }

  /**
   * Puts a call's model back and tells how to run the call.
   * @throws CheckpointMismatchError where the script's model is another one
   */
  begin(tf: Tf, call: TrainingCall, modelIndex: number): ResumedCall {
    const { position } = this.state;
    this.#restore(tf, call.model, modelIndex, call.modelName);
    if (call.index < position.call || position.callEnded) {
      const last = call.method === 'trainOnBatch' ? this.#figures.lastUpdate(call.index) : null;
      const epochs = last ? [last] : this.#figures.epochs(call.index);
      return { directive: { skip: { epochs } }, from: null, earlierEpochs: [], note: null };
    }
    const { epoch, update, updateOfEpoch } = position;
    const mayDiffer =
      updateOfEpoch > 0 && (call.method === 'fitDataset' || (call.method === 'fit' && epoch > 0));
    return {
      directive: call.method === 'trainOnBatch' ? null : { initialEpoch: epoch },
      from: { epoch, update, updateOfEpoch },
      earlierEpochs: this.#figures.epochs(call.index, epoch),
      note: mayDiffer ? newOrderNote : null,
    };
  }

  /** Figures of an update of the resumed epoch that is done; null where the events do not hold them. */
  figures(update: number): Logs | null {
    return this.#figures.update(update);
  }

  get random(): { now: RandomState; atEpoch: RandomState } {
    return { now: this.state.random, atEpoch: this.state.epochRandom };
  }

  #restore(tf: Tf, model: LayersModel, index: number, name: string): void {
    if (this.#restored.get(model) === model.optimizer) return;
    const saved = this.checkpoint.model(index);
    // Disposed by the script before the checkpoint was taken: nothing can need it.
    if (!saved) return;
    try {
      restoreState(tf, model, saved);
    } catch (error) {
      if (!(error instanceof CheckpointMismatchError)) throw error;
      throw new CheckpointMismatchError(
        `Model "${name}" is not the one that this run trained: ${error.message}. ` +
          'Start a new run, or bring the script back to what it was.',
      );
    }
    this.#restored.set(model, model.optimizer);
  }
}
