// Judges each model once: may it be trained in microbatches, what should be warned of, and does the self-check agree?
import type { PlanWarning } from '../../protocol/warning';
import type { FitObserver, HookSettings } from '../contracts';
import type { CallState } from './callState';
import { fingerprint } from './describeModel';
import type { Core, InnerModel, Layers, LossOrMetric, StepData, StepFunction } from './innerModel';
import { layerWarnings } from './layerWarnings';
import { reasonToPassThrough } from './passThrough';
import { checkEquality, selfCheckRows, type SelfCheck } from './selfCheck';

/** Judgements are kept for each signature: model, losses, metrics and optimizer; a grid search is judged once. */
export class Judgements {
  private readonly signatures = new WeakMap<object, string>();
  private readonly checks = new Map<string, SelfCheck>();
  private readonly warned = new Set<string>();
  private readonly functions = new WeakMap<LossOrMetric, number>();
  private functionCount = 0;

  constructor(
    private readonly core: Core,
    private readonly layers: Layers,
    private readonly settings: HookSettings,
    private readonly observer: FitObserver,
    private readonly plainTrain: (model: InnerModel) => StepFunction,
  ) {}

  /** What can be said without computing: fills `passThrough` and `warnings` of the call. */
  judge(call: CallState, hasClassWeights: boolean): void {
    const reason = reasonToPassThrough(this.core, this.layers, call.inner, hasClassWeights);
    if (reason !== null) this.passThrough(call, reason);
    else for (const warning of layerWarnings(this.core, call.inner)) this.warn(call, warning);
    const known = this.checks.get(this.signature(call.inner));
    if (reason === null && known !== undefined) this.heed(call, known);
  }

  /** True when the self-check is still to be run for this call's model. */
  wantsCheck(call: CallState): boolean {
    return (
      this.settings.selfCheck && call.passThrough === null && !this.checks.has(this.signature(call.inner))
    );
  }

  /** Most rows to hand to `check`. */
  get checkRows(): number {
    return Math.min(selfCheckRows, this.settings.selfCheckRows ?? selfCheckRows);
  }

  /** Runs the self-check on a few rows, tells its figure, and turns the call into a pass-through where it failed. */
  async check(call: CallState, data: StepData): Promise<void> {
    const rows = data[0]?.shape[0] ?? 0;
    // One row cannot be cut: every update of such data is a single microbatch.
    if (rows < 2) return;
    const result = await checkEquality(this.core, call.inner, this.plainTrain(call.inner), data);
    if (result.kind === 'measured' || !result.ofData) this.checks.set(this.signature(call.inner), result);
    if (result.kind === 'measured') this.observer.selfChecked?.(call, withoutKind(result));
    this.heed(call, result);
  }

  /** Adds a warning to the call, and tells it once for each model. */
  warn(call: CallState, warning: PlanWarning): void {
    call.warnings.push(warning);
    const key = `${this.signature(call.inner)} ${warning.code} ${warning.message}`;
    if (this.warned.has(key)) return;
    this.warned.add(key);
    this.observer.warned?.(warning);
  }

  private heed(call: CallState, check: SelfCheck): void {
    if (check.kind === 'inconclusive') {
      this.warn(call, {
        code: 'note',
        message: `The self-check could not judge whether the model's loss is a mean over examples: ${check.reason}.`,
        layers: [],
      });
    } else if (!check.passed) {
      this.passThrough(
        call,
        'The loss is not a mean over examples: the gradient of ' +
          `${check.rows} rows differs from that of its parts by ${percent(check.relativeDifference)}.`,
      );
    }
  }

  private passThrough(call: CallState, reason: string): void {
    call.passThrough = reason;
    call.warnings.length = 0;
    this.warn(call, {
      code: 'passThrough',
      message: `${reason} It trains with the script's own batches, without accumulation.`,
      layers: [],
    });
  }

  private signature(model: InnerModel): string {
    // compile() makes a new array of losses, so this holds as long as what it stands for.
    const known = this.signatures.get(model.lossFunctions);
    if (known !== undefined) return known;
    const signature = [fingerprint(model), ...model.lossFunctions.map((loss) => this.identity(loss))].join(
      ' ',
    );
    this.signatures.set(model.lossFunctions, signature);
    return signature;
  }

  /** Two losses of the same text may close over different values. */
  private identity(loss: LossOrMetric): number {
    const known = this.functions.get(loss);
    if (known !== undefined) return known;
    this.functionCount += 1;
    this.functions.set(loss, this.functionCount);
    return this.functionCount;
  }
}

function withoutKind({ rows, relativeDifference, passed }: Extract<SelfCheck, { kind: 'measured' }>) {
  return { rows, relativeDifference, passed };
}

/** A share in percent with two significant digits. */
function percent(share: number): string {
  return Number.isFinite(share) ? `${Number((share * 100).toPrecision(2))} %` : 'more than all of it';
}
