// The replay of an interrupted training as the trainer goes through it: passing over, comparing, and putting back.
import { formatCounted } from '../../planning/units';
import type { Figures, TrainingCall, Update } from '../contracts';
import type { RandomSource } from './randomSource';
import type { Replay } from './replay';
import type { TrainedModels } from './trainerModels';
import type { CallProgress } from './trainerCall';
import type { TrainerRun } from './trainerRun';

export class TrainerReplay {
  /** Digests that are still being read (WebGPU). */
  #reading: Promise<unknown> | null = null;

  constructor(
    private readonly run: TrainerRun,
    private readonly replay: Replay,
    private readonly models: TrainedModels,
    private readonly random: RandomSource,
  ) {}

  covers(call: TrainingCall): boolean {
    return this.replay.covers(call);
  }

  isReached(progress: CallProgress): boolean {
    return this.replay.isReached(progress);
  }

  epoch(call: TrainingCall, epoch: number): Figures | null {
    return this.replay.epoch(call, epoch);
  }

  /** @throws CheckpointMismatchError where the script's model is another one than was saved */
  callStarted({ call, modelIndex }: CallProgress): void {
    this.replay.putBackFirst(this.run.tf, call.model, modelIndex, call.modelName);
  }

  /** The figures of an update that was done; its batch is compared with the one that it had. */
  passOver(update: Update, progress: CallProgress): Figures {
    const figures = this.replay.figures(progress);
    const { place } = progress;
    if (!this.replay.hasDeviated) {
      const digest = update.digest();
      const compare = (value: number): void => this.#compare(update.call, place.update, value);
      if (digest instanceof Promise) this.#reading = digest.then(compare);
      else compare(digest);
    }
    this.run.progress({ ...place, microbatch: 0, of: 1 });
    progress.updateDone();
    return figures;
  }

  async updateSettled(): Promise<void> {
    await this.#reading;
    this.#reading = null;
  }

  /**
   * Puts back the model of a call that had ended: what the script does with it next finds it trained.
   * @returns whether it had ended; false where it ends earlier than it did
   */
  callEnded({ call, modelIndex }: CallProgress): boolean {
    const { position } = this.replay.state;
    // A loop of trainOnBatch has one call an update: it is put back at the loop's last one.
    if (call.method !== 'trainOnBatch') {
      this.replay.putBack(this.run.tf, call.model, modelIndex, call.modelName);
    }
    return call.index < position.call || position.callEnded;
  }

  /** Puts everything back as it was at the checkpoint; from here on the training computes again. */
  goOn(progress: CallProgress): void {
    const { run, replay } = this;
    for (const { index, name, model } of this.models.known()) {
      const difference = replay.optimizerDifference(model, index);
      if (difference !== null) run.note(`The script was changed for model "${name}": ${difference}.`);
      replay.putBack(run.tf, model, index, name);
    }
    const { position } = replay.state;
    const lost = replay.lostFigures;
    if (lost > 0) {
      run.note(
        `The figures of ${formatCounted(lost, 'update')} are not in events.ndjson any more: the script was told NaN for ` +
          'them. The weights do not depend on it.',
      );
    }
    if (progress.ended && !position.callEnded) {
      run.note(
        `The script's training call ends before where the saved training stands (epoch ${position.epoch + 1}, update ` +
          `${position.update}): nothing was trained, and its model is the saved one.`,
      );
    }
    if (replay.hasDeviated) progress.update = position.update;
    else if (this.random.state.join() !== replay.random.join()) {
      run.note(
        'The script drew other random numbers than the first time. It goes on with the saved state, but the result may ' +
          'not be what it would have been without the interruption.',
      );
    }
    this.random.state = replay.random;
    progress.isReplayed = false;
    progress.epochStart = performance.now();
    run.replay = null;
    run.event({ type: 'resumed', ...progress.place });
  }

  /** The script has ended before it came to the checkpoint. */
  scriptEnded(): void {
    this.run.note(
      'The script ended before it came to where the saved training stands: it trains less than it did. Nothing new was trained.',
    );
  }

  #compare(call: TrainingCall, index: number, digest: number): void {
    if (!this.replay.deviates(call, index, digest)) return;
    this.run.note(
      `The data of update ${index + 1} is not what it was, so the interrupted epoch cannot be repeated as it began: the ` +
        'saved state is taken up at the next epoch, or in the last epoch with what is left of it.',
    );
  }
}
