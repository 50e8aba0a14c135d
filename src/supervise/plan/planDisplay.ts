// What planning shows, to a person or to another program, so that the command itself knows neither.
import type { Plan } from '../../planning/plan';
import type { PlanFailure } from '../../protocol/planStream';
import type { ProfileProgress } from '../profile/profiler';

/** The config that a plan was written to. */
export interface WrittenConfig {
  readonly path: string;
  readonly isUpdate: boolean;
  /** True for a model.json whose data a person has to name before it can be trained. */
  readonly needsData: boolean;
}

export interface PlanDisplay {
  /** Before anything runs: the entry as it was given. */
  started(entry: string): void;
  progress(progress: ProfileProgress): void;
  finished(plan: Plan, config: WrittenConfig): void;
  /** There is no plan. The command tells the message on stderr, too. */
  failed(failure: PlanFailure): void;
  /** Takes down whatever is redrawn. Called once, however planning ended. */
  end(): void;
}
