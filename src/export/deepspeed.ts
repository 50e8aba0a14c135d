// The plan as a DeepSpeed config. DeepSpeed runs steps of one size in all processes, so a plan of others changes.
import { formatCount } from '../planning/units';
import type { Export, ExportedPlan } from './exportedPlan';

/** Sizes that satisfy DeepSpeed's equation: batch = micro × steps × processes. */
export interface EqualSizes {
  readonly batch: number;
  readonly micro: number;
  readonly steps: number;
}

/**
 * The same batch in equal microbatches of at most the plan's size, where the most steps that takes are twice the plan's;
 * else the nearest batch to it in the plan's steps.
 */
export function equalSizes({ targetBatchSize, microbatchSize, worldSize }: ExportedPlan): EqualSizes {
  const steps = Math.ceil(targetBatchSize / (worldSize * microbatchSize));
  if (targetBatchSize % worldSize === 0) {
    const share = targetBatchSize / worldSize;
    for (let count = steps; count <= Math.min(share, 2 * steps); count++) {
      if (share % count === 0) return { batch: targetBatchSize, micro: share / count, steps: count };
    }
  }
  const nearest = Math.round(targetBatchSize / (worldSize * steps));
  const micro = Math.min(microbatchSize, Math.max(1, nearest));
  return { batch: micro * steps * worldSize, micro, steps };
}

/** The JSON that `deepspeed --deepspeed_config` reads, and what it changes. */
export function deepspeedExport(plan: ExportedPlan): Export {
  const { batch, micro, steps } = equalSizes(plan);
  const config = {
    train_batch_size: batch,
    train_micro_batch_size_per_gpu: micro,
    gradient_accumulation_steps: steps,
  };
  const notes: string[] = [];
  if (batch !== plan.targetBatchSize) {
    notes.push(
      `DeepSpeed needs equal microbatches: ${formatCount(batch)} examples per update instead of ${formatCount(plan.targetBatchSize)}.`,
    );
  }
  notes.push(
    `DeepSpeed weighs each microbatch alike: drop the last partial batch (drop_last), and where tokens are what counts, divide the loss by their mean per microbatch over all processes yourself.`,
  );
  const text = `${JSON.stringify(config, null, 2)}\n`;
  return { files: [{ name: 'deepspeed.json', language: 'json', text }], notes };
}
