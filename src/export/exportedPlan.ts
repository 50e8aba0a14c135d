// What a plan says to other frameworks: the sizes, the optimizer and the number of processes. No program is in it.
import type { AccumulationConfig } from '../planning/configSchema';
import type { ModelOptimizer } from '../planning/modelOptimizer';

/** A plan as it is taken elsewhere. */
export interface ExportedPlan {
  /** The script or model.json that was planned, as its config names it: for a comment. */
  readonly entry: string;
  /** Examples per optimizer update, over all processes together. */
  readonly targetBatchSize: number;
  /** Most examples at once in one process; sizes follow from `splitBatch`. */
  readonly microbatchSize: number;
  /** Processes that share each update; 1 for a program of one process. */
  readonly worldSize: number;
  /** Where it is known to be one of TensorFlow.js's own; else the program takes Adam. */
  readonly optimizer?: ModelOptimizer;
}

/** The plan of a config as it says now: the optimizer that it trains with, else the one that was planned. */
export function exportedPlanOf(config: AccumulationConfig, worldSize = 1): ExportedPlan {
  const { entry, targetBatchSize, microbatchSize, training, measured } = config;
  const trained = training.kind === 'model' ? training.optimizer : undefined;
  const optimizer = trained ?? measured?.planned?.optimizer ?? undefined;
  return { entry, targetBatchSize, microbatchSize, worldSize, ...(optimizer && { optimizer }) };
}

/**
 * How a batch is cut and what a microbatch weighs.
 * - `equal`: all of one size, but for the last partial batch; weight by examples.
 * - `unequal`: sizes differ by at most one, as `splitBatch` cuts; weight by examples.
 * - `counted`: what counts (tokens, unmasked samples) differs per step; weight by that count, not by steps.
 */
export const exportForms = ['equal', 'unequal', 'counted'] as const;
export type ExportForm = (typeof exportForms)[number];

/** What a plan can be taken to. */
export const exportTargets = [
  'tfjs',
  'tfjs-accumulate',
  'tensorflow',
  'keras',
  'pytorch',
  'ddp',
  'multiworker',
  'accelerate',
  'deepspeed',
] as const;
export type ExportTarget = (typeof exportTargets)[number];

/** Targets of more than one process: they need a world size. */
export const distributedTargets: readonly ExportTarget[] = ['ddp', 'multiworker', 'accelerate', 'deepspeed'];

/** One file of an export. */
export interface ExportedFile {
  /** Name to write it under where none is chosen, such as `train_pytorch.py`. */
  readonly name: string;
  /** As editors name the language. */
  readonly language: 'javascript' | 'python' | 'yaml' | 'json';
  readonly text: string;
}

/** What an export gives. */
export interface Export {
  /** The first is what the target starts from; further ones lie beside it. */
  readonly files: readonly [ExportedFile, ...ExportedFile[]];
  /** What a person must know, one sentence each: what changes, each process's share. */
  readonly notes: readonly string[];
}
