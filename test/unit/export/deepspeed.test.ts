// DeepSpeed's equation, for every plan; and what its export changes is said.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { deepspeedExport, equalSizes } from '../../../src/export/deepspeed';

const plans = fc
  .tuple(
    fc.integer({ min: 1, max: 5000 }),
    fc.integer({ min: 1, max: 5000 }),
    fc.integer({ min: 1, max: 64 }),
  )
  .filter(([batch, micro, world]) => micro <= batch && world <= batch)
  .map(([targetBatchSize, microbatchSize, worldSize]) => ({
    entry: 'train.js',
    targetBatchSize,
    microbatchSize,
    worldSize,
  }));

test('the batch is micro × steps × processes, and no microbatch is larger than planned', () => {
  fc.assert(
    fc.property(plans, (plan) => {
      const { batch, micro, steps } = equalSizes(plan);
      expect(batch).toBe(micro * steps * plan.worldSize);
      expect(micro).toBeGreaterThanOrEqual(1);
      expect(micro).toBeLessThanOrEqual(plan.microbatchSize);
    }),
  );
});

test('a batch that changes is told', () => {
  const plan = { entry: 'train.js', targetBatchSize: 63, microbatchSize: 10, worldSize: 4 };
  const { files, notes } = deepspeedExport(plan);
  expect(JSON.parse(files[0].text)).toEqual({
    train_batch_size: 64,
    train_micro_batch_size_per_gpu: 8,
    gradient_accumulation_steps: 2,
  });
  expect(notes[0]).toContain('64 examples per update instead of 63');
});
