// Training in the child: what stands behind the hook while a script trains under supervision.
import { splitBatch } from '../../planning/microbatches';
import type { PlanWarning } from '../../protocol/warning';
import type { TrainJob } from '../../protocol/job';
import type { FailureReport } from '../../protocol/report';
import type { CallDirective, FitObserver, TrainingCall, Update } from '../contracts';
import { Control, type Asked } from './control';
import type { EngineContext, EngineMode } from '../engineContext';
import { RandomSource } from './randomSource';
import { finiteLogs } from './runReport';
import { CallProgress } from './trainerCall';
import type { Logs } from './trainerHistory';
import { monitoredOf, restoreHistory } from './trainerLogs';
import { TrainedModels } from './trainerModels';
import { TrainerRun } from './trainerRun';
import { TrainerWarnings } from './trainerWarnings';

/** Exit code of a training that was stopped or whose supervisor is gone; its state is saved. */
const stoppedCode = 130;
/** How long the update in the making may take after the supervisor is gone, before the process is killed, in ms. */
const parentGoneGraceMs = 300_000;
/** Between two looks at what is asked while the script is not training, in ms. */
const betweenCallsPause = 200;

/** The equality of fewer rows with their parts cannot be checked. */
const leastCheckRows = 2;

/** Makes the mode `train`. Nothing is opened before the script trains: launchers inherit the hook, too. */
export function createTrainer(job: TrainJob, context: EngineContext): EngineMode {
  const random = new RandomSource(job.seed);
  random.install();
  const trainer = new Trainer(job, context, random);
  return {
    settings: {
      microbatchSize: () => job.microbatchSize,
      targetBatchSize: job.targetBatchSize,
      // It takes its rows twice over: more than half a microbatch of them might not fit. A plan has checked before.
      selfCheck: job.microbatchSize >= 2 * leastCheckRows,
      selfCheckRows: Math.max(leastCheckRows, Math.floor(job.microbatchSize / 2)),
    },
    observer: trainer,
    scriptEnded: (code) => trainer.scriptEnded(code),
    scriptFailed: (failure) => trainer.scriptFailed(failure),
    parentGone: () => trainer.endBetweenCalls('leave'),
    parentGoneGraceMs,
  };
}

class Trainer implements FitObserver {
  #run: TrainerRun | null = null;
  #opening: Promise<TrainerRun> | null = null;
  readonly #control: Control;
  readonly #models = new TrainedModels();
  readonly #warnings: TrainerWarnings;
  /** Calls under way: usually one, more where a script trains several models side by side. */
  readonly #calls = new Map<TrainingCall, CallProgress>();
  #epochRandom: RandomSource['state'];
  #updateStart = 0;
  readonly #passedOver = new WeakSet<Update>();
  /** What was last told of each model that trains by trainOnBatch. */
  readonly #announced = new Map<number, string>();
  #failure: FailureReport | null = null;
  #ended = false;
  /** Asked by a signal sent to this process itself. */
  #signalled = false;

