// The observer behind the hook while a script trains under supervision.
import type { PlanWarning } from '../../protocol/warning';
import { exitCodes } from '../../protocol/exitCodes';
import type { TrainJob } from '../../protocol/job';
import type { FailureReport } from '../../protocol/report';
import type { Figures, FitObserver, TrainingCall, Update } from '../contracts';
import { CallAnnouncements } from './callAnnouncements';
import { CheckpointMismatchError } from './checkpointTensors';
import type { EngineContext } from '../engineContext';
import type { Logs } from './earlierFigures';
import type { RandomSource } from './randomSource';
import { finiteLogs } from './runReport';
import { CallProgress } from './trainerCall';
import { TrainerEnd } from './trainerEnd';
import { monitoredOf } from './trainerLogs';
import { TrainedModels } from './trainerModels';
import { TrainerReplay } from './trainerReplay';
import { TrainerRequests } from './trainerRequests';
import { DeviceFailedError, openTrainerRun, type TrainerRun } from './trainerRun';
import { TrainerWarnings } from './trainerWarnings';
import { DoesNotFitError, UpdateLostError, UpdateRunner, type Place } from './updateRunner';

/** Follows the script's training calls: runs their updates, tells them, and saves. */
export class Trainer implements FitObserver {
  #run: TrainerRun | null = null;
  #opening: Promise<TrainerRun> | null = null;
  #replay: TrainerReplay | null = null;
  readonly #requests: TrainerRequests;
  readonly #end: TrainerEnd;
  readonly #models = new TrainedModels();
  readonly #warnings: TrainerWarnings;
  readonly #updates: UpdateRunner;
  /** Calls under way: usually one, more where a script trains several models side by side. */
  readonly #calls = new Map<TrainingCall, CallProgress>();
  /** The generator where the training could be gone on with: after an update has settled, or as a call begins. */
  #settledRandom: RandomSource['state'];
  #updateStart = 0;
  #microbatches = 1;
  readonly #announcements = new CallAnnouncements();

