// One measured run at one microbatch size: what the search asks for and what the plan keeps.

/** `fits`: an update was made. `outOfMemory`: memory ended. A failure of any other kind is thrown, never a trial. */
export type TrialOutcome = 'fits' | 'outOfMemory';

/** One measured run. All bytes of one search are in the same (calibrated) units, the units of the budget. */
export interface Trial {
  /** Examples that went through the model at once. */
  readonly microbatch: number;
  readonly outcome: TrialOutcome;
  /**
   * Most memory in use during the whole update, the greater of its two phases. Of an `outOfMemory` trial: how much
   * was in use when memory ended, where that is known; it is taken for a lower bound of what the size needs.
   */
  readonly peakBytes?: number;
  /** Most memory in use while gradients were computed: the phase that grows with the microbatch. */
  readonly gradientPeakBytes?: number;
  /** Wall time of one microbatch, forward and backward, warm, in ms; the optimizer's update is not in it. */
  readonly stepMs?: number;
  /** Wall time of the optimizer's update in ms, which does not depend on the microbatch. */
  readonly applyMs?: number;
  /**
   * The part of `gradientPeakBytes` that holds accumulated gradients. A microbatch as large as the whole batch is a
   * plain step without them, so it may fit where a slightly smaller one does not. Unknown: half of what does not
   * grow with the microbatch is taken, the most that it can be beside the weights.
   */
  readonly accumulatorBytes?: number;
}

/** Whether a trial counts as fitting: it ran, and it peaked within the budget (undefined: no budget is known). */
export function fitsWithin(trial: Trial, budgetBytes: number | undefined): boolean {
  if (trial.outcome !== 'fits') return false;
  return budgetBytes === undefined || trial.peakBytes === undefined || trial.peakBytes <= budgetBytes;
}
