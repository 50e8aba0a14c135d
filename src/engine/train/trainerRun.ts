// The trainer's hold on its run folder: opened at the first call, written through a training, closed at its end.
import path from 'node:path';
import type { CheckpointState } from '../../protocol/checkpoint';
import { fileRemedy, fileTrouble } from '../../protocol/fileTrouble';
import type { TrainJob } from '../../protocol/job';
import { CheckpointStore } from './checkpointStore';
import type { Tf } from '../contracts';
import type { ChosenBackend, DeviceError } from '../backends/choose';
import { judgeDeviceErrors, type DeviceVerdict } from '../measure/deviceErrors';
import { RunReport, type NewRunEvent } from './runReport';
import type { CallProgress } from './trainerCall';
import type { TrainedModels } from './trainerModels';
import type { Place } from './updateRunner';
import { Replay } from './replay';

/** The device told of an error beside the program: what it computed since the last checkpoint cannot be believed. */
export class DeviceFailedError extends Error {
  override readonly name = 'DeviceFailedError';
  constructor(readonly verdict: Exclude<DeviceVerdict, { outcome: 'none' }>) {
    super(verdict.message);
  }
}

/** The run folder cannot be written where the training begins. */
export class RunFolderFaultError extends Error {
  override readonly name = 'RunFolderFaultError';
}

/**
 * Opens a run's folder for a training process.
 * @throws RunFolderFaultError where it cannot be read or written
 */
export function openTrainerRun(job: TrainJob, backend: ChosenBackend, seed: number): TrainerRun {
  try {
    return new TrainerRun(job, backend, seed);
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    throw new RunFolderFaultError(
      `The run folder ${job.runFolder} cannot be used: ${fileTrouble(error)}. ${fileRemedy(error)}, then go on.`,
      { cause: error },
    );
  }
}

export class TrainerRun {
  readonly #folder: string;
  /** What is passed over in a run that is gone on with; null in a new one, and once it is done. */
  replay: Replay | null;
  readonly #deviceErrors: DeviceError[] = [];
  readonly #report: RunReport;
  readonly #store: CheckpointStore;
  /** Figures that are still being read (WebGPU); events keep their order behind them. */
  #pending: Promise<unknown> | null = null;
  /** What was last told of trouble with checkpoints; null where there is none. */
  #saveTrouble: string | null = null;

