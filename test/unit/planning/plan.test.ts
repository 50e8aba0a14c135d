// The plan and its parts: the cut of a batch, the memory model, the choice of a size, the document, the what-if.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type PlanInput, buildPlan } from '../../../src/planning/buildPlan';
import { chooseSize } from '../../../src/planning/chooseSize';
import { fitMemoryModel, largestWithin, predictPeak } from '../../../src/planning/memoryModel';
import { accumulationSteps, splitBatch } from '../../../src/planning/microbatches';
import { plan as planSchema } from '../../../src/planning/plan';
import type { Trial } from '../../../src/planning/trial';
import { wasmBudgetBytes } from '../../../src/engine/wasm/memoryGuard';
import { largestBudget, largestTarget, whatIf } from '../../../src/planning/whatIf';

const fits = (microbatch: number, gradientPeakBytes: number, more: Partial<Trial> = {}): Trial => ({
  microbatch,
  outcome: 'fits',
  peakBytes: gradientPeakBytes,
  gradientPeakBytes,
  ...more,
});

describe('splitBatch', () => {
  it('cuts as the design says', () => {
    expect(splitBatch(64, 30)).toEqual([22, 21, 21]);
    expect(splitBatch(2048, 22)).toEqual([...Array(74).fill(22), ...Array(20).fill(21)]);
    expect(splitBatch(5, 2)).toEqual([2, 2, 1]);
    expect(splitBatch(8, 64)).toEqual([8]);
    expect(splitBatch(0, 3)).toEqual([]);
  });

  it('for any total and size: parts sum up, differ by at most one, largest first, and no cut has fewer', () => {
    const property = fc.property(
      fc.integer({ min: 1, max: 5000 }),
      fc.integer({ min: 1, max: 6000 }),
      (total, size) => {
        const parts = splitBatch(total, size);
        expect(parts.reduce((sum, part) => sum + part, 0)).toBe(total);
        expect(Math.max(...parts)).toBeLessThanOrEqual(size);
        expect(Math.max(...parts) - Math.min(...parts)).toBeLessThanOrEqual(1);
        expect([...parts].sort((a, b) => b - a)).toEqual(parts);
        expect((parts.length - 1) * size).toBeLessThan(total);
        expect(accumulationSteps(total, size)).toBe(parts.length);
        // The largest part, kept in a config, gives the same cut again.
        expect(splitBatch(total, parts[0] ?? 0)).toEqual(parts);
      },
    );
    fc.assert(property);
  });

  it.each([
    [-1, 2],
    [1.5, 2],
    [NaN, 2],
    [4, 0],
    [4, 1.5],
    [4, -1],
  ])('refuses %s by %s', (total, size) => {
    expect(() => splitBatch(total, size)).toThrow(RangeError);
  });
});

describe('the memory model', () => {
  it('is the line that the points lie on, whatever the optimizer phase hides', () => {
    const property = fc.property(
      fc.integer({ min: 0, max: 1e10 }),
      fc.integer({ min: 1, max: 1e8 }),
      fc.uniqueArray(fc.integer({ min: 1, max: 8192 }), { minLength: 2, maxLength: 8 }),
      fc.integer({ min: 0, max: 2e10 }),
      (fixed, each, sizes, optimizer) => {
        const trials = sizes.map((size) =>
          fits(size, fixed + each * size, { peakBytes: Math.max(optimizer, fixed + each * size) }),
        );
        const model = fitMemoryModel(trials);
        for (const size of [...sizes, 8192]) {
          const real = Math.max(fixed + each * size, optimizer);
          const hidden =
            optimizer > real || trials.every((trial) => trial.peakBytes === trial.gradientPeakBytes);
          const predicted = model === null ? NaN : predictPeak(model, size);
          if (!hidden || optimizer <= fixed + each) expect(Math.abs(predicted / real - 1)).toBeLessThan(1e-6);
        }
      },
    );
    fc.assert(property);
  });

  it('leaves out one example alone where it is off the line, and the whole batch', () => {
    const line = (size: number) => 8_570_000 + 3_752_000 * size;
    const trials = [1, 2, 8, 64].map((size) =>
      fits(size, line(size) - (size === 1 ? 2e6 : 0) - (size === 64 ? 5e6 : 0)),
    );
    const model = fitMemoryModel(trials, 64);
    expect(model?.fitted).toEqual([2, 8]);
    expect(model?.fixedBytes).toBeCloseTo(8_570_000, 0);
    expect(model?.bytesPerExample).toBeCloseTo(3_752_000, 3);
  });

  it('tells the optimizer phase apart; one line through whole peaks would be 86 % off (tfjs.md)', () => {
    // Measured: a CNN whose whole-step peak is a flat 34.2 MB up to 8 examples.
    const line = (size: number) => 4_600_000 + 3_700_000 * size;
    const trials = [1, 2, 4].map((size) =>
      fits(size, line(size), { peakBytes: Math.max(34_200_000, line(size)) }),
    );
    const model = fitMemoryModel(trials);
    if (model === null) throw new Error('no model');
    expect(predictPeak(model, 64) / line(64)).toBeCloseTo(1, 6);
    expect(predictPeak(model, 2)).toBe(34_200_000);
  });

  it('the largest size within a budget is the brute force’s', () => {
    const property = fc.property(
      fc.integer({ min: 0, max: 1e9 }),
      fc.integer({ min: 0, max: 1e7 }),
      fc.integer({ min: 0, max: 1e9 }),
      fc.integer({ min: 0, max: 3e9 }),
      fc.integer({ min: 1, max: 300 }),
      (fixedBytes, bytesPerExample, optimizerPeakBytes, budget, cap) => {
        const model = { fixedBytes, bytesPerExample, optimizerPeakBytes };
        let truth = cap;
        while (truth > 0 && Math.max(fixedBytes + bytesPerExample * truth, optimizerPeakBytes) > budget)
          truth -= 1;
        expect(largestWithin(model, budget, cap)).toBe(truth);
      },
    );
    fc.assert(property);
  });

  it('is unknown from fewer than two sizes, or without figures', () => {
    expect(fitMemoryModel([])).toBeNull();
    expect(fitMemoryModel([fits(1, 10)])).toBeNull();
    expect(fitMemoryModel([1, 2].map((microbatch) => ({ microbatch, outcome: 'fits' })))).toBeNull();
    expect(fitMemoryModel([fits(1, 10), { microbatch: 2, outcome: 'outOfMemory', peakBytes: 7 }])).toBeNull();
  });
});

