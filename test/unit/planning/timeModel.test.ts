// What a slider is told: time and sizes for any target, against brute force over every microbatch and every size.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeCounts, describeSizes } from '../../../src/planning/describe';
import { predictPeak } from '../../../src/planning/memoryModel';
import { microbatchCounts, splitBatch } from '../../../src/planning/microbatches';
import type { Plan, PlanTrial } from '../../../src/planning/plan';
import { fitTimeModel, microbatchMs, predictUpdateMs } from '../../../src/planning/timeModel';
import { whatIf } from '../../../src/planning/whatIf';

const trial = (
  microbatch: number,
  stepMs: number | null,
  applyMs: number | null = null,
  more: Partial<PlanTrial> = {},
): PlanTrial => ({
  microbatch,
  outcome: 'fits',
  peakBytes: null,
  gradientPeakBytes: null,
  stepMs,
  applyMs,
  ...more,
});

/** Timed trials of different sizes. */
const trials = fc
  .uniqueArray(
    fc.record({
      microbatch: fc.integer({ min: 1, max: 200 }),
      stepMs: fc.double({ min: 0.1, max: 500, noNaN: true }),
    }),
    { minLength: 1, maxLength: 6, selector: ({ microbatch }) => microbatch },
  )
  .map((all) => all.map(({ microbatch, stepMs }) => trial(microbatch, stepMs, 3)));

/** Written anew from the words: on the line between the neighbours, in proportion beyond them. */
function expectedMs(all: readonly PlanTrial[], size: number): number {
  const points = all.map(({ microbatch, stepMs }) => [microbatch, stepMs ?? 0] as const);
  const below = points.filter(([x]) => x <= size).sort((a, b) => b[0] - a[0])[0];
  const above = points.filter(([x]) => x >= size).sort((a, b) => a[0] - b[0])[0];
  if (below === undefined || above === undefined) {
    const [x, ms] = below ?? above ?? [1, 0];
    return (ms / x) * size;
  }
  if (below[0] === above[0]) return below[1];
  const part = (size - below[0]) / (above[0] - below[0]);
  return below[1] * (1 - part) + above[1] * part;
}

describe('the counts of a cut', () => {
  it('are those of its parts, and are told alike', () => {
    const property = fc.property(
      fc.integer({ min: 1, max: 5000 }),
      fc.integer({ min: 1, max: 6000 }),
      (total, largest) => {
        const sizes = splitBatch(total, largest);
        const counts = microbatchCounts(total, largest);
        expect(counts.length).toBeLessThanOrEqual(2);
        expect(counts.flatMap(({ size, count }) => Array<number>(count).fill(size))).toEqual(sizes);
        expect(describeCounts(counts)).toBe(describeSizes(sizes));
      },
    );
    fc.assert(property);
    expect(microbatchCounts(2048, 22)).toEqual([
      { size: 22, count: 74 },
      { size: 21, count: 20 },
    ]);
    expect(microbatchCounts(0, 3)).toEqual([]);
  });
});

describe('the time of an update', () => {
  it('is the sum over its microbatches, and the optimizer’s once', () => {
    const property = fc.property(
      trials,
      fc.integer({ min: 1, max: 3000 }),
      fc.integer({ min: 1, max: 300 }),
      (all, total, largest) => {
        const model = fitTimeModel(all);
        if (model === null) throw new Error('no model');
        const expected = splitBatch(total, largest).reduce((sum, size) => sum + expectedMs(all, size), 3);
        const found = predictUpdateMs(model, microbatchCounts(total, largest));
        expect(Math.abs(found - expected)).toBeLessThanOrEqual(1e-9 * expected);
      },
    );
    fc.assert(property);
  });

  it('is what was measured at the sizes that were run', () => {
    const model = fitTimeModel([trial(8, 30, 5), trial(1, 10, 4), trial(2, 12, 90)]);
    if (model === null) throw new Error('no model');
    expect([1, 2, 5, 8, 16].map((size) => microbatchMs(model, size))).toEqual([10, 12, 21, 30, 60]);
    // The middle one: a first trial may be slow.
    expect(model.applyMs).toBe(5);
  });

  it('is not known where no trial that fits told it', () => {
    expect(fitTimeModel([])).toBeNull();
    expect(fitTimeModel([trial(1, null), trial(2, 5, 1, { outcome: 'outOfMemory' })])).toBeNull();
    expect(fitTimeModel([trial(2, 5)])?.applyMs).toBe(0);
  });
});

