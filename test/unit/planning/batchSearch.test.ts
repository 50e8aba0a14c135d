// The search against brute force: every limit, many caps, affine and merely monotone memory, right and wrong budgets.
import { describe, expect, it } from 'vitest';
import { type SearchResult, findLargestMicrobatch } from '../../../src/planning/batchSearch';
import { NothingFitsError } from '../../../src/planning/nothingFits';
import { type SimulatedDevice, type SimulatedMemory, peakOf, simulate } from './simulatedDevice';

const caps = [
  ...Array.from({ length: 40 }, (_, index) => index + 1),
  ...[47, 50, 63, 64, 65, 100, 127, 128, 129, 200, 255, 256, 257, 500, 777, 1000, 1023, 1024, 1025],
  ...[1500, 2048, 3000, 4095, 4096, 4097, 5000, 6007, 8191, 8192],
];

interface Case {
  /** Built anew for each cap, because a microbatch as large as the cap may need less. */
  memory(cap: number): SimulatedMemory;
  /** Bytes that make exactly this limit; the default is halfway to the next example. */
  bytes?: (limit: number, memory: SimulatedMemory) => number;
  /** Budget as a part of the real capacity; null: none is known. 1 by default. */
  budget?: number | null;
  /** Capacity as a part of those bytes. 1 by default. */
  capacity?: number;
  device?: Partial<SimulatedDevice>;
  /** Limits to try: all by default. */
  every?: number;
  bound: 'six' | 'bisection';
}

/** Runs the search at every limit and cap; gives one line for each thing that is wrong. */
async function compare(of: Case): Promise<string[]> {
  const wrong: string[] = [];
  for (const cap of of.bound === 'six' ? caps : caps.filter((_, index) => index % 4 === 0 || index > 60)) {
    const memory = of.memory(cap);
    const peaks = Array.from({ length: cap + 1 }, (_, size) => (size === 0 ? 0 : peakOf(memory, size)));
    const bound = of.bound === 'six' ? 6 : 2 * Math.ceil(Math.log2(cap)) + 2;
    for (let limit = 0; limit <= 8192; limit += limit <= cap + 1 ? (of.every ?? 1) : 97) {
      const room = (of.bytes ?? halfway)(limit, memory);
      const capacity = room * (of.capacity ?? 1);
      const budgetBytes = of.budget === null ? undefined : room * (of.budget ?? 1);
      const allowed = Math.min(capacity, budgetBytes ?? Infinity);
      // The brute force: from the largest size downwards, the first that needs no more than is allowed.
      let truth = cap;
      while (truth > 0 && (peaks[truth] ?? 0) > allowed) truth -= 1;
      const device = simulate({ memory, capacity, ...of.device });
      const result = await search(device.run, cap, budgetBytes);
      const tell = (what: string) =>
        wrong.push(`cap ${cap}, limit ${limit}: ${what}; ran ${device.sizes.join(' ')}`);
      if ((result?.largest ?? 0) !== truth) tell(`found ${result?.largest ?? 0}, not ${truth}`);
      if (result !== null && !device.sizes.includes(result.largest)) tell('returned a size that was not run');
      if (result !== null && !isTrue(result, cap, peaks, budgetBytes))
        tell(`proof ${result.proof} does not hold`);
      if (device.sizes.length > bound) tell(`${device.sizes.length} trials`);
      if (of.bound === 'six' && device.outOfMemories() > 2)
        tell(`${device.outOfMemories()} times out of memory`);
    }
  }
  return wrong.slice(0, 5);
}

function halfway(limit: number, memory: SimulatedMemory): number {
  return (memory.gradient(Math.max(limit, 0)) + memory.gradient(limit + 1)) / 2;
}

async function search(
  run: Parameters<typeof findLargestMicrobatch>[0],
  cap: number,
  budgetBytes: number | undefined,
): Promise<SearchResult | null> {
  try {
    return await findLargestMicrobatch(run, { cap, budgetBytes });
  } catch (error) {
    if (error instanceof NothingFitsError) return null;
    throw error;
  }
}

