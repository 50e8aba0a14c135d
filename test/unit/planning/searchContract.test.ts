// What a search promises beside its answer; and the cases in which peers' searches fail.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findLargestMicrobatch } from '../../../src/planning/batchSearch';
import { NothingFitsError } from '../../../src/planning/nothingFits';
import type { Trial } from '../../../src/planning/trial';
import { simulate } from './simulatedDevice';

const megabyte = 1e6;
/** A device on which exactly `limit` examples of 10 MB fit; found out by running out of memory. */
const upTo = (limit: number) =>
  simulate({ memory: { gradient: (size) => size * 10 * megabyte }, capacity: (limit + 0.5) * 10 * megabyte });

describe('peers’ cases', () => {
  it('finds exactly 100 where 101 does not fit, and 100 was run (Lightning: 62 and 95)', async () => {
    const device = upTo(100);
    const { largest, proof } = await findLargestMicrobatch(device.run, { cap: 500 });
    expect({ largest, proof }).toEqual({ largest: 100, proof: 'outOfMemory' });
    expect(device.sizes).toContain(100);
  });

  it.each([5000, 1, 2])(
    'limit %i of 8192: the answer is a size that was run (Lightning: 8192, 1, 1)',
    async (limit) => {
      const device = upTo(limit);
      const { largest, trials } = await findLargestMicrobatch(device.run, { cap: 8192 });
      expect(largest).toBe(limit);
      expect(trials.find(({ microbatch }) => microbatch === largest)?.outcome).toBe('fits');
    },
  );

  it('limit 0: says that nothing fits, with what was run (Lightning: tries 0 and returns it)', async () => {
    const error = await findLargestMicrobatch(upTo(0).run, { cap: 8192 }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(NothingFitsError);
    expect((error as NothingFitsError).trials).toEqual([{ microbatch: 1, outcome: 'outOfMemory' }]);
  });

  it('a failure that is not one of memory ends the search as it is (Accelerate’s test_any_other_error)', async () => {
    const bug = new TypeError('images is not iterable');
    const sizes: number[] = [];
    const run = async (microbatch: number): Promise<Trial> => {
      sizes.push(microbatch);
      if (microbatch > 1) throw bug;
      return { microbatch, outcome: 'fits', peakBytes: 10, gradientPeakBytes: 10 };
    };
    await expect(findLargestMicrobatch(run, { cap: 128, budgetBytes: 1e9 })).rejects.toBe(bug);
    expect(sizes).toEqual([1, 2]);
  });

  it('finds 8 of 128 within six trials when memory is measured (Accelerate: 23 trials)', async () => {
    const gradient = (size: number) => 50 * megabyte + size * 10 * megabyte;
    const device = simulate({ memory: { gradient }, capacity: gradient(8) });
    const { largest } = await findLargestMicrobatch(device.run, { cap: 128, budgetBytes: gradient(8) });
    expect(largest).toBe(8);
    expect(device.sizes.length).toBeLessThanOrEqual(6);
  });
});

describe('what a search promises', () => {
  it('begins with 1 and then 2, so that one process can measure both', async () => {
    const device = upTo(50);
    await findLargestMicrobatch(device.run, { cap: 64 });
    expect(device.sizes.slice(0, 2)).toEqual([1, 2]);
  });

  it('a size that runs but peaks over the budget does not fit', async () => {
    const device = simulate({ memory: { gradient: (size) => size * megabyte }, capacity: Infinity });
    const { largest, proof } = await findLargestMicrobatch(device.run, {
      cap: 64,
      budgetBytes: 10.5 * megabyte,
    });
    expect({ largest, proof }).toEqual({ largest: 10, proof: 'budget' });
  });

  it('nothing fits where the optimizer alone is over the budget', async () => {
    const memory = { gradient: (size: number) => size * megabyte, optimizer: 100 * megabyte };
    const { run } = simulate({ memory, capacity: Infinity });
    await expect(findLargestMicrobatch(run, { cap: 64, budgetBytes: 50 * megabyte })).rejects.toThrow(
      NothingFitsError,
    );
  });

  it('no trial goes on after all that is asked for fits', async () => {
    const device = upTo(1e6);
    const { largest, proof } = await findLargestMicrobatch(device.run, { cap: 1 });
    expect({ largest, proof, sizes: device.sizes }).toEqual({ largest: 1, proof: 'cap', sizes: [1] });
  });

  it.each([0, -1, 1.5, NaN, Infinity])('a cap of %s is refused', async (cap) => {
    await expect(findLargestMicrobatch(upTo(3).run, { cap })).rejects.toThrow(RangeError);
  });

  it.each([-1, NaN])('a budget of %s is refused', async (budgetBytes) => {
    await expect(findLargestMicrobatch(upTo(3).run, { cap: 4, budgetBytes })).rejects.toThrow(RangeError);
  });

  it('a trial of another size than was asked for is refused', async () => {
    const run = async (): Promise<Trial> => ({ microbatch: 7, outcome: 'fits' });
    await expect(findLargestMicrobatch(run, { cap: 64 })).rejects.toThrow(/came back as one of 7/);
  });

  it('works without any figures', async () => {
    const run = async (microbatch: number): Promise<Trial> => ({
      microbatch,
      outcome: microbatch <= 37 ? 'fits' : 'outOfMemory',
    });
    const result = await findLargestMicrobatch(run, { cap: 1000, budgetBytes: 8e9 });
    expect(result).toMatchObject({ largest: 37, proof: 'outOfMemory' });
  });
});

describe('whatever trials say', () => {
  it('outcomes decide, no size is run twice, and trials stay within the bound, even when figures are nonsense', async () => {
    const figures = fc.array(fc.double({ min: 0, max: 1e10, noNaN: true }), { minLength: 1, maxLength: 60 });
    const cap = fc.integer({ min: 1, max: 8192 });
    const property = fc.asyncProperty(
      cap,
      fc.nat(8192),
      figures,
      fc.boolean(),
      async (cap, limit, noise, told) => {
        const ran: number[] = [];
        const run = async (microbatch: number): Promise<Trial> => {
          expect(ran).not.toContain(microbatch);
          const gradientPeakBytes = noise[ran.length % noise.length] ?? 0;
          ran.push(microbatch);
          if (microbatch > limit) return { microbatch, outcome: 'outOfMemory', peakBytes: gradientPeakBytes };
          return { microbatch, outcome: 'fits', gradientPeakBytes, accumulatorBytes: 1e6 };
        };
        const limits = { cap, ...(told ? { budgetBytes: 5e9 } : {}) };
        const found = await findLargestMicrobatch(run, limits).then(
          ({ largest, proof, trials }) => ({ largest, proof, trials }),
          (error: unknown) => {
            if (error instanceof NothingFitsError) return null;
            throw error;
          },
        );
        if (found?.proof !== 'budget') expect(found?.largest ?? 0).toBe(Math.min(cap, limit));
        expect(ran.length).toBeLessThanOrEqual(2 * Math.ceil(Math.log2(cap)) + 2);
      },
    );
    await fc.assert(property, { numRuns: 3000, seed: 20 });
  });
});
