// Measuring: runs the script up to its first training call, tells what it meets there, measures trials, and leaves.
import { uniqueWarnings } from '../../planning/warning';
import type { MeasureJob } from '../../protocol/job';
import type { TrialMeasurement } from '../../protocol/report';
import type { PlanWarning } from '../../protocol/warning';
import type { TrainingCall, Update } from '../contracts';
import type { ChosenBackend, DeviceError } from '../backends/choose';
import { judgeDeviceErrors } from './deviceErrors';
import type { EngineContext, EngineMode } from '../engineContext';
import { describeModel } from '../fitHook/describeModel';
import { gradientLine, type Timeline } from './gradientLine';
import { isOutOfMemory } from './outOfMemory';
import { backendUnfitReason, failureFrom } from '../scriptErrors';
import { measureTrial, type SlotBytes, type TrialTools } from './trial';
import { wasmRefusal } from '../wasm/trainable';

/** Thrown out of an update whose work is queued, to where it can be waited for; the script never sees it. */
class TrialQueued extends Error {}

/**
 * Time in ms that a process using CUDA stays after its last trial: TensorFlow takes memory from the driver in steps
 * of its own, which only the supervisor can read, while the process lives. It ends the process when it has.
 */
const holdForReadingMs = 5_000;

/** Predictions are made for sizes up to this many times the measured one. */
const farFactor = 64;

/** A trial whose outcome is known when the device is done with it. */
interface QueuedTrial {
  readonly measurement: TrialMeasurement;
  /** Time on the trial's clock when its first microbatch was queued, in ms. */
  readonly startedAt: number;
  readonly microbatches: number;
}

/** The mode behind the hook for a measuring job. */
export function createMeasurer(job: MeasureJob, context: EngineContext): EngineMode {
  const measurer = new Measurer(job, context);
  return {
    settings: {
      microbatchSize: () => job.trials[0] ?? 1,
      targetBatchSize: job.targetBatchSize,
      selfCheck: job.selfCheck,
      selfCheckRows: checkRows(job.trials),
    },
    observer: {
      callStarted: (call) => measurer.callStarted(call),
      selfChecked: (call, check) => measurer.selfChecked(call, check),
      warned: (warning) => measurer.warned(warning),
      runUpdate: (update) => measurer.runUpdate(update),
      callEnded: (_call, error) => measurer.callEnded(error),
    },
  };
}

/** Rows for the self-check: it may take them twice over, and is not to need more memory than the trial after it. */
function checkRows(trials: readonly number[]): number {
  return Math.max(2, Math.floor(Math.min(...trials) / 2));
}

/** The state of one measuring process: it lives until its first training call is measured. */
class Measurer {
  private readonly warnings: PlanWarning[] = [];
  private readonly deviceErrors: DeviceError[] = [];
  private readonly slots: SlotBytes = { optimizerBytes: null };
  private inspected = false;
  private selfCheckDone = false;
  private tools: TrialTools | null = null;
  /** The trial before, in this process. */
  private timeline: Timeline | null = null;
  /** The trial whose work is queued on the device. */
  private queued: QueuedTrial | null = null;

  constructor(
    private readonly job: MeasureJob,
    private readonly context: EngineContext,
  ) {}

  callStarted(call: TrainingCall): void {
    const backend = this.backend();
    backend.onDeviceError((error) => this.deviceErrors.push(error));
    const replaced = backend.replaced();
    if (replaced !== null) this.warned({ code: 'backendFellBack', message: replaced, layers: [] });
    const refusal = backend.report.name === 'wasm' ? wasmRefusal(backend.core, call.model) : null;
    if (refusal !== null) {
      this.context.report({ type: 'backendUnfit', reason: refusal });
      this.context.leave();
    }
    this.tools = toolsFor(backend, this.context);
    if (call.passThrough !== null) this.inspectAndLeave(call, call.passThrough);
  }

  selfChecked(
    call: TrainingCall,
    check: { rows: number; relativeDifference: number; passed: boolean },
  ): void {
    this.selfCheckDone = true;
    const { rows, relativeDifference, passed } = check;
    this.context.report({ type: 'selfCheck', rows, relativeDifference, passed });
    if (!passed) {
      const difference = relativeDifference.toExponential(1);
      this.inspectAndLeave(call, call.passThrough ?? `The self-check found a difference of ${difference}.`);
    }
  }

  warned(warning: PlanWarning): void {
    this.warnings.push(warning);
    if (this.inspected) this.context.report({ type: 'warning', warning });
  }

  runUpdate(update: Update): void {
    const { job, context } = this;
    this.inspect(update.call, update.rows, null);
    const sizes = [...new Set(job.trials.map((size) => Math.min(size, update.rows)))];
    for (const size of sizes) {
      context.report({ type: 'trialStarted', microbatch: size });
      this.measure(update, size);
    }
    this.leave();
  }

  async callEnded(error: unknown): Promise<void> {
    const backend = this.backend();
    if (this.queued !== null) {
      await this.deviceDone(backend);
      this.settle(this.queued);
    } else if (error === null || error === undefined) {
      this.fail(new Error('The training call ended without a single update: there is no data to train on.'));
    } else if (isOutOfMemory(error) && this.job.selfCheck && !this.selfCheckDone) {
      this.context.report({ type: 'selfCheckOutOfMemory', message: messageOf(error) });
    } else if (isOutOfMemory(error) && this.job.trials[0] !== undefined) {
      // The data of an update, or what the script keeps on the device, did not fit even before a microbatch ran.
      const [microbatch] = this.job.trials;
      this.context.report({ type: 'trialStarted', microbatch });
      this.outOfMemory(microbatch, `before the first microbatch: ${messageOf(error)}`);
    } else {
      this.fail(error);
    }
    this.leave();
  }

