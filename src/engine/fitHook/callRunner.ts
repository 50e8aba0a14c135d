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
      if (prepared.kind === 'skip') return prepared.result;
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
    const { call } = this;
    const index = call.updates++;
    if (call.passThrough !== null) {
      const outputs = plain(data);
      this.ended(new PlainUpdate(call, index, rowsOf(data)), outputs);
      return outputs;
    }
    const { core, observer, applyGradients, plainTest } = this.context;
    const model = call.inner;
    const parts = {
      core,
      model,
      train: plain,
      makeTest: () => plainTest(model),
      applyGradients,
      trainingBatchLevel: trainingBatchLevel(core, model),
    };
    const update = new AccumulatedUpdate(call, index, parts, data);
    try {
      if (observer.runUpdate === undefined) this.runMicrobatches(update);
      else observer.runUpdate(update);
      const outputs = update.takeOutputs();
      if (!update.skipped) this.ended(update, outputs);
      return outputs;
    } catch (error) {
      update.discard();
      throw error;
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
    this.unsettled = true;
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