const trials = [
  fits(1, 100e6, { stepMs: 10 }),
  fits(2, 110e6, { stepMs: 12 }),
  fits(8, 170e6, { stepMs: 30 }),
  fits(22, 310e6, { stepMs: 110 }),
  fits(23, 320e6, { stepMs: 80 }),
];
const input: PlanInput = {
  entry: 'train.js',
  inspection: {
    modelName: 'digits',
    parameters: 1234,
    fingerprint: 'abc',
    stockOptimizer: { name: 'momentum', learningRate: 0.02, momentum: 0.8, useNesterov: true },
    targetBatchSize: 2048,
    examples: 60000,
    passThrough: null,
    warnings: [{ code: 'randomLayer', message: 'dropout is random.', layers: ['dropout'] }],
  },
  backend: { name: 'tfjs-node-gpu', version: '4.22.0', reason: 'It is installed.' },
  device: null,
  search: { largest: 22, proof: 'budget', trials },
  objective: 'largest',
  budgetBytes: 315.5e6,
  exactness: { rows: 8, relativeDifference: 6e-8 },
  parts: null,
  warnings: [],
};

describe('the plan', () => {
  it('is a document of its own schema, whose sizes sum to the target', () => {
    const plan = buildPlan(input);
    expect(planSchema.parse(JSON.parse(JSON.stringify(plan)))).toEqual(plan);
    expect(plan).toMatchObject({
      largestMicrobatch: 22,
      microbatchSize: 22,
      accumulationSteps: 94,
      proof: 'budget',
      budgetBytes: 315_500_000,
      memory: { fixedBytes: 90e6, bytesPerExample: 10e6, optimizerPeakBytes: 0 },
    });
    expect(plan.microbatchSizes.reduce((sum, size) => sum + size, 0)).toBe(2048);
  });

  it('fastest is a size that was run, fits, and has the least time per example', () => {
    // Per example: 10, 6, 3.75, 5 ms; 23 has 3.5 but is over the budget.
    expect(chooseSize(trials, 22, 315.5e6, 'fastest')).toBe(8);
    expect(chooseSize(trials, 22, 315.5e6, 'largest')).toBe(22);
    expect(chooseSize([fits(1, 10), fits(2, 20)], 2, undefined, 'fastest')).toBe(2);
    expect(buildPlan({ ...input, objective: 'fastest' })).toMatchObject({
      largestMicrobatch: 22,
      microbatchSize: 8,
    });
  });

  it('the microbatch size is the largest part, when the parts come out smaller than what fits', () => {
    const search = { ...input.search, largest: 40, trials: [fits(1, 1e6), fits(2, 2e6), fits(40, 40e6)] };
    const plan = buildPlan({ ...input, search, inspection: { ...input.inspection, targetBatchSize: 64 } });
    expect(plan).toMatchObject({ largestMicrobatch: 40, microbatchSize: 32, microbatchSizes: [32, 32] });
  });

  it('warns once of what it is told, and of what its figures show', () => {
    const heavy = trials.map((trial) => ({ ...trial, peakBytes: Math.max(trial.peakBytes ?? 0, 400e6) }));
    const inspection = {
      ...input.inspection,
      targetBatchSize: 64,
      examples: 50,
      passThrough: 'The loss is a sum.',
    };
    const plan = buildPlan({
      ...input,
      inspection,
      search: { ...input.search, trials: heavy },
      budgetBytes: undefined,
      warnings: input.inspection.warnings,
    });
    expect(plan.warnings.map(({ code }) => code)).toEqual([
      'randomLayer',
      'passThrough',
      'optimizerPeak',
      'note',
    ]);
    expect(plan.warnings[2]?.message).toContain('381 MB');
    expect(plan.warnings[3]?.message).toContain('50 training examples');
    expect(plan.budgetBytes).toBeNull();
  });

  it('says when memory did not grow in a straight line', () => {
    const bent = [1, 2, 16, 64].map((size) => fits(size, 1e8 + 1e5 * size * size));
    const plan = buildPlan({ ...input, search: { largest: 64, proof: 'budget', trials: bent } });
    expect(plan.warnings.at(-1)?.message).toContain('straight line');
    expect(buildPlan(input).warnings).toHaveLength(1);
  });
});

