// Which TensorFlow.js backend runs, and why: shared by the engine, the supervisor and what a person is shown.
import * as z from 'zod';
import { backendNames, type BackendName } from '../planning/backendName';

export { backendNames, type BackendName };

/** The backend that runs, as the engine reports it. */
export const backendReport = z.strictObject({
  name: z.enum(backendNames),
  /** Version of the package the backend comes from. */
  version: z.string(),
  /** One sentence: why this one was taken. */
  reason: z.string(),
  /** True where the arithmetic runs on a GPU (not on a software adapter). */
  usesGpu: z.boolean(),
  /** The device's own name, where the backend tells one. */
  deviceName: z.string().nullable(),
  /** Better backends that were passed over, each with the reason and, where there is one, the remedy. */
  passedOver: z.array(z.strictObject({ name: z.enum(backendNames), reason: z.string() })),
});
export type BackendReport = z.infer<typeof backendReport>;
