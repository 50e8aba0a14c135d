// Runs one training call: what is decided before it, each of its updates, and what observers are told.
import { splitBatch } from '../../planning/microbatches';
import type { FitObserver, HookSettings, Update } from '../contracts';
import { AccumulatedUpdate } from './accumulatedUpdate';
import type { CallState } from './callState';
import type { Core, InnerModel, StepData, StepFunction, Tensor } from './innerModel';
import type { ApplyGradients } from './optimizers/applyGradients';
import { PlainUpdate } from './plainUpdate';
import type { PreparedCall } from './prepareCall';
import { rowsOf } from './sliceBatch';
import { runTestInSlices } from './testStep';
import { readLogs, trainingBatchLevel } from './trainingStep';

/** What all calls of one installed hook share. */
export interface HookContext {
  readonly core: Core;
  readonly settings: HookSettings;
  readonly observer: FitObserver;
  readonly applyGradients: ApplyGradients;
  /** The plain training and test step of tfjs-layers. */
  readonly plainTrain: (model: InnerModel) => StepFunction;
  readonly plainTest: (model: InnerModel) => StepFunction;
}

/** The life of one call of fit, fitDataset or trainOnBatch. */
export class CallRunner {
  private readonly reads = new Set<Promise<unknown>>();
  private unsettled = false;
  private callbacksRunning = 0;
  private epoch = 0;

  constructor(
    private readonly context: HookContext,
    readonly call: CallState,
    private readonly prepare: () => Promise<PreparedCall>,
  ) {}

  /** Runs the call; `original` is tfjs' own method with the arguments given. */
  async run(original: (args: readonly unknown[]) => Promise<unknown>): Promise<unknown> {
    let failure: unknown;
    try {
      const prepared = await this.prepareExclusively();
      try {
        const result = await original(prepared.args);
        if (this.call.method === 'trainOnBatch') await this.settled();
        return result;
      } finally {
        prepared.dispose();
        await Promise.allSettled(this.reads);
      }
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      await this.context.observer.callEnded?.(this.call, failure);
    }
  }

  /** One training step in place of `plain`: the same outputs, from microbatches. */
  step(plain: StepFunction, data: StepData): Tensor[] {
    const { core, observer } = this.context;
    const index = this.call.updates++;
    this.unsettled = true;
    if (this.call.passThrough !== null) {
      const update = new PlainUpdate(this.call, index, core, plain, data);
      return this.passedOver(update) ?? this.stepPlain(update);
    }
    const update = this.accumulated(index, plain, data);
    const earlier = this.passedOver(update);
    if (earlier !== null) return earlier;
    try {
      if (observer.runUpdate === undefined) this.runMicrobatches(update);
      else observer.runUpdate(update);
      const outputs = update.takeOutputs();
      this.ended(update, outputs);
      return outputs;
    } catch (error) {
      update.discard();
      throw error;
    }
  }

  /** One validation step in place of `plain`, in slices; nothing is computed where the epoch was done before. */
  testStep(plain: StepFunction, data: StepData): Tensor[] {
    const { core, settings, observer } = this.context;
    const { call } = this;
    const model = call.inner;
    if (this.isValidating && (observer.earlierEpoch?.(call, this.epoch) ?? null) !== null) {
      const outputs = model.lossFunctions.length + model.metricsTensors.length;
      return Array.from({ length: outputs }, () => core.scalar(0));
    }
    if (call.passThrough !== null) return plain(data);
    for (;;) {
      const largest = settings.microbatchSize();
      try {
        return runTestInSlices(core, model, plain, data, largest);
      } catch (error) {
        const rows = Math.min(largest, rowsOf(data));
        if (observer.validationFailed?.(call, rows, error) !== true) throw error;
      }
    }
  }

  /** Runs what the script's callbacks do: what they evaluate is theirs, and no validation of the call. */
  async inCallbacks<T>(run: () => Promise<T>): Promise<T> {
    this.callbacksRunning++;
    try {
      return await run();
    } finally {
      this.callbacksRunning--;
    }
  }

  epochBegins(epoch: unknown): void {
    if (typeof epoch !== 'number') return;
    this.epoch = epoch;
    this.context.observer.epochBegan?.(this.call, epoch);
  }

