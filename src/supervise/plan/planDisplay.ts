// What planning shows to a person; the terminal implements it, so that the command itself knows no terminal.
import type { Plan } from '../../planning/plan';
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
  /** Takes down whatever is redrawn. Called once, however planning ended. */
  end(): void;
}