  /** A wait that fails because the device failed is one more of its errors. */
  private async deviceDone(backend: ChosenBackend): Promise<void> {
    try {
      await backend.settle();
    } catch (error) {
      this.deviceErrors.push({ kind: 'lost', message: messageOf(error) });
    }
  }

  private measure(update: Update, size: number): void {
    const tools = this.tools;
    if (tools === null) throw new Error('An update began before its call.');
    const startedAt = tools.now();
    let measurement: TrialMeasurement;
    let timeline: readonly number[];
    try {
      ({ measurement, timeline } = measureTrial(update, size, tools, this.slots));
    } catch (error) {
      const device = judgeDeviceErrors(this.deviceErrors);
      if (isOutOfMemory(error)) this.outOfMemory(size, messageOf(error));
      else if (device.outcome === 'outOfMemory') this.outOfMemory(size, device.message);
      else this.fail(error);
      return this.leave();
    }
    if (this.isQueueing()) {
      // Whether it fits is known when the device is done; sizes after this one are measured in other processes.
      this.queued = { measurement, startedAt, microbatches: size === update.rows ? 2 : 4 };
      throw new TrialQueued('The trial is queued on the device.');
    }
    // The trial's own report comes last: at that of the last trial, the supervisor may end this process at once.
    this.predict(update, { microbatch: measurement.microbatch, bytes: timeline });
    this.context.report({ type: 'trialFits', measurement });
  }

  /** From the second trial of a process on: the line that larger microbatches will follow. */
  private predict(update: Update, timeline: Timeline): void {
    const before = this.timeline;
    this.timeline = timeline;
    if (before === null) return;
    const farSize = Math.min(update.rows, farFactor * timeline.microbatch);
    const line = gradientLine(before, timeline, farSize);
    if (line !== null) this.context.report({ type: 'gradientLine', ...line });
  }

  /** On WebGPU nothing has failed that is not told of: the verdict comes from the device's errors. */
  private settle({ measurement, startedAt, microbatches }: QueuedTrial): void {
    const verdict = judgeDeviceErrors(this.deviceErrors);
    if (verdict.outcome === 'outOfMemory') return this.outOfMemory(measurement.microbatch, verdict.message);
    if (verdict.outcome === 'unfit') {
      return this.context.report({ type: 'backendUnfit', reason: verdict.message });
    }
    const tools = this.tools;
    // Queueing takes no time, so the device's time is shared out over the microbatches of both rounds.
    const elapsed = tools === null ? 0 : tools.now() - startedAt;
    const devicePeakBytes = tools?.device.peakBytes() ?? measurement.devicePeakBytes;
    this.context.report({
      type: 'trialFits',
      measurement: { ...measurement, devicePeakBytes, microbatchMs: elapsed / microbatches, applyMs: 0 },
    });
  }

  private inspect(call: TrainingCall, rows: number | null, passThrough: string | null): void {
    if (this.inspected) return;
    this.inspected = true;
    const target = call.targetBatchSize ?? rows ?? 1;
    this.context.report({
      type: 'inspected',
      inspection: {
        method: call.method,
        ...describeModel(call.model, call.modelName),
        scriptBatchSize: call.scriptBatchSize,
        targetBatchSize: target,
        // A data set whose first batch is not full has no more than these.
        examples: call.examples ?? (rows !== null && rows < target ? rows : null),
        epochs: call.epochs,
        hasValidation: call.hasValidation,
        passThrough,
        warnings: uniqueWarnings([...call.warnings, ...this.warnings]),
      },
    });
  }

  private inspectAndLeave(call: TrainingCall, passThrough: string): void {
    this.inspect(call, null, passThrough);
    this.context.leave();
  }

  private outOfMemory(microbatch: number, message: string): void {
    const { peakBytes } = this.context.meter;
    this.context.report({ type: 'trialOutOfMemory', microbatch, message, peakBytes });
  }

  private fail(error: unknown): void {
    const unfit = backendUnfitReason(error);
    if (unfit !== null) this.context.report({ type: 'backendUnfit', reason: unfit });
    else this.context.report({ type: 'failed', failure: failureFrom(error) });
  }

  private isQueueing(): boolean {
    return this.backend().report.name === 'webgpu';
  }

  private backend(): ChosenBackend {
    const backend = this.context.chosenBackend;
    if (backend === null) throw new Error('A training call began before its backend was chosen.');
    return backend;
  }

  private leave(): void {
    const { usesGpu, name } = this.backend().report;
    if (usesGpu && name !== 'webgpu') {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, holdForReadingMs);
    }
    this.context.leave();
  }
}

function toolsFor({ core, report }: ChosenBackend, context: EngineContext): TrialTools {
  const device = context.deviceMemory;
  if (device === null) throw new Error('A training call began before its backend was chosen.');
  // TensorFlow queues work on a GPU; a read waits for all that was queued before it. The others compute at once.
  const queues = report.usesGpu && report.name !== 'webgpu';
  const finishWork = (): void => {
    if (queues) core.tidy(() => core.add(core.scalar(1), core.scalar(1)).dataSync());
  };
  return { meter: context.meter, device, now: () => performance.now(), finishWork };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
