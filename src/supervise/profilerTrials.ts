// Brings what a child measured into one unit, the budget's: tensors' bytes, corrected by what was really used.
import type { Trial } from '../planning/trial';
import type { TrialMeasurement } from '../protocol/report';

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

/**
 * The trials of one process for the search. All of them carry the overhead of the largest: in one process an
 * allocator keeps what it had, and the difference between two small sizes would otherwise be that of its noise, not
 * of the model (at tensor level the line through them is exact).
 * @param fixedOverheadBytes overhead that was measured elsewhere (a CUDA context); null: each process's own.
 */
export function trialsOf(
  measurements: readonly TrialMeasurement[],
  fixedOverheadBytes: number | null,
): Trial[] {
  const largest = measurements.reduce<TrialMeasurement | null>(
    (best, each) => (best === null || each.microbatch > best.microbatch ? each : best),
    null,
  );
  const overhead = fixedOverheadBytes ?? (largest === null ? 0 : overheadBytes(largest));
  return measurements.map((measurement) => ({
    microbatch: measurement.microbatch,
    outcome: 'fits',
    peakBytes: Math.max(0, tensorPeakBytes(measurement) + overhead),
    // Both grow with the microbatch: the validation step is forward only, but may meet larger data.
    gradientPeakBytes: Math.max(
      0,
      Math.max(measurement.gradientPeakBytes, measurement.validationPeakBytes) + overhead,
    ),
    stepMs: measurement.microbatchMs,
    applyMs: measurement.applyMs,
    accumulatorBytes: measurement.breakdown.accumulatorBytes,
  }));
}
