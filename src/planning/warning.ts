// What a plan or a run warns of: where accumulation is not exactly the full batch, and why.
import * as z from 'zod';

export const warningCodes = [
  /** A layer normalises with the statistics of each microbatch. */
  'batchStatistics',
  /** A random layer: equal in distribution only. */
  'randomLayer',
  /** A seeded dropout draws the same mask for every microbatch of equal shape. */
  'seededDropout',
  /** A layer draws one random size for each call. */
  'randomSize',
  /** Microbatching would be wrong for this model: it trains with the script's own batches. */
  'passThrough',
  /** The backend's own gradient is wrong for more than one row (tfjs cpu, nearest upsampling). */
  'backendGradient',
  /** The largest input is unknown: what was measured is the first batch. */
  'sampleMayNotBeWorstCase',
  /** The optimizer's update, not the gradients, is what peaks. */
  'optimizerPeak',
  /** A better backend was there in name but did not run. */
  'backendFellBack',
  /** A second model in the script was not planned. */
  'notPlanned',
  /** What is in the config no longer fits the script's model, or the device. */
  'planOutdated',
  /** The script trains with a loop of its own, which the hook does not reach. */
  'ownLoop',
  /** Anything else worth saying. */
  'note',
] as const;
export type WarningCode = (typeof warningCodes)[number];

export const planWarning = z.strictObject({
  code: z.enum(warningCodes),
  /** One or two plain sentences: what, and what follows. */
  message: z.string(),
  /** Names of the layers it is about. */
  layers: z.array(z.string()),
});
export type PlanWarning = z.infer<typeof planWarning>;

/** Each warning once, in their order. */
export function uniqueWarnings(warnings: readonly PlanWarning[]): PlanWarning[] {
  return [...new Map(warnings.map((warning) => [JSON.stringify(warning), warning])).values()];
}