function isTrue(
  result: SearchResult,
  cap: number,
  peaks: number[],
  budgetBytes: number | undefined,
): boolean {
  const { largest, proof, trials } = result;
  const next = trials.find((trial) => trial.microbatch === largest + 1);
  if (proof === 'cap') return largest === cap;
  if (proof === 'outOfMemory') return next?.outcome === 'outOfMemory';
  return next?.outcome !== 'outOfMemory' && (peaks[largest + 1] ?? 0) > (budgetBytes ?? Infinity);
}

// Measured on a CNN of 32×32 images: tfjs.md of the project's notes.
const fixed = 8_570_000;
const each = 3_752_000;
const line = (size: number) => fixed + each * size;
const exactly = (limit: number, memory: SimulatedMemory) => memory.gradient(limit);

describe('with affine memory and a budget that holds, six trials find the largest size that fits', () => {
  const cases: Record<string, Omit<Case, 'bound'>> = {
    'the budget lies between two sizes': { memory: () => ({ gradient: line }) },
    'the budget is met to the byte': { memory: () => ({ gradient: line }), bytes: exactly },
    'fixed memory is 40,000 times that of an example': {
      memory: () => ({ gradient: (size) => 4e9 + 1e5 * size }),
    },
    'fixed memory is next to nothing': {
      memory: () => ({ gradient: (size) => 1000 + 5e6 * size }),
      bytes: exactly,
    },
    'bytes are not whole numbers': { memory: () => ({ gradient: (size) => 8.1e6 + 0.1 * size }) },
    'the device has more than the budget': { memory: () => ({ gradient: line }), capacity: 1e9 },
    'the optimizer phase is flat on top': {
      memory: () => ({ gradient: line, optimizer: line(20) }),
    },
    'one example alone needs less than the line': {
      memory: () => ({ gradient: (size) => (size === 1 ? 0.7 : 1) * line(size) }),
    },
    'one example alone needs more than the line': {
      memory: () => ({ gradient: (size) => line(size) + (size === 1 ? 0.8 * each : 0) }),
    },
    'the whole batch needs no accumulators, less than one example': {
      memory: (cap) => ({ gradient: (size) => line(size) - (size === cap ? 3e6 : 0) }),
    },
    'out-of-memory trials tell what was in use': {
      memory: () => ({ gradient: line }),
      device: { outOfMemoryFigure: 'reached' },
    },
    'out-of-memory trials tell what they needed': {
      memory: () => ({ gradient: line }),
      device: { outOfMemoryFigure: 'needed' },
    },
  };
  it.each(Object.entries(cases))('%s', async (_, of) => {
    expect(await compare({ ...of, bound: 'six' })).toEqual([]);
  });

  it.each([
    ['known', 4e6],
    ['unknown', undefined],
  ])(
    'the whole batch fits where smaller parts, beside their accumulators, do not (bytes %s)',
    async (_, known) => {
      const saved = 4e6;
      const wrong = await compare({
        memory: (cap) => ({ gradient: (size) => 1e7 + 1e5 * size - (size === cap ? saved : 0) }),
        device: known === undefined ? {} : { accumulatorBytes: known },
        bound: 'six',
      });
      // With not one part fitting, the whole is tried only where it is small: everything else is exact.
      expect(wrong.filter((text) => !text.includes('found 0'))).toEqual([]);
    },
  );
});

describe('with a budget that is wrong or unknown, the search stays exact and its trials few', () => {
  const memories = { line, 'mostly fixed': (size: number) => 1e9 + 1e6 * size };
  const cases = Object.entries(memories).flatMap(([name, gradient]) =>
    ([null, 0.5, 0.9, 1.02, 1.1, 1.5, 3, 100] as const).flatMap((budget) =>
      (['none', 'reached', 'needed'] as const).map((figure) => [name, budget, figure, gradient] as const),
    ),
  );
  it.each(cases)('%s, budget × %s, out-of-memory figures: %s', async (_, budget, figure, gradient) => {
    const device = { outOfMemoryFigure: figure };
    expect(
      await compare({ memory: () => ({ gradient }), budget, device, every: 61, bound: 'bisection' }),
    ).toEqual([]);
  });
});

