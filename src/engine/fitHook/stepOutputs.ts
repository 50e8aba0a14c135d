// Loss and metrics of a batch from those of its parts: averages weighted by rows, batch-level metrics evaluated once.
import type { Core, InnerModel, LossOrMetric, StepData, Tensor } from './innerModel';
import { wholeBatchValue, withMetrics } from './lossShapes';

/**
 * Collects the outputs of a step that is run on parts of a batch. Outputs that are means over examples are added up
 * with the weights nᵢ/B. A metric that is one number for the whole batch is left out of the parts and evaluated at
 * the end on the predictions of all rows, which are kept until then (B × output size floats for each such output).
 */
export class StepOutputs {
  private sums: Tensor[] = [];
  private readonly predictions = new Map<number, Tensor[]>();

  /**
   * @param batchLevel indices into `metricsTensors`; their outputs follow the first `leading` outputs of the step.
   * @param leading number of outputs before the metrics: 1 in training; in validation, one for each model output.
   */
  constructor(
    private readonly core: Core,
    private readonly model: InnerModel,
    private readonly batchLevel: ReadonlySet<number>,
    private readonly leading: number,
  ) {}

  /** Runs a part of the batch with the batch-level metrics replaced by ones that only keep the predictions. */
  runPart<T>(run: () => T): T {
    const keptOutputs = new Set<number>();
    const replace = (output: number): LossOrMetric => {
      return (_truth, prediction) => {
        if (!keptOutputs.has(output)) {
          const kept = this.predictions.get(output) ?? [];
          this.predictions.set(output, kept);
          kept.push(this.core.keep(this.core.clone(prediction)));
          keptOutputs.add(output);
        }
        return this.core.scalar(0);
      };
    };
    return withMetrics(this.model, this.batchLevel, replace, run);
  }

  /** Adds one part's outputs, `weights[i]` times output i; takes them over (they are disposed or kept here). */
  add(outputs: readonly Tensor[], weights: (output: number) => number): void {
    const before = this.sums;
    this.sums = outputs.map((output, index) =>
      this.core.keep(
        this.core.tidy(() => {
          const weight = weights(index);
          const part = weight === 1 ? this.core.clone(output) : this.core.mul(output, weight);
          const sum = before[index];
          return sum === undefined ? part : this.core.add(sum, part);
        }),
      ),
    );
    this.core.dispose([...before, ...outputs]);
  }

  /** The outputs of the whole batch, kept; the caller owns them. Nothing is left here. */
  finish(data: StepData): Tensor[] {
    const outputs = this.sums;
    this.sums = [];
    for (const index of this.batchLevel) {
      const [metric, output] = this.model.metricsTensors[index] ?? [];
      const predictions = output === undefined ? undefined : this.predictions.get(output);
      if (metric === undefined || output === undefined || predictions === undefined) continue;
      const truth = data[this.model.inputs.length + output];
      if (truth === undefined || truth === null) continue;
      const position = this.leading + index;
      outputs[position]?.dispose();
      outputs[position] = this.core.keep(wholeBatchValue(this.core, metric, truth, predictions));
    }
    this.forget();
    return outputs;
  }

  /** Drops everything collected so far. */
  forget(): void {
    this.core.dispose(this.sums);
    this.sums = [];
    for (const kept of this.predictions.values()) this.core.dispose(kept);
    this.predictions.clear();
  }
}
