// What planning shows to a person; the terminal implements it, so that the command itself knows no terminal.
import type { Plan } from '../planning/plan';
import type { ProfileProgress } from './profiler';

export interface PlanDisplay {
  /** Before anything runs: the entry as it was given. */
  started(entry: string): void;
  progress(progress: ProfileProgress): void;
  /** The plan, and the config that it was written to. */
  finished(plan: Plan, config: { readonly path: string; readonly isUpdate: boolean }): void;
  /** Takes down whatever is redrawn. Called once, however planning ended. */
  end(): void;
}
