// What an engine child reports while it measures: one JSON object a line in the job's report file.
import * as z from 'zod';
import { backendReport } from './backend';
import { modelOptimizer } from '../planning/modelOptimizer';
import { planWarning } from './warning';

const bytes = z.number().nonnegative();

/** The training call that was met, before any of it ran. */
export const inspection = z.strictObject({
  method: z.enum(['fit', 'fitDataset', 'trainOnBatch']),
  /** Name of the model as the user knows it. */
  modelName: z.string(),
  /** Number of trainable and other weights, in elements. */
  parameters: z.int().nonnegative(),
  trainableParameters: z.int().nonnegative(),
  /** Digest of layer classes, shapes, dtypes, losses, metrics and optimizer: a plan holds for an equal one. */
  fingerprint: z.string(),
  optimizer: z.string(),
  /** With its parameters, where it is one of TensorFlow.js's own. */
  stockOptimizer: modelOptimizer.nullable(),
  layers: z.int().nonnegative(),
  inputShapes: z.array(z.array(z.int().nullable())),
  /** Batch size the script asks for; null where the call does not say. */
  scriptBatchSize: z.int().positive().nullable(),
  /** Examples per update with this job's target. */
  targetBatchSize: z.int().positive(),
  /** Rows of training data, after a validation split; null where unknown (a dataset). */
  examples: z.int().nonnegative().nullable(),
  epochs: z.int().positive().nullable(),
  hasValidation: z.boolean(),
  /** Set where microbatching would be wrong and the script's own batches are used: the reason. */
  passThrough: z.string().nullable(),
  warnings: z.array(planWarning),
});
export type Inspection = z.infer<typeof inspection>;

/** One size measured. Tensor-level figures count each buffer once ("unique bytes"). */
export const trialMeasurement = z.strictObject({
  microbatch: z.int().positive(),
  /** Most unique bytes in forward and backward (grows with the microbatch). */
  gradientPeakBytes: bytes,
  /**
   * Most unique bytes while gradients were added up and the optimizer applied the update: next to constant in the
   * microbatch, whose rows alone are still there.
   */
  optimizerPeakBytes: bytes,
  /** Most unique bytes while validating; 0 where there is none. */
  validationPeakBytes: bytes,
  /** Most memory the process or device really used above what it used before the model was there; null where it cannot be told. */
  devicePeakBytes: bytes.nullable(),
  /** Wall time of one microbatch (second one, warm) in ms. */
  microbatchMs: z.number().nonnegative(),
  /** Wall time of the optimizer's update in ms. */
  applyMs: z.number().nonnegative(),
  /** Where the bytes are, at the start of the update. */
  breakdown: z.strictObject({
    weightsBytes: bytes,
    optimizerBytes: bytes,
    accumulatorBytes: bytes,
    /** Data that stays on the device: data set, gathered batch, whatever the script keeps. */
    dataBytes: bytes,
  }),
});
export type TrialMeasurement = z.infer<typeof trialMeasurement>;

/** An error of the script, the model or the backend, as a person needs it. */
export const failureReport = z.strictObject({
  message: z.string(),
  /** The user's own file and line where the stack names one. */
  file: z.string().nullable(),
  line: z.int().positive().nullable(),
  stack: z.string(),
});
export type FailureReport = z.infer<typeof failureReport>;

export const engineReport = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('backend'),
    backend: backendReport,
    tfjsVersion: z.string(),
    nodeVersion: z.string(),
  }),
  /** The process that has the backend, and what it held before the script's model was there. */
  z.strictObject({
    type: z.literal('process'),
    pid: z.int().positive(),
    residentBytes: bytes,
    /** Most bytes that this backend lets tensors take (WASM); null where only the device limits them. */
    tensorLimitBytes: bytes.nullable(),
  }),
  z.strictObject({ type: z.literal('noBackend'), message: z.string() }),
  z.strictObject({ type: z.literal('inspected'), inspection }),
  /** Largest difference of a gradient from the full batch's, relative to the largest gradient, on `rows` rows. */
  z.strictObject({
    type: z.literal('selfCheck'),
    rows: z.int(),
    relativeDifference: z.number(),
    passed: z.boolean(),
  }),
  /** Memory ran out in the self-check, before any trial: this child has no answer, one without the check may. */
  z.strictObject({ type: z.literal('selfCheckOutOfMemory'), message: z.string() }),
  z.strictObject({ type: z.literal('trialStarted'), microbatch: z.int().positive() }),
  /** After the last trial that was asked for nothing more is waited for: whatever else a trial tells comes before. */
  z.strictObject({ type: z.literal('trialFits'), measurement: trialMeasurement }),
  /**
   * From the second trial of one process on: what the gradient phase of a large microbatch will follow, in unique bytes. The
   * fixed part may be below 0: at small sizes another moment of the step is the peak.
   */
  z.strictObject({ type: z.literal('gradientLine'), fixedBytes: z.number(), bytesPerExample: z.number() }),
  z.strictObject({
    type: z.literal('trialOutOfMemory'),
    microbatch: z.int().positive(),
    message: z.string(),
    /** Most unique bytes in tensors when memory ended: the size needs more than these. */
    peakBytes: bytes.optional(),
  }),
  /** This backend cannot run this script (a kernel or a synchronous read is missing): try the next. */
  z.strictObject({ type: z.literal('backendUnfit'), reason: z.string() }),
  z.strictObject({ type: z.literal('warning'), warning: planWarning }),
  z.strictObject({ type: z.literal('failed'), failure: failureReport }),
  /** The script ended (or exited with `code`) without ever training through a LayersModel. */
  z.strictObject({
    type: z.literal('neverTrained'),
    code: z.int(),
    ownLoop: z.boolean(),
    tensorflowLoaded: z.boolean(),
  }),
]);
export type EngineReport = z.infer<typeof engineReport>;
