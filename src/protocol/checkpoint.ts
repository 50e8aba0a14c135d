// What a checkpoint says of itself (state.json): where the training stood, and which files hold the models' tensors.
import * as z from 'zod';

/** State of the seeded generator behind Math.random: four unsigned 32-bit words. */
export const randomState = z.tuple([z.uint32(), z.uint32(), z.uint32(), z.uint32()]);
export type RandomState = z.infer<typeof randomState>;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** The update with which a training goes on. */
export const trainingPosition = z.strictObject({
  /** Call of fit & co.; the first in the process is 0. */
  call: z.int().nonnegative(),
  epoch: z.int().nonnegative(),
  /** Updates done in this call. */
  update: z.int().nonnegative(),
  /** Updates done in this epoch. */
  updateOfEpoch: z.int().nonnegative(),
  /** The call has ended: the training goes on with what the script does after it. */
  callEnded: z.boolean(),
});
export type TrainingPosition = z.infer<typeof trainingPosition>;

export const checkpointModel = z.strictObject({
  /** Which of the script's models: 0 is the first that trained. */
  index: z.int().nonnegative(),
  name: z.string(),
  /** File beside state.json, in the safetensors layout. */
  file: z.string().regex(/^model-\d+\.safetensors$/),
  bytes: z.int().nonnegative(),
  sha256,
});
export type CheckpointModel = z.infer<typeof checkpointModel>;

export const checkpointState = z.strictObject({
  version: z.literal(2),
  time: z.iso.datetime(),
  position: trainingPosition,
  seed: z.uint32(),
  /** Generator behind the script's Math.random. */
  random: randomState,
  /** The figure by which the best is told: val_loss where there is one, else loss; null in mid-epoch. */
  monitored: z.strictObject({ model: z.int().nonnegative(), name: z.string(), value: z.number() }).nullable(),
  models: z.array(checkpointModel),
});
export type CheckpointState = z.infer<typeof checkpointState>;

/** state.json: the state and the SHA-256 of its JSON text, so that a damaged one is recognised. */
export const checkpointEnvelope = z.strictObject({ sha256, state: z.unknown() });
