// What a training warns of, each thing once: a model that was not planned, a plan that no longer fits, a loss of NaN.
import type { PlanWarning } from '../../protocol/warning';
import type { LayersModel, TrainingCall } from '../contracts';
import { describeModel } from '../fitHook/describeModel';

export class TrainerWarnings {
  readonly #told = new Set<string>();
  readonly #checked = new WeakMap<LayersModel, object>();

  constructor(
    /** Fingerprint of the model that was planned; null where it is not known. */
    private readonly planned: string | null,
    private readonly tell: (warning: PlanWarning) => void,
  ) {}

  warn(warning: PlanWarning): void {
    const key = JSON.stringify(warning);
    if (this.#told.has(key)) return;
    this.#told.add(key);
    this.tell(warning);
  }

  /** Compares a call's model with the plan's; once for each time that a model is compiled. */
  modelMet(call: TrainingCall, modelIndex: number): void {
    for (const warning of call.warnings) this.warn(warning);
    if (this.#checked.get(call.model) === call.model.optimizer) return;
    this.#checked.set(call.model, call.model.optimizer);
    if (this.planned === null || describeModel(call.model).fingerprint === this.planned) return;
    if (modelIndex === 0) {
      this.warn({
        code: 'planOutdated',
        message:
          `Model "${call.modelName}" is not as it was when the plan was made: the planned microbatch size is used, ` +
          'but it was measured on another model. Plan again to be sure that it fits.',
        layers: [],
      });
    } else {
      this.warn({
        code: 'notPlanned',
        message:
          `Model "${call.modelName}" was not planned: the plan is of the first model that the script trains. ` +
          'It is trained with the same microbatch size, which was not measured for it.',
        layers: [],
      });
    }
  }

  /** A loss that is not a number is no failure, but worth saying. */
  lossEnded(call: TrainingCall, loss: number): void {
    if (Number.isFinite(loss)) return;
    this.warn({
      code: 'note',
      message:
        `The loss of model "${call.modelName}" is ${loss}, not a finite number. The training goes on, as it would ` +
        'without Batch Planner; a lower learning rate or clean data may help.',
      layers: [],
    });
  }
}
