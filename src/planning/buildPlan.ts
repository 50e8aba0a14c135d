// Makes the plan of what was inspected, measured and found.
import type { SearchResult } from './batchSearch';
import type { BackendName } from './backendName';
import { chooseSize } from './chooseSize';
import { type MemoryModel, fitMemoryModel, predictPeak } from './memoryModel';
import { splitBatch } from './microbatches';
import type { MemoryParts } from './describe';
import type { ModelOptimizer } from './modelOptimizer';
import type { Objective, Plan, PlanDevice, PlanExactness, PlanParts, PlanTrial } from './plan';
import type { Trial } from './trial';
import { formatBytes, formatCount } from './units';
import { type PlanWarning, uniqueWarnings } from './warning';

export interface PlanInput {
  /** Path of the script or model.json, as it was given. */
  readonly entry: string;
  /** What the engine inspected: the fields of `Inspection` that a plan needs. */
  readonly inspection: {
    readonly modelName: string;
    readonly parameters: number;
    readonly fingerprint: string;
    readonly stockOptimizer: ModelOptimizer | null;
    readonly targetBatchSize: number;
    readonly examples: number | null;
    readonly passThrough: string | null;
    readonly warnings: readonly PlanWarning[];
  };
  readonly backend: { readonly name: BackendName; readonly version: string; readonly reason: string };
  readonly device: PlanDevice | null;
  readonly search: SearchResult;
  readonly objective: Objective;
  readonly budgetBytes: number | undefined;
  readonly exactness: PlanExactness | null;
  /** Where the bytes of an update are; null where no trial told. */
  readonly parts: MemoryParts | null;
  /** More than the inspection's: those that came up while measuring. */
  readonly warnings: readonly PlanWarning[];
}

/** Builds the plan; bytes are rounded to whole ones, and what can be told from the figures is warned of. */
export function buildPlan(input: PlanInput): Plan {
  const { inspection, search, budgetBytes, objective } = input;
  const { targetBatchSize, examples } = inspection;
  const wholeBatch = examples === null ? targetBatchSize : Math.min(targetBatchSize, examples);
  const model = fitMemoryModel(search.trials, wholeBatch);
  const chosen = chooseSize(search.trials, search.largest, budgetBytes, objective);
  const microbatchSizes = splitBatch(targetBatchSize, chosen);
  const microbatchSize = microbatchSizes[0] ?? chosen;
  const warnings = [
    ...inspection.warnings,
    ...input.warnings,
    ...passThroughWarning(input),
    ...optimizerPeakWarning(search, model, microbatchSize),
    ...fewExamplesNote(targetBatchSize, examples),
    ...crookedMemoryNote(model),
  ];
  return {
    version: 1,
    entry: input.entry,
    backend: { name: input.backend.name, version: input.backend.version, reason: input.backend.reason },
    device: input.device,
    targetBatchSize,
    examples,
    objective,
    largestMicrobatch: search.largest,
    microbatchSize,
    proof: search.proof,
    microbatchSizes,
    accumulationSteps: microbatchSizes.length,
    budgetBytes: budgetBytes === undefined ? null : Math.floor(budgetBytes),
    memory:
      model === null
        ? null
        : {
            fixedBytes: Math.round(model.fixedBytes),
            bytesPerExample: Math.round(model.bytesPerExample),
            optimizerPeakBytes: Math.round(model.optimizerPeakBytes),
          },
    parts: input.parts === null ? null : wholeParts(input.parts),
    trials: search.trials.map(planTrialOf),
    model: {
      name: inspection.modelName,
      parameters: inspection.parameters,
      fingerprint: inspection.fingerprint,
      optimizer: inspection.stockOptimizer,
    },
    exactness: input.exactness,
    warnings: uniqueWarnings(warnings),
  };
}

/** A trial as plans and messages tell it: in whole bytes. */
export function planTrialOf(trial: Trial): PlanTrial {
  return {
    microbatch: trial.microbatch,
    outcome: trial.outcome,
    peakBytes: whole(trial.peakBytes),
    gradientPeakBytes: whole(trial.gradientPeakBytes),
    stepMs: trial.stepMs ?? null,
    applyMs: trial.applyMs ?? null,
  };
}

function wholeParts(parts: MemoryParts): PlanParts {
  return {
    weightsBytes: Math.round(parts.weightsBytes),
    optimizerBytes: Math.round(parts.optimizerBytes),
    accumulatorBytes: Math.round(parts.accumulatorBytes),
    dataBytes: Math.round(parts.dataBytes),
    overheadBytes: Math.round(parts.overheadBytes),
  };
}

function whole(bytes: number | undefined): number | null {
  return bytes === undefined ? null : Math.round(bytes);
}

function passThroughWarning({ inspection, warnings }: PlanInput): PlanWarning[] {
  const told = [...inspection.warnings, ...warnings].some(({ code }) => code === 'passThrough');
  if (inspection.passThrough === null || told) return [];
  return [{ code: 'passThrough', message: inspection.passThrough, layers: [] }];
}

function optimizerPeakWarning(
  { trials }: SearchResult,
  model: MemoryModel | null,
  microbatchSize: number,
): PlanWarning[] {
  if (model === null) return [];
  // The whole batch at once lies off the line: what was measured of a size tells more than the line does.
  const measured = trials.find(({ microbatch }) => microbatch === microbatchSize)?.gradientPeakBytes;
  const gradients = measured ?? predictPeak({ ...model, optimizerPeakBytes: 0 }, microbatchSize);
  if (model.optimizerPeakBytes <= gradients) return [];
  const message =
    `The optimizer's update needs ${formatBytes(model.optimizerPeakBytes)}, more than the gradients of ` +
    `${formatCount(microbatchSize)} ${microbatchSize === 1 ? 'example' : 'examples'} at once ` +
    `(${formatBytes(gradients)}): a smaller microbatch would not need less memory.`;
  return [{ code: 'optimizerPeak', message, layers: [] }];
}

function fewExamplesNote(targetBatchSize: number, examples: number | null): PlanWarning[] {
  if (examples === null || examples >= targetBatchSize) return [];
  const message =
    `There are ${formatCount(examples)} training examples, fewer than the target batch of ` +
    `${formatCount(targetBatchSize)}: each update uses all ${formatCount(examples)}.`;
  return [{ code: 'note', message, layers: [] }];
}

/** Beyond this part of a measured peak, the line is no good for other sizes. */
const crooked = 0.02;

function crookedMemoryNote(model: MemoryModel | null): PlanWarning[] {
  if (model === null || model.fitted.length < 3) return [];
  const atSmallest = predictPeak({ ...model, optimizerPeakBytes: 0 }, model.fitted[0] ?? 1);
  if (model.residualBytes <= crooked * atSmallest) return [];
  const message =
    `Memory did not grow in a straight line with the microbatch (off by up to ${formatBytes(model.residualBytes)}): ` +
    'the size found is measured, but estimates for other sizes are rough.';
  return [{ code: 'note', message, layers: [] }];
}
