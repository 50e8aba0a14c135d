// What stands in tasks.json for a training.
import * as z from 'zod';
import { taskType } from './names';

export const taskDefinition = z.object({
  type: z.literal(taskType),
  /** The accumulation config: absolute, or relative to the workspace folder. */
  config: z.string().min(1),
  /** Go on with the latest run of it, or with the one in `runFolder`. */
  resume: z.boolean().optional(),
  /** The run folder; left out: a new one, or with `resume` the latest. */
  runFolder: z.string().optional(),
});
export type TrainingTaskDefinition = z.infer<typeof taskDefinition>;
