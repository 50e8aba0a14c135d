// One trial: a whole update in the real training call, at one microbatch size, measured phase by phase.
import type { TrialMeasurement } from '../../protocol/report';
import type { Update } from '../contracts';
import type { DeviceMemory } from './deviceMemory';
import type { MemoryMeter } from './memoryMeter';

export interface TrialTools {
  readonly meter: MemoryMeter;
  readonly device: DeviceMemory;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** Waits for queued work where the backend can wait; without it a clock would measure the queueing. */
  readonly finishWork: () => void;
}

/** What a trial tells, and what is kept of it for the next one in the same process. */
export interface MeasuredTrial {
  readonly measurement: TrialMeasurement;
  /** Unique bytes in use after every change during the last forward and backward; see gradientLine. */
  readonly timeline: readonly number[];
}

/** Bytes that the optimizer's slots took when they were made; the first trial of a process sees it happen. */
export interface SlotBytes {
  optimizerBytes: number | null;
}

/**
 * Measures one update at a microbatch size. Runs two microbatches and the optimizer's step twice: gradient
 * accumulators are there from the second microbatch on, the optimizer's slots only after the first step, and both
 * are in use together in every later update. At the size of the whole batch there is one microbatch, as in training.
 *
 * Every microbatch has exactly the size asked for (the second one takes rows again where the batch has too few), so
 * that the peak is affine in the size; in training, splitBatch's parts are at most as large.
 *
 * Throws what the step throws. The update is left applied: the process must end without going on with the script.
 */
export function measureTrial(
  update: Update,
  microbatch: number,
  tools: TrialTools,
  slots: SlotBytes,
): MeasuredTrial {
  const { meter, device, now, finishWork } = tools;
  const size = Math.min(microbatch, update.rows);
  const starts = size === update.rows ? [0] : [0, Math.min(size, update.rows - size)];
  const weightsBytes = bytesOfWeights(update);
  let gradientPeakBytes = 0;
  let optimizerPeakBytes = 0;
  let timeline: readonly number[] = [];
  const phase = (compute: () => unknown): unknown => {
    endConstantPhase();
    meter.beginTimeline();
    const result = compute();
    timeline = meter.endTimeline();
    gradientPeakBytes = Math.max(gradientPeakBytes, meter.peakBytes);
    meter.reset();
    return result;
  };
  let accumulatorBytes = 0;
  let microbatchMs = 0;
  let applyMs = 0;

  device.reset();
  meter.reset();
  const dataBytes = Math.max(0, meter.liveBytes - weightsBytes - (slots.optimizerBytes ?? 0));
  for (let round = 0; round < 2; round++) {
    if (round > 0) update.restart();
    const liveBefore = meter.liveBytes;
    for (const start of starts) {
      microbatchMs = timed(() => withGradientPhase(update, phase, () => update.runMicrobatch(start, size)));
    }
    accumulatorBytes = meter.liveBytes - liveBefore;

    applyMs = timed(() => update.apply());
    endConstantPhase();
    slots.optimizerBytes ??= Math.max(0, meter.liveBytes - liveBefore);
  }

  const validationPeakBytes = update.call.hasValidation ? validationPeak() : 0;
  const devicePeakBytes = device.peakBytes();
  const measurement: TrialMeasurement = {
    microbatch: size,
    gradientPeakBytes,
    optimizerPeakBytes,
    validationPeakBytes,
    devicePeakBytes,
    microbatchMs,
    applyMs,
    breakdown: {
      weightsBytes,
      optimizerBytes: slots.optimizerBytes ?? 0,
      accumulatorBytes: Math.max(0, accumulatorBytes),
      dataBytes,
    },
  };
  return { measurement, timeline };

  /** Adding up gradients and applying them: what that needs does not grow with the microbatch. */
  function endConstantPhase(): void {
    optimizerPeakBytes = Math.max(optimizerPeakBytes, meter.peakBytes);
    meter.reset();
  }

  /** `fit` validates while the last batch is still there, after its accumulators are gone. */
  function validationPeak(): number {
    meter.reset();
    update.validate(size);
    finishWork();
    return meter.peakBytes;
  }

  function timed(work: () => void): number {
    const start = now();
    work();
    finishWork();
    return now() - start;
  }
}

/**
 * Runs a microbatch with forward and backward as a phase of its own: `phase` is handed the optimizer's computeGradients.
 * Adding its gradients to the accumulators comes after it, when the activations are gone.
 */
function withGradientPhase(
  update: Update,
  phase: (compute: () => unknown) => unknown,
  work: () => void,
): void {
  const { optimizer } = update.call.model;
  const compute: unknown = Reflect.get(optimizer, 'computeGradients');
  if (typeof compute !== 'function') throw new TypeError('The optimizer computes no gradients.');
  const own = Object.getOwnPropertyDescriptor(optimizer, 'computeGradients');
  const value = (...parameters: unknown[]): unknown =>
    phase(() => Reflect.apply(compute, optimizer, parameters) as unknown);
  Object.defineProperty(optimizer, 'computeGradients', { value, configurable: true, writable: true });
  try {
    work();
  } finally {
    if (own === undefined) Reflect.deleteProperty(optimizer, 'computeGradients');
    else Object.defineProperty(optimizer, 'computeGradients', own);
  }
}

function bytesOfWeights(update: Update): number {
  let bytes = 0;
  for (const weight of update.call.model.weights) {
    const { shape, dtype } = weight.read();
    bytes += shape.reduce((product, length) => product * length, 1) * (dtype === 'bool' ? 1 : 4);
  }
  return bytes;
}