/** A plan whose memory is exactly 100 + 10 for each example, measured at some sizes. */
function planWith(
  all: readonly PlanTrial[],
): Pick<Plan, 'memory' | 'trials' | 'targetBatchSize' | 'examples'> {
  const memory = { fixedBytes: 100, bytesPerExample: 10, optimizerPeakBytes: 0 };
  const measured = all.map((each) => {
    const bytes = predictPeak(memory, each.microbatch);
    return { ...each, peakBytes: bytes, gradientPeakBytes: bytes };
  });
  return { memory, trials: measured, targetBatchSize: 100_000, examples: null };
}

describe('what-if', () => {
  it('fastest has the least time for each example of all sizes within the budget, and of equals the larger', () => {
    const property = fc.property(
      trials,
      fc.integer({ min: 110, max: 3000 }),
      fc.integer({ min: 1, max: 400 }),
      (all, budgetBytes, targetBatchSize) => {
        const forecast = whatIf(planWith(all), { targetBatchSize, budgetBytes, objective: 'fastest' });
        if (forecast?.fits !== true) throw new Error('one example fits');
        const largest = Math.min(targetBatchSize, Math.floor((budgetBytes - 100) / 10));
        expect(forecast.largestMicrobatch).toBe(largest);
        const perExample = (size: number): number => expectedMs(all, size) / size;
        const best = Math.min(...Array.from({ length: largest }, (_, index) => perExample(index + 1)));
        // The cut may make the parts a little smaller than the size that was chosen.
        const chosen = [...all.map(({ microbatch }) => microbatch), largest].filter(
          (size) => size <= largest && perExample(size) <= best * (1 + 1e-9),
        );
        const cuts = chosen.map((size) => splitBatch(targetBatchSize, size));
        expect(cuts).toContainEqual(forecast.microbatchSizes);
      },
    );
    fc.assert(property);
  });

  it('says the time of an update, and null where none is known', () => {
    const plan = planWith([trial(1, 10, 4), trial(8, 30, 4)]);
    expect(whatIf(plan, { targetBatchSize: 20, budgetBytes: 180 })).toMatchObject({
      largestMicrobatch: 8,
      microbatchSize: 7,
      counts: [
        { size: 7, count: 2 },
        { size: 6, count: 1 },
      ],
      microbatchSizes: [7, 7, 6],
      accumulationSteps: 3,
      peakBytes: 170,
      updateMs: expect.closeTo(2 * (10 + (20 * 6) / 7) + (10 + (20 * 5) / 7) + 4, 9),
      estimate: true,
    });
    const untimed = planWith([trial(1, null), trial(8, null)]);
    for (const objective of ['largest', 'fastest'] as const) {
      expect(whatIf(untimed, { targetBatchSize: 20, budgetBytes: 180, objective })).toMatchObject({
        microbatchSize: 7,
        updateMs: null,
      });
    }
  });

  it('of a million examples one by one makes no list of them', () => {
    const plan = planWith([trial(1, 10, 4), trial(8, 30, 4)]);
    const forecast = whatIf(plan, { targetBatchSize: 1_000_000, budgetBytes: 110 });
    if (forecast?.fits !== true) throw new Error('one example fits');
    expect(forecast.counts).toEqual([{ size: 1, count: 1_000_000 }]);
    expect(forecast.updateMs).toBe(10_000_004);
    expect(typeof Object.getOwnPropertyDescriptor(forecast, 'microbatchSizes')?.get).toBe('function');
  });
});