  /** @throws the file system's error where the run folder cannot be written */
  constructor(
    job: TrainJob,
    private readonly backend: ChosenBackend,
    private readonly seed: number,
  ) {
    this.#folder = job.runFolder;
    this.#report = new RunReport(job.runFolder);
    const folder = path.join(job.runFolder, 'checkpoints');
    const { replay, damaged } =
      job.resumeFrom === null
        ? { replay: null, damaged: [] }
        : Replay.open(job.resumeFrom, path.join(job.runFolder, 'events.ndjson'));
    this.replay = replay;
    this.#store = new CheckpointStore(folder, {
      seconds: job.checkpointSeconds,
      updates: job.checkpointUpdates,
    });
    backend.onDeviceError((error) => this.#deviceErrors.push(error));
    const { report, tfjsVersion } = backend;
    this.#report.begin({
      type: 'started',
      pid: process.pid,
      attempt: job.attempt,
      backend: report,
      tfjsVersion,
      nodeVersion: process.versions.node,
    });
    const position = replay?.state.position ?? { call: 0, epoch: 0, update: 0 };
    const place = { call: position.call, epoch: position.epoch, update: position.update };
    this.#tellRecovery(job, place);
    for (const { place: folderOfDamaged, reason } of damaged) {
      const name = path.basename(folderOfDamaged);
      this.#store.setAside(name);
      const instead = replay === null ? 'there is no other one' : 'the one before it is taken';
      this.note(`Checkpoint ${name} cannot be used (${reason}): ${instead}.`);
    }
    if (replay !== null || job.attempt === 1) return;
    if (job.resumeFrom !== null) {
      this.note('There is no checkpoint to go on from: the training begins anew.');
    }
    this.event({ type: 'resumed', ...place });
  }

  get tf(): Tf {
    return this.backend.tf;
  }

  get store(): CheckpointStore {
    return this.#store;
  }

  event(event: NewRunEvent): void {
    this.#inOrder(() => this.#report.event(event));
  }

  note(message: string): void {
    this.event({ type: 'warning', warning: { code: 'note', message, layers: [] } });
  }

  progress(progress: Parameters<RunReport['progress']>[0]): void {
    this.#report.progress(progress);
  }

  /** Uses figures once they are there: at once, or behind those before them where reading takes a promise. */
  whenRead<T>(figures: T | Promise<T>, use: (figures: T) => void): void {
    if (!(figures instanceof Promise)) {
      this.#inOrder(() => use(figures));
      return;
    }
    const before = this.#pending ?? Promise.resolve();
    const all = before.then(() => figures).then(use);
    this.#pending = all;
    const forget = (): void => {
      if (this.#pending === all) this.#pending = null;
    };
    all.then(forget, (error: unknown) => {
      forget();
      this.note(`The figures of an update could not be read: ${String(error)}`);
    });
  }

  /**
   * Saves the state as it is now. A failure is told, and does not end the training.
   * @returns whether it was saved
   * @throws DeviceFailedError where the device told of an error, after which nothing on it can be believed
   */
  async checkpoint(
    models: TrainedModels,
    at: CallProgress,
    random: CheckpointState['random'],
    monitored: CheckpointState['monitored'] = null,
  ): Promise<boolean> {
    await this.checkDevice();
    try {
      // What the events say up to here belongs to the state: it is on the disk before the state is.
      this.#report.flush();
      const { place, ms, best, madeRoom } = await this.#store.write(
        {
          time: new Date().toISOString(),
          position: at.position,
          seed: this.seed,
          random,
          monitored,
        },
        models.toSave(),
        (tensor) =>
          this.backend.core.getBackend() === 'webgpu'
            ? (tensor.data() as Promise<Float32Array>)
            : (tensor.dataSync() as Float32Array),
      );
      models.saved();
      this.#noteSaved(madeRoom);
      this.event({ type: 'checkpoint', ...at.place, path: place, ms, best });
      return true;
    } catch (error) {
      const trouble = fileTrouble(error);
      // Once, and not at every try.
      if (trouble !== this.#saveTrouble) {
        this.note(
          `The training could not be saved in ${this.#folder}: ${trouble}. ${fileRemedy(error)}: it goes on, and is ` +
            'saved again after that.',
        );
      }
      this.#saveTrouble = trouble;
      return false;
    }
  }

  #noteSaved(madeRoom: boolean): void {
    if (!madeRoom) {
      if (this.#saveTrouble !== null) this.note('The training can be saved again.');
      this.#saveTrouble = null;
    } else if (this.#saveTrouble === null) {
      this.#saveTrouble = 'little room';
      this.note(
        `The disk of the run folder ${this.#folder} is full: an older checkpoint was removed to save the training. ` +
          'Make room there, so that more than the last one can be kept.',
      );
    }
  }

  /**
   * Waits for the device and for the figures that are being read.
   * @throws DeviceFailedError where the device told of an error: WebGPU's failed operations give zeros or stale data
   */
  async checkDevice(): Promise<void> {
    await this.#pending;
    if (this.backend.report.name !== 'webgpu') return;
    await this.backend.settle();
    this.believeDevice();
  }

  /**
   * As `checkDevice`, with the errors that are known by now.
   * @throws DeviceFailedError
   */
  believeDevice(): void {
    const verdict = judgeDeviceErrors(this.#deviceErrors);
    if (verdict.outcome !== 'none') throw new DeviceFailedError(verdict);
  }

  close(): void {
    this.#report.close();
  }

  /** Resolves when every figure asked for has been written. */
  async settled(): Promise<void> {
    await this.#pending;
  }

  #tellRecovery({ recovery, firstMicrobatchSize }: TrainJob, place: Place): void {
    if (recovery === null) return;
    const { kind, message, microbatch } = recovery;
    if (kind === 'crash') return this.note(message);
    this.event({ type: 'outOfMemory', ...place, microbatch, message });
    if (microbatch === firstMicrobatchSize) return;
    const reason = 'memory ran out.';
    this.event({ type: 'microbatchReduced', ...place, from: microbatch, to: firstMicrobatchSize, reason });
  }

  #inOrder(write: () => void): void {
    if (this.#pending === null) write();
    else this.whenRead(Promise.resolve(), write);
  }
}