describe('what if', () => {
  const plan = buildPlan(input);

  it('the plan’s own target and budget give the plan, proven', () => {
    expect(whatIf(plan, { targetBatchSize: 2048, budgetBytes: 315.5e6 })).toMatchObject({
      fits: true,
      largestMicrobatch: 22,
      microbatchSizes: plan.microbatchSizes,
      peakBytes: 310e6,
      estimate: false,
    });
  });

  it('a larger budget is an estimate by the line; what was run bounds it', () => {
    expect(whatIf(plan, { targetBatchSize: 2048, budgetBytes: 1.09e9 })).toMatchObject({
      largestMicrobatch: 100,
      estimate: true,
    });
    const crashed = {
      ...plan,
      trials: [...plan.trials, { ...plan.trials[0], microbatch: 50, outcome: 'outOfMemory' }],
    };
    expect(whatIf(planSchema.parse(crashed), { targetBatchSize: 2048, budgetBytes: 1.09e9 })).toMatchObject({
      largestMicrobatch: 49,
      estimate: true,
    });
  });

  it('a smaller target that was proven to fit is no estimate; a budget too small for one example says what it needs', () => {
    expect(whatIf(plan, { targetBatchSize: 16, budgetBytes: 315.5e6 })).toMatchObject({
      largestMicrobatch: 16,
      accumulationSteps: 1,
      estimate: false,
    });
    expect(whatIf(plan, { targetBatchSize: 16, budgetBytes: 50e6 })).toEqual({
      fits: false,
      needsBytes: 100e6,
      estimate: false,
    });
    expect(whatIf({ ...plan, memory: null }, { targetBatchSize: 16, budgetBytes: 50e6 })).toBeNull();
  });

  it('an update has no more examples than there are', () => {
    const small = { ...plan, examples: 500 };
    expect(largestTarget(small)).toBe(500);
    expect(whatIf(small, { targetBatchSize: 100_000, budgetBytes: 315.5e6 })).toMatchObject({
      targetBatchSize: 500,
      counts: [
        { size: 22, count: 17 },
        { size: 21, count: 6 },
      ],
    });
    expect(17 * 22 + 6 * 21).toBe(500);
    expect(whatIf(plan, { targetBatchSize: 5000, budgetBytes: 315.5e6 })).toMatchObject({
      targetBatchSize: 5000,
    });
    expect(largestTarget({ examples: null })).toBe(16_777_216);
    expect(largestTarget({ examples: 0 })).toBe(16_777_216);
  });

  it('knows the largest budget: what the device has, or the backend can hold', () => {
    const device = { name: 'card', busId: null, memoryTotalBytes: 8e9, memoryFreeBytes: 7e9 };
    const wasm = { name: 'wasm', version: '4', reason: '' } as const;
    const gpu = { ...wasm, name: 'tfjs-node-gpu' } as const;
    expect(largestBudget({ backend: gpu, device })).toEqual({ bytes: 8e9, of: 'device' });
    expect(largestBudget({ backend: gpu, device: null })).toBeNull();
    expect(largestBudget({ backend: wasm, device: null })).toEqual({ bytes: wasmBudgetBytes, of: 'backend' });
    expect(largestBudget({ backend: wasm, device: { ...device, memoryTotalBytes: 1e9 } })).toEqual({
      bytes: 1e9,
      of: 'device',
    });
  });
});
