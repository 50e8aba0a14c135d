// Runs one update of a training: microbatch by microbatch, and again from its start where memory runs out on the way.
import { splitBatch } from '../../planning/microbatches';
import type { TrainJob } from '../../protocol/job';
import type { RunProgress } from '../../protocol/runProgress';
import type { Update } from '../contracts';
import { isOutOfMemory, releaseActiveTape } from '../measure/outOfMemory';
import { MicrobatchSize } from './microbatchSize';
import type { RandomSource } from './randomSource';
import type { NewRunEvent } from './runReport';

/** Where the training stands, as events name it. */
export interface Place {
  readonly call: number;
  readonly epoch: number;
  readonly update: number;
}

/** Memory ran out where it cannot be helped: nothing of the update was done, the state is that of its start. */
export class DoesNotFitError extends Error {
  override readonly name = 'DoesNotFitError';
  /** @param isPlain true for an update that cannot be cut: its weights may be in between */
  constructor(
    message: string,
    readonly isPlain: boolean,
    options: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Memory ran out while the weights were changed: what they hold now is neither before nor after the update. */
export class UpdateLostError extends Error {
  override readonly name = 'UpdateLostError';
}

/** What is told of an update while it runs. */
export interface UpdateListener {
  progress(progress: RunProgress): void;
  event(event: NewRunEvent): void;
}

export class UpdateRunner {
  readonly size: MicrobatchSize;

  constructor(
    job: Pick<TrainJob, 'microbatchSize' | 'firstMicrobatchSize' | 'mayGrow'>,
    private readonly random: RandomSource,
    private readonly core: () => { engine(): unknown },
    private readonly listener: UpdateListener,
  ) {
    this.size = new MicrobatchSize(job.microbatchSize, job.firstMicrobatchSize, job.mayGrow);
  }

  /**
   * Does an update whole. Where memory runs out, what the attempt left is freed, the microbatch is cut, and the update is
   * begun again: no weight has changed before the optimizer's step, BatchNormalization's statistics are written by it,
   * and the random numbers of an update are its own.
   * @returns the number of microbatches
   * @throws DoesNotFitError where one example is too much; UpdateLostError where memory runs out in the optimizer's
   * step; what else the update throws
   */
  run(update: Update, place: Place): number {
    for (;;) {
      let rows = 0;
      try {
        const sizes = splitBatch(update.rows, this.size.current);
        this.random.within(place, () => {
          let start = 0;
          for (const [index, size] of sizes.entries()) {
            this.listener.progress({ ...place, microbatch: index, of: sizes.length });
            rows = size;
            update.runMicrobatch(start, size);
            start += size;
          }
        });
        this.#apply(update, place, rows);
        this.#wentWell(sizes[0] ?? 1, place);
        return sizes.length;
      } catch (error) {
        if (error instanceof UpdateLostError || !isOutOfMemory(error)) throw error;
        update.restart();
        this.#cut(rows, error, place);
      }
    }
  }

  /**
   * Does an update that cannot be cut.
   * @throws DoesNotFitError where memory runs out, with the reason why it cannot be cut
   */
  runPlain(update: Update, place: Place, run: () => void): void {
    try {
      this.random.within(place, run);
    } catch (error) {
      if (!isOutOfMemory(error)) throw error;
      this.#tell(update.rows, error, place);
      throw new DoesNotFitError(
        `Memory ran out in an update of ${update.rows} examples, which cannot be cut: ${update.call.passThrough ?? ''} ` +
          'Free memory, or give the script a smaller batch size.',
        true,
        { cause: error },
      );
    }
  }

  /** A validation step ran out of memory: true where a smaller one can be tried. */
  validationFailed(rows: number, error: unknown, place: Place): boolean {
    if (!isOutOfMemory(error)) return false;
    this.#cut(rows, error, place);
    return true;
  }

  #apply(update: Update, place: Place, rows: number): void {
    try {
      update.apply();
    } catch (error) {
      if (!isOutOfMemory(error)) throw error;
      this.#tell(rows, error, place);
      throw new UpdateLostError('Memory ran out in the optimizer’s step.', { cause: error });
    }
  }

  #cut(rows: number, error: unknown, place: Place): void {
    releaseActiveTape(this.core());
    this.#tell(rows, error, place);
    const from = this.size.current;
    if (!this.size.ranOut(rows)) {
      throw new DoesNotFitError(
        `Memory ran out with one example at a time: ${messageOf(error).replace(/\.$/, '')}. Free memory, then go on.`,
        false,
        { cause: error },
      );
    }
    const to = this.size.current;
    this.listener.event({ type: 'microbatchReduced', ...place, from, to, reason: 'memory ran out.' });
  }

  #wentWell(rows: number, place: Place): void {
    const from = this.size.current;
    const to = this.size.wentWell(rows);
    const next = { ...place, update: place.update + 1 };
    if (to !== null) this.listener.event({ type: 'microbatchGrown', ...next, from, to });
  }

  #tell(microbatch: number, error: unknown, place: Place): void {
    this.listener.event({ type: 'outOfMemory', ...place, microbatch, message: messageOf(error) });
  }
}

/** One line: TensorFlow has its own under a status, and its allocator's whole state after it. */
function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const [first = text, second = ''] = text.split('\n', 2);
  return second.startsWith('Message: ') ? second.slice('Message: '.length) : first;
}
