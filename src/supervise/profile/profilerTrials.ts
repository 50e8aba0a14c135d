// Brings what a child measured into one unit, the budget's: tensors' bytes, corrected by what was really used.
import type { Trial } from '../../planning/trial';
import type { EngineReport, TrialMeasurement } from '../../protocol/report';

/** See the report. */
export type GradientLine = Extract<EngineReport, { type: 'gradientLine' }>;

/** From this many bytes in tensors on, what the process used is trusted even where it is less than the tensors'. */
const trustedBytes = 512 * 2 ** 20;

/** Most bytes of tensors during the whole update. */
export function tensorPeakBytes(measurement: TrialMeasurement): number {
  const { gradientPeakBytes, optimizerPeakBytes, validationPeakBytes } = measurement;
  return Math.max(gradientPeakBytes, optimizerPeakBytes, validationPeakBytes);
}

/**
 * What was really used beyond the tensors, in bytes: allocator slack, workspaces, code. Below 0 where tensors are
 * counted twice (tfjs-node's reshape makes a second handle on one buffer), believed only for large measurements,
 * where the process's own noise is small beside it.
 */
export function overheadBytes(measurement: TrialMeasurement): number {
  if (measurement.devicePeakBytes === null) return 0;
  const tensors = tensorPeakBytes(measurement);
  const overhead = measurement.devicePeakBytes - tensors;
  return tensors >= trustedBytes ? overhead : Math.max(0, overhead);
}

/** What is known of the overhead before a process's own measurements are looked at. */
export interface KnownOverhead {
  /** Measured on the device itself (a CUDA context), where it holds for every process; null: each tells its own. */
  readonly deviceBytes: number | null;
  /** Of the first process that measured; null before it has. */
  readonly usualBytes: number | null;
}

/** A process's resident size varies by tens of MB of its own accord: compiled code, garbage, heaps grown in steps. */
const noiseBytes = 64 * 2 ** 20;
const noiseShare = 0.03;

/**
 * The trials of one process for the search. All of them carry one overhead, and that of the first process as long as
 * theirs differs by no more than noise: at tensor level the line through the sizes is exact, and noise would bend it.
 * A larger difference is real (workspaces that grow with the microbatch) and counts.
 * @param line what larger sizes will follow, where two trials of this process told it: the phase that grows is then
 * this line, and whatever else these small sizes peaked in counts to the phase that does not.
 */
export function trialsOf(
  measurements: readonly TrialMeasurement[],
  known: KnownOverhead,
  line: GradientLine | null,
): Trial[] {
  const overhead = known.deviceBytes ?? settledOverhead(measurements, known.usualBytes);
  return measurements.map((measurement) => ({
    microbatch: measurement.microbatch,
    outcome: 'fits',
    peakBytes: Math.max(0, tensorPeakBytes(measurement) + overhead),
    gradientPeakBytes: Math.max(0, growing(measurement, line) + overhead),
    stepMs: measurement.microbatchMs,
    applyMs: measurement.applyMs,
    accumulatorBytes: measurement.breakdown.accumulatorBytes,
  }));
}

function settledOverhead(measurements: readonly TrialMeasurement[], usual: number | null): number {
  const [first, ...others] = measurements;
  if (first === undefined) return usual ?? 0;
  const largest = others.reduce((best, each) => (each.microbatch > best.microbatch ? each : best), first);
  const own = overheadBytes(largest);
  if (usual === null) return own;
  const noise = Math.max(noiseBytes, noiseShare * tensorPeakBytes(largest));
  return Math.abs(own - usual) <= noise ? usual : own;
}

/** The phase that grows with the microbatch: forward and backward, or the validation step on larger data. */
function growing(measurement: TrialMeasurement, line: GradientLine | null): number {
  const { microbatch, gradientPeakBytes, validationPeakBytes } = measurement;
  const gradient =
    line === null
      ? gradientPeakBytes
      : Math.min(gradientPeakBytes, line.fixedBytes + line.bytesPerExample * microbatch);
  return Math.max(gradient, validationPeakBytes);
}
