// The microbatch in use while training: cut where memory runs out, and given back what can be had.
import { describe, expect, test } from 'vitest';
import { MicrobatchSize } from '../../../src/engine/train/microbatchSize';

/** Trains on a device that holds `capacity(update)` rows; counts the attempts that failed. */
function simulate(
  size: MicrobatchSize,
  updates: number,
  capacity: (update: number) => number,
): { failures: number; sizes: number[] } {
  let failures = 0;
  const sizes: number[] = [];
  for (let update = 0; update < updates; update++) {
    while (size.current > capacity(update)) {
      failures++;
      expect(size.ranOut(size.current)).toBe(true);
    }
    sizes.push(size.current);
    size.wentWell(size.current);
  }
  return { failures, sizes };
}

test('a size that fails is halved, down to one example; one example cannot be cut', () => {
  const size = new MicrobatchSize(20, 20, true);
  const seen = [20];
  while (size.ranOut(size.current)) seen.push(size.current);
  expect(seen).toEqual([20, 10, 5, 2, 1]);
});

test('rows of an update that were fewer than the microbatch are what is cut', () => {
  const size = new MicrobatchSize(64, 64, true);
  expect(size.ranOut(9)).toBe(true);
  expect(size.current).toBe(4);
});

describe.each([3, 17, 40, 63, 64, 97])('memory for %i of 97 examples', (capacity) => {
  test('nearly all of it is used in the end, and never more', () => {
    const size = new MicrobatchSize(97, 97, true);
    const { sizes } = simulate(size, 3_000, () => capacity);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(capacity);
    // What could have been kept is not halved: within the tenth that is not searched.
    expect(Math.max(...sizes)).toBeGreaterThanOrEqual(Math.floor(capacity / 1.1) - 1);
  });

  test('attempts that fail become rare', () => {
    const size = new MicrobatchSize(97, 97, true);
    const early = simulate(size, 1_000, () => capacity).failures;
    const late = simulate(size, 100_000, () => capacity).failures;
    expect(early).toBeLessThan(16);
    expect(late).toBeLessThan(50);
  });
});

test('memory that comes back is used again, up to the plan and never above it', () => {
  const size = new MicrobatchSize(64, 64, true);
  const { sizes } = simulate(size, 400, (update) => (update >= 3 && update < 6 ? 20 : 1_000));
  expect(sizes.slice(0, 3)).toEqual([64, 64, 64]);
  expect(sizes[3]).toBe(16);
  expect(sizes.at(-1)).toBe(64);
  expect(Math.max(...sizes)).toBe(64);
});

test('an update of fewer rows than the microbatch proves nothing', () => {
  const size = new MicrobatchSize(64, 16, true);
  for (let update = 0; update < 1_000; update++) expect(size.wentWell(5)).toBeNull();
  expect(size.current).toBe(16);
});

test('after a death the size stays', () => {
  const size = new MicrobatchSize(64, 16, false);
  simulate(size, 1_000, () => 64);
  expect(size.current).toBe(16);
});
