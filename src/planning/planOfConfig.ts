// The plan that a config was written from: what the editor shows of it without measuring again.
import type { AccumulationConfig } from './configSchema';
import { splitBatch } from './microbatches';
import type { Plan } from './plan';

/**
 * The plan as it was made, whatever a person has changed in the config since; only the entry is named as the config
 * names it. Null where the config holds no plan, or one of an earlier version that did not keep all of it.
 */
export function planOfConfig({ entry, measured }: AccumulationConfig): Plan | null {
  const planned = measured?.planned;
  if (measured === undefined || planned === undefined) return null;
  const {
    targetBatchSize,
    microbatchSize,
    examples,
    backendReason,
    modelName,
    parameters,
    optimizer,
    parts,
  } = planned;
  const microbatchSizes = splitBatch(targetBatchSize, microbatchSize);
  return {
    version: 1,
    entry,
    backend: { ...measured.backend, reason: backendReason },
    device: measured.device,
    targetBatchSize,
    examples,
    objective: measured.objective,
    largestMicrobatch: measured.largestMicrobatch,
    microbatchSize,
    proof: measured.proof,
    microbatchSizes,
    accumulationSteps: microbatchSizes.length,
    budgetBytes: measured.budgetBytes,
    memory: measured.memory,
    parts,
    trials: measured.trials,
    model: {
      name: modelName,
      parameters,
      fingerprint: measured.fingerprint,
      ...(optimizer === undefined ? {} : { optimizer }),
    },
    exactness: measured.exactness,
    warnings: measured.warnings,
  };
}