  /** Before the script's onEpochEnd: what is told of an epoch that was done before is what it was. */
  epochEnds(logs: unknown): void {
    const { core, observer } = this.context;
    const earlier = observer.earlierEpoch?.(this.call, this.epoch) ?? null;
    if (earlier === null || typeof logs !== 'object' || logs === null) return;
    for (const [name, value] of Object.entries(logs)) {
      const figure = earlier[name];
      if (figure === undefined) continue;
      // A tensor is replaced by a tensor: tfjs reads it at the end of training, and disposes it.
      if (value instanceof core.Tensor) {
        value.dispose();
        Reflect.set(logs, name, core.keep(core.scalar(figure)));
      } else Reflect.set(logs, name, figure);
    }
  }

  /** After the script's onBatchEnd: the place between two updates where observers may wait. */
  async settled(): Promise<void> {
    if (!this.unsettled) return;
    this.unsettled = false;
    await this.context.observer.updateSettled?.(this.call);
  }

  /** After the script's onEpochEnd, with its logs: numbers, or scalars that tfjs reads at the end of training. */
  async epochEnded(epoch: unknown, logs: unknown): Promise<void> {
    const { observer } = this.context;
    if (observer.epochEnded === undefined || typeof epoch !== 'number' || typeof logs !== 'object') return;
    const values: Record<string, number> = {};
    for (const [name, value] of Object.entries(logs ?? {})) {
      if (typeof value === 'number') values[name] = value;
      else if (value instanceof this.context.core.Tensor)
        values[name] = (await value.data())[0] ?? Number.NaN;
    }
    await observer.epochEnded(this.call, epoch, values);
  }

  /** True between an update and what the script's callbacks are told of its epoch. */
  private get isValidating(): boolean {
    return this.callbacksRunning === 0;
  }

  /** The outputs of an update that was done before; null where it is to be done. */
  private passedOver(update: Update): Tensor[] | null {
    const { core, observer } = this.context;
    const figures = observer.passOver?.(update) ?? null;
    if (figures === null) return null;
    const names = this.call.inner.getDedupedMetricsNames();
    return names.map((name) => core.keep(core.scalar(figures[name] ?? Number.NaN)));
  }

  private stepPlain(update: PlainUpdate): Tensor[] {
    const { observer } = this.context;
    if (observer.runPlainUpdate === undefined) update.run();
    else observer.runPlainUpdate(update, () => update.run());
    const outputs = update.takeOutputs();
    this.ended(update, outputs);
    return outputs;
  }

  private accumulated(index: number, plain: StepFunction, data: StepData): AccumulatedUpdate {
    const { core, applyGradients, plainTest } = this.context;
    const model = this.call.inner;
    const parts = {
      core,
      model,
      train: plain,
      makeTest: () => plainTest(model),
      applyGradients,
      trainingBatchLevel: trainingBatchLevel(core, model),
    };
    return new AccumulatedUpdate(this.call, index, parts, data);
  }

  private runMicrobatches(update: Update): void {
    const sizes = splitBatch(update.rows, this.context.settings.microbatchSize());
    let start = 0;
    sizes.forEach((size, index) => {
      update.runMicrobatch(start, size);
      start += size;
      this.context.observer.microbatchEnded?.(update, index, sizes.length);
    });
    update.apply();
  }

  private ended(update: Update, outputs: readonly Tensor[]): void {
    const { core, observer } = this.context;
    if (observer.updateEnded === undefined) return;
    const logs = readLogs(core, this.call.inner.getDedupedMetricsNames(), outputs);
    if (logs instanceof Promise) {
      this.reads.add(logs);
      const forget = (): unknown => this.reads.delete(logs);
      logs.then(forget, forget);
    }
    observer.updateEnded(update, logs);
  }

  /** As tfjs would, no other fit of this model may begin while this one is being prepared. */
  private async prepareExclusively(): Promise<PreparedCall> {
    const model = this.call.inner;
    if (this.call.method === 'trainOnBatch') return this.prepare();
    model.isTraining = true;
    try {
      return await this.prepare();
    } finally {
      model.isTraining = false;
    }
  }
}