  constructor(
    private readonly job: TrainJob,
    private readonly context: EngineContext,
    private readonly random: RandomSource,
  ) {
    this.#end = new TrainerEnd(context);
    this.#requests = new TrainerRequests(job, this.#end, () => this.#calls.size > 0);
    this.#settledRandom = random.state;
    this.#warnings = new TrainerWarnings(job.fingerprint, (warning) =>
      this.#run?.event({ type: 'warning', warning }),
    );
    this.#updates = new UpdateRunner(job, random, () => this.#core(), {
      progress: (progress) => this.#run?.progress(progress),
      event: (event) => this.#run?.event(event),
    });
  }

  /** Largest microbatch of the update that comes next. */
  get microbatchSize(): number {
    return this.#updates.size.current;
  }

  async callStarted(call: TrainingCall): Promise<void> {
    const run = await (this.#opening ??= this.#open());
    const modelIndex = this.#models.indexOf(call.model, call.modelName);
    const progress = new CallProgress(call, modelIndex, this.#replay?.covers(call) ?? false);
    this.#calls.set(call, progress);
    try {
      this.#replay?.callStarted(progress);
      this.#goOnIfReached(progress);
    } catch (error) {
      if (error instanceof CheckpointMismatchError) this.#end.failed(error, exitCodes.failed);
      throw error;
    }
    this.#announcements.noteFewExamples(run, call, this.job.targetBatchSize);
    this.#settledRandom = this.random.state;
    if (!progress.isReplayed) this.#announcements.tell(run, progress, this.microbatchSize);
    this.#warnings.modelMet(call, modelIndex);
    this.context.meter.reset();
    this.#updateStart = performance.now();
  }

  epochBegan(call: TrainingCall, epoch: number): void {
    this.#calls.get(call)?.epochBegan(epoch);
  }

  passOver(update: Update): Figures | null {
    const progress = this.#calls.get(update.call);
    if (!progress?.isReplayed || !this.#replay) return null;
    return this.#replay.passOver(update, progress);
  }

  earlierEpoch(call: TrainingCall, epoch: number): Figures | null {
    return this.#calls.get(call)?.isReplayed ? (this.#replay?.epoch(call, epoch) ?? null) : null;
  }

  runUpdate(update: Update): void {
    const place = this.#placeOf(update.call);
    this.#updateStart = performance.now();
    try {
      this.#microbatches = this.#updates.run(update, place);
    } catch (error) {
      // The weights cannot be trusted: the supervisor starts anew from the last checkpoint.
      if (error instanceof UpdateLostError) this.context.leave();
      throw error;
    }
  }

  runPlainUpdate(update: Update, run: () => void): void {
    this.#updateStart = performance.now();
    this.#updates.runPlain(update, this.#placeOf(update.call), run);
    this.#microbatches = 1;
  }

  validationFailed(call: TrainingCall, rows: number, error: unknown): boolean {
    return this.#updates.validationFailed(rows, error, this.#placeOf(call));
  }

  updateEnded(update: Update, logs: Promise<Logs> | Logs): void {
    const progress = this.#calls.get(update.call);
    const run = this.#run;
    if (!progress || !run) return;
    const { place } = progress;
    // A data set's batch size is known by now.
    if (place.update === 0 || progress.updateOfEpoch === 0) {
      this.#announcements.tell(run, progress, this.microbatchSize);
    }
    progress.updateDone();
    run.store.updateDone();
    this.#models.changed(progress.modelIndex);
    const ms = performance.now() - this.#updateStart;
    const memoryBytes = this.#memoryInUse(run);
    const microbatches = this.#microbatches;
    const data = update.digest();
    const figures = logs instanceof Promise || data instanceof Promise ? Promise.all([logs, data]) : null;
    run.whenRead(figures ?? ([logs, data] as [Logs, number]), ([{ loss = NaN, ...metrics }, digest]) => {
      run.event({
        type: 'update',
        ...place,
        examples: update.rows,
        microbatches,
        ms,
        loss: Number.isFinite(loss) ? loss : null,
        metrics: finiteLogs(metrics),
        memoryBytes,
        data: digest,
      });
      this.#warnings.lossEnded(update.call, loss);
    });
    this.#updateStart = performance.now();
  }

  async updateSettled(call: TrainingCall): Promise<void> {
    const progress = this.#calls.get(call);
    const run = this.#run;
    if (!progress || !run) return;
    if (progress.isReplayed) {
      await this.#replay?.updateSettled();
      this.#goOnIfReached(progress);
    }
    this.#settledRandom = this.random.state;
    const asked = this.#requests.look();
    // A pause waits for the end of a replay: events name places of the training, not of its repetition.
    if (asked === 'pause' && progress.isReplayed) return;
    if (asked !== 'run') {
      await this.#requests.obey(asked, run, progress, () => this.#save());
      this.#updateStart = performance.now();
      return;
    }
    if (progress.isReplayed) return;
    await this.#trust(run, () => run.believeDevice());
    // trainOnBatch ends its call with its update: the state is saved there.
    if (call.method !== 'trainOnBatch' && run.store.isDue()) await this.#save();
  }

  async epochEnded(call: TrainingCall, epoch: number, logs: Logs): Promise<void> {
    const progress = this.#calls.get(call);
    const run = this.#run;
    if (!progress || !run) return;
    if (progress.isReplayed) {
      progress.epochDone(epoch);
      this.#goOnIfReached(progress);
      this.#settledRandom = this.random.state;
      return;
    }
    await run.settled();
    const ms = performance.now() - progress.epochStart;
    progress.epochDone(epoch);
    this.#settledRandom = this.random.state;
    run.event({ type: 'epoch', call: call.index, epoch, logs: finiteLogs(logs), ms });
    const monitored = monitoredOf(progress.modelIndex, logs);
    const { store } = run;
    if (store.isDue() || store.isDueAsBest(monitored)) await this.#save(monitored);
  }

  async callEnded(call: TrainingCall, error: unknown): Promise<void> {
    const progress = this.#calls.get(call);
    const run = this.#run;
    if (!progress || !run) return;
    if (error === undefined || error === null) {
      await this.#trust(run, () => run.checkDevice());
      progress.ended = true;
      await this.#callDone(run, progress);
    } else if (error instanceof DoesNotFitError) {
      await this.#endUnfit(run, error);
    }
    this.#calls.delete(call);
    this.#requests.lookBetweenCalls();
  }

  warned(warning: PlanWarning): void {
    this.#warnings.warn(warning);
  }

  scriptFailed(failure: FailureReport): void {
    this.#end.because(failure);
  }

  /** The script has ended by itself. Nothing can be waited for any more. */
  scriptEnded(code: number): void {
    if (code === 0) this.#replay?.scriptEnded();
    this.#end.tell(code === 0 ? 'completed' : 'failed', code);
  }

  /** The supervisor is gone: what trains saves first, by itself. */
  parentGone(): void {
    this.#requests.endBetweenCalls('leave');
  }

  async #open(): Promise<TrainerRun> {
    const run = openTrainerRun(this.job, await this.context.backend(), this.random.seed);
    if (run.replay) this.#replay = new TrainerReplay(run, run.replay, this.#models, this.random);
    this.#requests.watch();
    this.#end.opened(run);
    this.#run = run;
    return run;
  }

  /** Ends the replay of a call, and so of the run, where the checkpoint was taken. */
  #goOnIfReached(progress: CallProgress): void {
    if (!this.#replay?.isReached(progress)) return;
    this.#replay.goOn(progress);
    this.#replay = null;
    this.#updateStart = performance.now();
    if (this.#run && !progress.ended) this.#announcements.tell(this.#run, progress, this.microbatchSize);
  }

  async #callDone(run: TrainerRun, progress: CallProgress): Promise<void> {
    const { call } = progress;
    const { store } = run;
    if (progress.isReplayed) {
      const hadEnded = this.#replay?.callEnded(progress) ?? false;
      this.#goOnIfReached(progress);
      if (hadEnded) return;
    }
    this.#settledRandom = this.random.state;
    if (call.method !== 'trainOnBatch') run.event({ type: 'callEnded', call: call.index });
    if (call.method === 'trainOnBatch' ? store.isDue() : store.isCheapAtEnd()) await this.#save();
  }

  /** Nothing of the failed update was done: the state is saved, and the reason told. */
  async #endUnfit(run: TrainerRun, error: DoesNotFitError): Promise<never> {
    // After a plain update that failed the weights may be in between.
    if (!error.isPlain) await this.#save();
    await run.settled();
    return this.#end.failed(error, exitCodes.nothingFits);
  }

  /** @returns false where it could not be saved */
  async #save(monitored: ReturnType<typeof monitoredOf> = null): Promise<boolean> {
    const run = this.#run;
    // Where several calls are under way, the training can only be taken up at the first of them.
    const first = [...this.#calls.values()].sort((a, b) => a.call.index - b.call.index)[0];
    if (!run || !first || first.isReplayed) return true;
    let isSaved = false;
    await this.#trust(run, async () => {
      isSaved = await run.checkpoint(this.#models, first, this.#settledRandom, monitored);
    });
    return isSaved;
  }

  /** Does what depends on the device's work; where that has failed, the supervisor starts anew from the last checkpoint. */
  async #trust(run: TrainerRun, work: () => unknown): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof DeviceFailedError)) throw error;
      const { verdict } = error;
      const [first] = this.#calls.values();
      if (verdict.outcome === 'outOfMemory' && first) {
        const { microbatchSize: microbatch } = this;
        run.event({ type: 'outOfMemory', ...first.place, microbatch, message: verdict.message });
      } else run.note(`The device failed: ${verdict.message}`);
      await run.settled();
      this.context.leave();
    }
  }

  #placeOf(call: TrainingCall): Place {
    return this.#calls.get(call)?.place ?? { call: call.index, epoch: 0, update: 0 };
  }

  #core(): { engine(): unknown } {
    const { chosenBackend } = this.context;
    if (chosenBackend === null) throw new Error('An update began before its backend was chosen.');
    return chosenBackend.core;
  }

  /** Most bytes in use since the last update. */
  #memoryInUse(run: TrainerRun): number {
    const { meter, chosenBackend } = this.context;
    const peak = meter.peakBytes;
    meter.reset();
    if (chosenBackend?.core.getBackend() !== 'webgpu') return peak;
    const memory = run.tf.memory() as { numBytesAllocatedInGPU?: number };
    return memory.numBytesAllocatedInGPU ?? peak;
  }
}
