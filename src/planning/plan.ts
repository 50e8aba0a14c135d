// The plan: the answer as one document, which `plan --json` prints and the editor's panel shows.
import * as z from 'zod';
import { backendNames } from './backendName';
import { modelOptimizer } from './modelOptimizer';
import { largestTargetBatch } from './userInput';
import { planWarning } from './warning';

const bytes = z.int().nonnegative();
const size = z.int().min(1).max(largestTargetBatch);

/** What is preferred among the sizes that fit. */
export const objectives = ['largest', 'fastest'] as const;
export type Objective = (typeof objectives)[number];

/** The device that was planned on, or null where the backend uses the processor and its memory. */
export const planDevice = z.strictObject({
  name: z.string(),
  /** PCI bus id; null where it is unknown. */
  busId: z.string().nullable(),
  memoryTotalBytes: bytes.nullable(),
  /** Free when the plan was made. */
  memoryFreeBytes: bytes.nullable(),
});
export type PlanDevice = z.infer<typeof planDevice>;

/** One measured size, in whole bytes and milliseconds; null is unknown. */
export const planTrial = z.strictObject({
  microbatch: size,
  outcome: z.enum(['fits', 'outOfMemory']),
  peakBytes: bytes.nullable(),
  gradientPeakBytes: bytes.nullable(),
  /** One microbatch, forward and backward. */
  stepMs: z.number().nonnegative().nullable(),
  /** The optimizer's update; absent in configs of earlier versions. */
  applyMs: z.number().nonnegative().nullable().optional(),
});
export type PlanTrial = z.infer<typeof planTrial>;

/** peak(b) = max(fixedBytes + bytesPerExample · b, optimizerPeakBytes). */
export const planMemory = z.strictObject({
  /** May be below zero where memory does not grow in a straight line. */
  fixedBytes: z.int(),
  bytesPerExample: z.number().nonnegative(),
  optimizerPeakBytes: bytes,
});
export type PlanMemory = z.infer<typeof planMemory>;

/** Where the bytes are at the start of an update, besides activations. */
export const planParts = z.strictObject({
  weightsBytes: bytes,
  optimizerBytes: bytes,
  accumulatorBytes: bytes,
  /** Data that stays on the device: data set, gathered batch, whatever the script keeps. */
  dataBytes: bytes,
  /** What the process or device uses beyond tensors: code, allocator, workspaces. */
  overheadBytes: bytes,
});
export type PlanParts = z.infer<typeof planParts>;

/** Largest difference of a gradient from the full batch's, relative to the largest gradient, on a few rows. */
export const planExactness = z.strictObject({
  rows: z.int().positive(),
  relativeDifference: z.number().nonnegative(),
});
export type PlanExactness = z.infer<typeof planExactness>;

export const plan = z.strictObject({
  version: z.literal(1),
  /** Path of the script or model.json, as it was given. */
  entry: z.string(),
  backend: z.strictObject({ name: z.enum(backendNames), version: z.string(), reason: z.string() }),
  device: planDevice.nullable(),
  targetBatchSize: size,
  /** Rows of training data; null where unknown. */
  examples: z.int().nonnegative().nullable(),
  objective: z.enum(objectives),
  /** The largest size that fits; it was run. */
  largestMicrobatch: size,
  /** The largest part of the target batch: the most examples that go through the model at once. */
  microbatchSize: size,
  proof: z.enum(['cap', 'outOfMemory', 'budget']),
  /** They sum to the target batch. */
  microbatchSizes: z.array(size).min(1),
  accumulationSteps: z.int().positive(),
  /** Memory that the plan may use; null: not known, found out by running out of it. */
  budgetBytes: bytes.nullable(),
  /** Null where nothing told how much memory was in use, or only one size was run. */
  memory: planMemory.nullable(),
  /** Null where no trial told; absent in documents of earlier versions. */
  parts: planParts.nullable().optional(),
  /** In the order in which they were run. */
  trials: z.array(planTrial).min(1),
  model: z.strictObject({
    name: z.string(),
    /** Number of weights, in elements. */
    parameters: z.int().nonnegative(),
    fingerprint: z.string(),
    /** Null for an optimizer of the script's own; absent in documents of earlier versions. */
    optimizer: modelOptimizer.nullable().optional(),
  }),
  /** The self-check's figure; null where none was made. */
  exactness: planExactness.nullable(),
  warnings: z.array(planWarning),
});
export type Plan = z.infer<typeof plan>;
