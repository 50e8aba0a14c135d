// One optimizer update from several microbatches: gradients, outputs and moving statistics add up to the full batch's.
import type { TrainingCall, Update } from '../contracts';
import { GradientAccumulator } from './accumulator';
import { batchDigest } from './batchDigest';
import { MovingStatistics } from './batchNormalization';
import { withMinimize, type StepData, type Tensor } from './innerModel';
import { withSeededDropout } from './seededDropout';
import { rowsOf, sliceBatch } from './sliceBatch';
import { StepOutputs } from './stepOutputs';
import { updateError, type TrainingStep } from './trainingStep';

/** The state of one update; see `Update` for what each method promises. */
export class AccumulatedUpdate implements Update {
  readonly rows: number;
  private readonly gradients: GradientAccumulator;
  private readonly statistics: MovingStatistics;
  private readonly outputs: StepOutputs;
  private finished: Tensor[] | null = null;

  constructor(
    readonly call: TrainingCall,
    readonly index: number,
    private readonly step: TrainingStep,
    private readonly data: StepData,
  ) {
    this.rows = rowsOf(data);
    this.gradients = new GradientAccumulator(step.core);
    this.statistics = new MovingStatistics(step.core, step.model);
    this.outputs = new StepOutputs(step.core, step.model, step.trainingBatchLevel, 1);
  }

  runMicrobatch(start: number, size: number): void {
    if (
      !Number.isInteger(start) ||
      !Number.isInteger(size) ||
      start < 0 ||
      size < 1 ||
      start + size > this.rows
    ) {
      throw new RangeError(`Rows ${start} to ${start + size} are not in a batch of ${this.rows}.`);
    }
    const { core, model, train } = this.step;
    const weight = size / this.rows;
    const whole = size === this.rows;
    core.tidy(() => {
      const data = whole ? this.data : sliceBatch(core, this.data, start, size);
      const { optimizer } = model;
      const outputs = this.statistics.record(size, () =>
        withMinimize(
          model,
          (loss, _returnCost, variables) => this.gradients.addGradientsOf(optimizer, loss, variables, weight),
          () =>
            whole
              ? train(data)
              : withSeededDropout(core, model, { start, size, rows: this.rows }, () =>
                  this.outputs.runPart(() => train(data)),
                ),
        ),
      );
      // The loss comes weighted already: it is what the gradients were taken of.
      this.outputs.add(outputs, (output) => (output === 0 ? 1 : weight));
    });
  }

  apply(): void {
    this.step.applyGradients(this.step.model.optimizer, this.gradients.named());
    this.gradients.dispose();
    this.statistics.apply();
    this.setFinished(this.outputs.finish(this.data));
  }

  restart(): void {
    this.gradients.dispose();
    this.statistics.forget();
    this.outputs.forget();
  }

  validate(size: number): void {
    const { core, makeTest } = this.step;
    core.tidy(() => {
      makeTest()(sliceBatch(core, this.data, 0, Math.min(size, this.rows)));
    });
  }

  digest(): number | Promise<number> {
    return batchDigest(this.step.core, this.data);
  }

  /** What the step returns: loss and metrics of the whole batch, owned by the caller. */
  takeOutputs(): Tensor[] {
    const outputs = this.finished;
    if (outputs === null) throw updateError(this, 'it was not applied.');
    this.finished = null;
    return outputs;
  }

  /** Frees whatever the update still holds; used when it failed. */
  discard(): void {
    this.restart();
    this.setFinished(null);
  }

  private setFinished(outputs: Tensor[] | null): void {
    if (this.finished !== null) this.step.core.dispose(this.finished);
    this.finished = outputs;
  }
}