  constructor(
    private readonly job: TrainJob,
    private readonly context: EngineContext,
    private readonly random: RandomSource,
  ) {
    this.#control = new Control(job.controlFile, job.parentPid);
    this.#epochRandom = random.state;
    this.#warnings = new TrainerWarnings(job.fingerprint, (warning) =>
      this.#run?.event({ type: 'warning', warning }),
    );
  }

  async callStarted(call: TrainingCall): Promise<void> {
    const run = await (this.#opening ??= this.#open());
    const modelIndex = this.#models.indexOf(call.model, call.modelName);
    const { resume } = run;
    const resumed = resume?.covers(call) ? resume.begin(run.tf, call, modelIndex) : null;
    const progress = new CallProgress(call, modelIndex, resumed);
    this.#calls.set(call, progress);
    if (resume && resumed?.from) {
      this.random.state = resume.random.atEpoch;
      run.event({
        type: 'resumed',
        call: call.index,
        epoch: resumed.from.epoch,
        update: resumed.from.update,
      });
    }
    if (typeof resumed?.note === 'string') run.note(resumed.note);
    const { examples } = call;
    if (
      examples !== null &&
      this.job.targetBatchSize !== null &&
      examples < this.job.targetBatchSize &&
      call.method === 'fit'
    ) {
      run.note(
        `There are ${examples} training examples, fewer than the ${this.job.targetBatchSize} of an update: each update has all of them.`,
      );
    }
    this.#epochRandom = this.random.state;
    if (!progress.isSkipped) this.#announce(progress);
    this.#warnings.modelMet(call, modelIndex);
    this.context.meter.reset();
    this.#updateStart = performance.now();
  }

  directCall(call: TrainingCall): CallDirective | null {
    return this.#calls.get(call)?.resumed?.directive ?? null;
  }

  runUpdate(update: Update): void {
    const progress = this.#calls.get(update.call);
    if (progress?.isSkipping && update.skip) {
      this.#passOver(update, progress);
      return;
    }
    this.#updateStart = performance.now();
    const sizes = splitBatch(update.rows, this.job.microbatchSize);
    let start = 0;
    for (const [index, size] of sizes.entries()) {
      if (progress) this.#run?.progress({ ...progress.place, microbatch: index, of: sizes.length });
      update.runMicrobatch(start, size);
      start += size;
    }
    update.apply();
  }

  updateEnded(update: Update, logs: Promise<Logs> | Logs): void {
    const progress = this.#calls.get(update.call);
    const run = this.#run;
    if (!progress || !run || this.#passedOver.has(update)) return;
    const { place } = progress;
    if (place.update === 0 || (progress.resumed && progress.updateOfEpoch === 0)) this.#announce(progress);
    progress.updateDone();
    this.#models.changed(progress.modelIndex);
    const { call, rows } = update;
    const microbatches = call.passThrough === null ? splitBatch(rows, this.job.microbatchSize).length : 1;
    const ms = performance.now() - this.#updateStart;
    const memoryBytes = this.#memoryInUse(run);
    run.whenRead(logs, ({ loss = NaN, ...metrics }) => {
      run.event({
        type: 'update',
        ...place,
        examples: rows,
        microbatches,
        ms,
        loss: Number.isFinite(loss) ? loss : null,
        metrics: finiteLogs(metrics),
        memoryBytes,
      });
      this.#warnings.lossEnded(call, loss);
    });
    this.#updateStart = performance.now();
  }

  updateSettled(call: TrainingCall): void | Promise<void> {
    const progress = this.#calls.get(call);
    if (!progress || progress.isSkipping) return;
    const asked = this.#asked();
    if (asked !== 'run') return this.#obey(asked, progress);
    // trainOnBatch ends its call with its update: the state is saved there.
    if (call.method !== 'trainOnBatch' && this.#run?.store.isDue()) return this.#save();
  }

  async epochEnded(call: TrainingCall, epoch: number, logs: Logs): Promise<void> {
    const progress = this.#calls.get(call);
    const run = this.#run;
    if (!progress || !run || progress.isSkipped) return;
    await run.settled();
    const ms = performance.now() - progress.epochStart;
    progress.epochDone(epoch);
    this.#epochRandom = this.random.state;
    run.event({ type: 'epoch', call: call.index, epoch, logs: finiteLogs(logs), ms });
    const monitored = monitoredOf(progress.modelIndex, logs);
    const { store } = run;
    if (store.isDue() || (store.isCheap() && store.isBest(monitored))) await this.#save(monitored);
  }

  async callEnded(call: TrainingCall, error: unknown): Promise<void> {
    const progress = this.#calls.get(call);
    const run = this.#run;
    if (!progress || !run) return;
    if (error === undefined || error === null) {
      await run.settled();
      progress.ended = true;
      if (progress.resumed) restoreHistory(call.model, progress.resumed.earlierEpochs);
      await this.#callDone(run, progress);
    }
    this.#calls.delete(call);
    if (this.#calls.size === 0) this.endBetweenCalls(this.#asked());
  }

  warned(warning: PlanWarning): void {
    this.#warnings.warn(warning);
  }

  scriptFailed(failure: FailureReport): void {
    this.#failure = failure;
  }

  /** The script has ended by itself. Nothing can be waited for any more. */
  scriptEnded(code: number): void {
    this.#tellEnd(code === 0 ? 'completed' : 'failed', code);
  }

  /** Ends where the script is not training: there is nothing to save that is not saved. */
  endBetweenCalls(asked: Asked): void {
    if (this.#calls.size > 0 || (asked !== 'stop' && asked !== 'leave')) return;
    this.#tellEnd(asked === 'stop' ? 'stopped' : 'interrupted', stoppedCode);
    this.context.leave();
  }

  async #open(): Promise<TrainerRun> {
    const run = new TrainerRun(this.job, await this.context.backend(), this.random);
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        this.#signalled = true;
        this.endBetweenCalls('stop');
      });
    }
    // Between two calls nothing looks at what is asked: the script may be saving its model, or reading data.
    setInterval(() => this.endBetweenCalls(this.#asked()), betweenCallsPause).unref();
    this.#run = run;
    return run;
  }

  /** An update that was done before the interruption: its figures go to the callbacks, nothing is computed. */
  #passOver(update: Update, progress: CallProgress): void {
    const resume = this.#run?.resume;
    update.skip?.(resume?.figures(progress.update) ?? {});
    this.#passedOver.add(update);
    progress.updateDone();
    if (!progress.isSkipping && resume) this.random.state = resume.random.now;
  }

  /** Tells a call's figures; again when more of them are known (a dataset's batch size). */
  #announce(progress: CallProgress): void {
    const { call } = progress;
    const { method, modelName, targetBatchSize, examples, epochs, updatesPerEpoch, passThrough } = call;
    const microbatchSize =
      passThrough !== null || targetBatchSize === null
        ? targetBatchSize
        : Math.min(this.job.microbatchSize, targetBatchSize);
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
      if (this.#announced.get(progress.modelIndex) === text) return;
      this.#announced.set(progress.modelIndex, text);
    }
    this.#run?.event({ type: 'call', call: call.index, ...facts });
  }

  #asked(): Asked {
    return this.#signalled ? 'stop' : this.#control.look();
  }

  async #obey(asked: Asked, progress: CallProgress): Promise<void> {
    const run = this.#run;
    if (!run) return;
    let now = asked;
    await this.#save();
    if (now === 'pause') {
      run.event({ type: 'paused', ...progress.place });
      const start = performance.now();
      now = await this.#control.untilNoPause(() => this.#signalled);
      progress.epochStart += performance.now() - start;
      this.#updateStart = performance.now();
    }
    if (now === 'run') {
      run.event({ type: 'resumed', ...progress.place });
      return;
    }
    this.#tellEnd(now === 'stop' ? 'stopped' : 'interrupted', stoppedCode);
    this.context.leave();
  }

  async #callDone(run: TrainerRun, progress: CallProgress): Promise<void> {
    const { call } = progress;
    const { resume, store } = run;
    if (progress.isSkipped) {
      // The last call of the interrupted process: the script goes on with the generator as it was then.
      if (resume?.state.position.call === call.index) this.random.state = resume.random.now;
      return;
    }
    if (call.method !== 'trainOnBatch') run.event({ type: 'callEnded', call: call.index });
    if (call.method === 'trainOnBatch' ? store.isDue() : store.isCheap()) await this.#save();
  }

  async #save(monitored: ReturnType<typeof monitoredOf> = null): Promise<void> {
    // Where several calls are under way, the training can only be taken up at the first of them.
    const first = [...this.#calls.values()].sort((a, b) => a.call.index - b.call.index)[0];
    if (first) await this.#run?.checkpoint(this.#models, first, this.#epochRandom, monitored);
  }

  #tellEnd(how: 'completed' | 'stopped' | 'failed' | 'interrupted', exitCode: number): void {
    if (this.#ended || !this.#run) return;
    this.#ended = true;
    this.#run.event({ type: 'ended', how, exitCode, failure: this.#failure });
    this.#run.close();
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