describe('with memory that is only monotone, the search stays exact and its trials few', () => {
  const memories: Record<string, (size: number) => number> = {
    'steps of eight': (size) => 1e9 + 5e6 * Math.floor(size / 8) * 8,
    'blocks of 2 MiB': (size) => 2 ** 21 * Math.ceil((1e7 + 3e5 * size) / 2 ** 21),
    'powers of two': (size) => 2 ** Math.ceil(Math.log2(1e6 + 3e5 * size)),
    quadratic: (size) => 1e9 + 1e4 * size * size,
    'square root': (size) => 1e9 + 1e8 * Math.sqrt(size),
    logarithm: (size) => 1e9 + 1e8 * Math.log(1 + size),
    jumps: (size) => 1e9 + 1e6 * size + (size > 37 ? 5e8 : 0) + (size > 1500 ? 2e9 : 0),
    'a line that ends flat': (size) => 1e9 + 1e6 * Math.min(size, 300),
    'flat, then a line': (size) => 1e9 + 1e7 * Math.max(0, size - 500),
    flat: () => 1e9,
  };
  const cases = Object.entries(memories).flatMap(([name, gradient]) =>
    (
      [
        ['by its budget', { capacity: 1e9 }],
        ['by running out of memory', { budget: null }],
        ['with a budget too large', { budget: 1.2 }],
        ['with a budget too small', { budget: 0.8 }],
      ] as const
    ).map(([how, limits]) => [name, how, gradient, limits] as const),
  );
  it.each(cases)('%s, %s', async (_, __, gradient, limits) => {
    const memory = () => ({ gradient });
    expect(await compare({ memory, bytes: exactly, ...limits, every: 61, bound: 'bisection' })).toEqual([]);
  });

  it('a single peak for both phases is enough, however flat it begins', async () => {
    const memory = () => ({ gradient: line, optimizer: line(20) });
    expect(await compare({ memory, device: { phases: false }, every: 61, bound: 'bisection' })).toEqual([]);
  });
});

describe('with peaks that vary from run to run, what is returned is still proven by runs', () => {
  it.each([0.001, 0.01, 0.03])('by %s of themselves', async (part) => {
    const wrong: string[] = [];
    for (const cap of [1, 2, 7, 64, 500, 2048, 8192]) {
      for (let limit = 1; limit <= 8192; limit += 1 + Math.floor(limit / 50)) {
        const measure = (bytes: number, size: number) => bytes * (1 + part * scatter(size, limit));
        for (const gradient of [line, (size: number) => 1e9 + 1e6 * size]) {
          const budget = (gradient(limit) + gradient(limit + 1)) / 2;
          const device = simulate({ memory: { gradient }, capacity: Infinity, measure });
          const result = await search(device.run, cap, budget);
          if (result === null) {
            if (measure(gradient(1), 1) <= budget) wrong.push(`cap ${cap}, limit ${limit}: one example fits`);
            continue;
          }
          const isOver = (size: number) =>
            device.sizes.includes(size) && measure(gradient(size), size) > budget;
          const proven = result.largest === cap || isOver(result.largest + 1);
          if (isOver(result.largest) || !proven)
            wrong.push(`cap ${cap}, limit ${limit}: ${result.largest} unproven`);
          const bound = 2 * Math.ceil(Math.log2(cap)) + 2;
          if (device.sizes.length > bound)
            wrong.push(`cap ${cap}, limit ${limit}: ${device.sizes.join(' ')}`);
        }
      }
    }
    expect(wrong.slice(0, 5)).toEqual([]);
  });
});

/** A number from -1 to 1 that looks random and is the same on every machine. */
function scatter(size: number, seed: number): number {
  const value = Math.sin(size * 127.1 + seed * 311.7) * 43758.5453;
  return (value - Math.floor(value)) * 2 - 1;
}
