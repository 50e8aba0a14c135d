// A simulated device for searches: memory as a formula, so that every limit can be tried and the answer is known.
import type { Trial } from '../../../src/planning/trial';

export interface SimulatedMemory {
  /** Bytes of the gradient phase at a microbatch size. */
  readonly gradient: (microbatch: number) => number;
  /** Bytes of the optimizer's update. */
  readonly optimizer?: number;
}

export interface SimulatedDevice {
  readonly memory: SimulatedMemory;
  /** What is really there: a trial that needs more runs out of memory. */
  readonly capacity: number;
  /** What an out-of-memory trial tells: nothing, the bytes in use when memory ended, or those it would have needed. */
  readonly outOfMemoryFigure?: 'none' | 'reached' | 'needed';
  /** Whether trials tell the gradient phase apart. */
  readonly phases?: boolean;
  readonly accumulatorBytes?: number;
  /** What a measurement makes of the real bytes. */
  readonly measure?: (bytes: number, microbatch: number) => number;
}

/** Bytes of a whole update. */
export function peakOf(memory: SimulatedMemory, microbatch: number): number {
  return Math.max(memory.gradient(microbatch), memory.optimizer ?? 0);
}

/** A `run` for `findLargestMicrobatch`; it throws when a size is run twice. `sizes` and `outOfMemories` count. */
export function simulate(device: SimulatedDevice) {
  const sizes: number[] = [];
  let outOfMemories = 0;
  const measure = device.measure ?? ((bytes) => bytes);
  const run = async (microbatch: number): Promise<Trial> => {
    if (sizes.includes(microbatch)) throw new Error(`Size ${microbatch} was run twice.`);
    sizes.push(microbatch);
    const peak = peakOf(device.memory, microbatch);
    if (peak > device.capacity) {
      outOfMemories += 1;
      const figure = device.outOfMemoryFigure ?? 'none';
      if (figure === 'none') return { microbatch, outcome: 'outOfMemory' };
      return {
        microbatch,
        outcome: 'outOfMemory',
        peakBytes: figure === 'needed' ? peak : device.capacity * 0.97,
      };
    }
    return {
      microbatch,
      outcome: 'fits',
      peakBytes: measure(peak, microbatch),
      ...(device.phases === false
        ? {}
        : { gradientPeakBytes: measure(device.memory.gradient(microbatch), microbatch) }),
      ...(device.accumulatorBytes === undefined ? {} : { accumulatorBytes: device.accumulatorBytes }),
    };
  };
  return { run, sizes, outOfMemories: () => outOfMemories };
}
