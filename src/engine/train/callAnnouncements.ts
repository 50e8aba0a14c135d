// Tells a run's readers of each training call: its figures, again when more of them are known, and what is special.
import type { TrainingCall } from '../contracts';
import type { CallProgress } from './trainerCall';
import type { TrainerRun } from './trainerRun';

export class CallAnnouncements {
  /** What was last told of each model that trains by trainOnBatch. */
  readonly #ofModels = new Map<number, string>();

  /**
   * Tells a call's figures where they are not told yet: a dataset's batch size is known with its first batch only.
   * @param largest the microbatch size in use
   */
  tell(run: TrainerRun, progress: CallProgress, largest: number): void {
    const { call } = progress;
    const { method, modelName, targetBatchSize, examples, epochs, updatesPerEpoch, passThrough } = call;
    const microbatchSize =
      passThrough !== null || targetBatchSize === null ? targetBatchSize : Math.min(largest, targetBatchSize);
    const facts = {
      method,
      modelName,
      targetBatchSize,
      microbatchSize,
      examples,
      epochs,
      updatesPerEpoch,
      passThrough,
    };
    const text = JSON.stringify(facts);
    if (progress.announced === text) return;
    progress.announced = text;
    if (method === 'trainOnBatch') {
      // One call an update: a loop of them is told once for each model.
      if (this.#ofModels.get(progress.modelIndex) === text) return;
      this.#ofModels.set(progress.modelIndex, text);
    }
    run.event({ type: 'call', call: call.index, ...facts });
  }

  /** Notes where there is less data than an update is to have. */
  noteFewExamples(run: TrainerRun, { examples, method }: TrainingCall, target: number | null): void {
    if (method !== 'fit' || examples === null || target === null || examples >= target) return;
    run.note(
      `There are ${examples} training examples, fewer than the ${target} of an update: each update has all of them.`,
    );
  }
}
