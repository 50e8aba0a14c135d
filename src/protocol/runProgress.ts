// progress.json of a run folder: how far the update in the making is; overwritten in place, several times a second.
import * as z from 'zod';

export const runProgress = z.strictObject({
  call: z.int().nonnegative(),
  epoch: z.int().nonnegative(),
  /** 0-based, over the whole call. */
  update: z.int().nonnegative(),
  /** Microbatches done of this update, and how many it has. */
  microbatch: z.int().nonnegative(),
  of: z.int().positive(),
});
export type RunProgress = z.infer<typeof runProgress>;
