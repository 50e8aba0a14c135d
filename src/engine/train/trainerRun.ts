// The trainer's hold on its run folder: opened at the first call, written through a training, closed at its end.
import path from 'node:path';
import type { CheckpointState } from '../../protocol/checkpoint';
import type { TrainJob } from '../../protocol/job';
import { CheckpointStore } from './checkpointStore';
import type { Tf } from '../contracts';
import type { ChosenBackend } from '../backends/choose';
import type { RandomSource } from './randomSource';
import { RunReport, type NewRunEvent } from './runReport';
import type { CallProgress } from './trainerCall';
import type { TrainedModels } from './trainerModels';
import { Resume } from './trainerResume';

export class TrainerRun {
  readonly resume: Resume | null;
  readonly #report: RunReport;
  readonly #store: CheckpointStore;
  /** Figures that are still being read (WebGPU); events keep their order behind them. */
  #pending: Promise<unknown> | null = null;

  /** @throws the file system's error where the run folder cannot be written */
  constructor(
    job: TrainJob,
    private readonly backend: ChosenBackend,
    private readonly random: RandomSource,
  ) {
    this.#report = new RunReport(job.runFolder);
    const folder = path.join(job.runFolder, 'checkpoints');
    const { resume, damaged } =
      job.resumeFrom === null
        ? { resume: null, damaged: [] }
        : Resume.open(job.resumeFrom, path.join(job.runFolder, 'events.ndjson'));
    this.resume = resume;
    this.#store = new CheckpointStore(folder, job.checkpointSeconds);
    const { report, tfjsVersion } = backend;
    this.event({
      type: 'started',
      pid: process.pid,
      attempt: job.attempt,
      backend: report,
      tfjsVersion,
      nodeVersion: process.versions.node,
    });
    for (const { place, reason } of damaged) {
      this.#store.setAside(path.basename(place));
      this.note(`Checkpoint ${path.basename(place)} cannot be used (${reason}): the one before it is taken.`);
    }
    if (job.resumeFrom !== null && resume === null) {
      this.note('There is no checkpoint to go on from: the training begins anew.');
    }
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
   */
  async checkpoint(
    models: TrainedModels,
    at: CallProgress,
    epochRandom: CheckpointState['random'],
    monitored: CheckpointState['monitored'] = null,
  ): Promise<boolean> {
    await this.#pending;
    try {
      // What the events say up to here belongs to the state: it is on the disk before the state is.
      this.#report.flush();
      const { place, ms, best } = await this.#store.write(
        {
          time: new Date().toISOString(),
          position: at.position,
          seed: this.random.seed,
          random: this.random.state,
          epochRandom,
          monitored,
        },
        models.toSave(),
        (tensor) =>
          this.backend.core.getBackend() === 'webgpu'
            ? (tensor.data() as Promise<Float32Array>)
            : (tensor.dataSync() as Float32Array),
      );
      models.saved();
      this.event({ type: 'checkpoint', ...at.place, path: place, ms, best });
      return true;
    } catch (error) {
      this.note(`The training could not be saved: ${error instanceof Error ? error.message : String(error)}`);
      return false;
    }
  }

  close(): void {
    this.#report.close();
  }

  /** Resolves when every figure asked for has been written. */
  async settled(): Promise<void> {
    await this.#pending;
  }

  #inOrder(write: () => void): void {
    if (this.#pending === null) write();
    else this.whenRead(Promise.resolve(), write);
  }
}
