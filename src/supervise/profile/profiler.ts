// Finds what a plan needs by running the script in children: inspection, backend, budget, and the largest microbatch.
import { uniqueWarnings } from '../../planning/warning';
import { chooseDevice, deviceEnvironment, findDevice, type SelectedDevice } from '../../gpu/select';
import type { DeviceReading, GpuReading } from '../../gpu/types';
import { findLargestMicrobatch, type SearchResult } from '../../planning/batchSearch';
import type { BackendName } from '../../planning/backendName';
import type { PlanDevice, PlanExactness } from '../../planning/plan';
import type { Trial } from '../../planning/trial';
import type { PlanWarning } from '../../planning/warning';
import type { BackendReport } from '../../protocol/backend';
import type { MeasureJob } from '../../protocol/job';
import type { EngineReport, Inspection, TrialMeasurement } from '../../protocol/report';
import { runMeasure, type MeasureRun } from './engineProcess';
import type { EngineTimeouts } from './measureProgress';
import { budgetFor } from './profilerBudget';
import { ProfileError } from './profilerError';
import { findingsOf, type ChildFindings } from './profilerOutcome';
import { overheadBytes, tensorPeakBytes, trialsOf } from './profilerTrials';
import type { ScriptRequest } from '../scriptCommand';

export interface ProfileRequest {
  /** Absolute path of the script or model.json. */
  readonly entry: string;
  /** The file that Node runs where it is not the entry: the product's runner of a model.json. */
  readonly main?: string | undefined;
  readonly arguments: readonly string[];
  /** Absolute path of the folder that the script runs in. */
  readonly folder: string;
  readonly nodeArguments: readonly string[];
  readonly model?: MeasureJob['model'];
  /** A backend by name; null: the first that works. */
  readonly backend: BackendName | null;
  /** Examples per update; null: what the script asks for. */
  readonly targetBatchSize: number | null;
  /** Memory that the plan may use; null: what is free, less the headroom. */
  readonly budgetBytes: number | null;
  /** Memory to keep free; null: 5 % of the device, at least 256 MiB. */
  readonly headroomBytes?: number | null | undefined;
  /** Bus id, UUID or number of the GPU; null: the one with the most free memory. */
  readonly gpu?: string | null | undefined;
}

export interface ProfileTools extends Pick<
  MeasureRun,
  'signal' | 'node' | 'temporaryFolder' | 'onOutput' | 'onRubbish'
> {
  /** Absolute path of dist/preload.cjs. */
  readonly preloadFile: string;
  readonly readDevices: () => Promise<DeviceReading>;
  /** The environment that the script would have. */
  readonly environment: Readonly<NodeJS.ProcessEnv>;
  readonly timeouts?: Partial<EngineTimeouts>;
  readonly onProgress?: (progress: ProfileProgress) => void;
}

/** What happens while profiling, in order. */
export type ProfileProgress =
  | Extract<EngineReport, { type: 'backend' | 'inspected' | 'selfCheck' | 'trialStarted' | 'warning' }>
  | {
      readonly type: 'budget';
      readonly device: PlanDevice | null;
      readonly budgetBytes: number | undefined;
      /** True where the backend can hold no more, however much memory there is (WASM). */
      readonly isBackendLimit: boolean;
    }
  | {
      readonly type: 'trialEnded';
      readonly trial: Trial;
      readonly message: string | null;
      /** Uncorrected; null where memory ended. */
      readonly measurement: TrialMeasurement | null;
    }
  | { readonly type: 'backendPassedOver'; readonly name: BackendName; readonly reason: string };

/** What profiling found: all that buildPlan asks for. */
export interface ProfileResult {
  readonly inspection: Inspection;
  readonly backend: BackendReport;
  readonly tfjsVersion: string;
  readonly nodeVersion: string;
  readonly device: PlanDevice | null;
  readonly budgetBytes: number | undefined;
  /** Null where the script's own batches are used unchanged (`inspection.passThrough` says why): nothing was tried. */
  readonly search: SearchResult | null;
  /** What each trial that fits measured, uncorrected. */
  readonly measurements: readonly TrialMeasurement[];
  /** The self-check's figure; null where it was not run. */
  readonly exactness: PlanExactness | null;
  readonly warnings: readonly PlanWarning[];
}

/** Sizes measured in the first child, besides inspecting: the first two that the search asks for. */
const probes = [1, 2];

const defaultTimeouts: EngineTimeouts = { startupMs: 15 * 60_000, trialMs: 3 * 60_000 };
/** A trial may take this many times what the measured ones predict. */
const patience = 10;

/**
 * Profiles a script. The first child inspects and measures the probes; each larger size has a child of its own, so
 * that nothing of one trial is left in the next. A backend that cannot run the script is passed over for the next.
 * @throws ProfileError where there is no answer; NothingFitsError where not one example fits; the signal's reason
 * when aborted; ScriptCommandError for a script that cannot be started. Nothing keeps running in any case.
 */
export function profile(request: ProfileRequest, tools: ProfileTools): Promise<ProfileResult> {
  return new Profiler(request, tools).run();
}

/** Ends a search whose answer does not matter any more; never leaves this file. */
class PassThroughFound extends Error {}

class Profiler {
  readonly #measurements: TrialMeasurement[] = [];
  readonly #warnings: PlanWarning[] = [];
  /** Trials that were run already, by size. */
  readonly #known = new Map<number, Trial>();
  readonly #passOver: { name: BackendName; reason: string }[] = [];
  #selected: SelectedDevice | null = null;
  #exactness: PlanExactness | null = null;
  /** A later inspection that knows more than the first: the self-check failed. */
  #inspection: Inspection | null = null;
  /** What CUDA took beyond tensors in the first child; null: each process tells its own. */
  #fixedOverheadBytes: number | null = null;
  /** What the first child used beyond tensors. */
  #usualOverheadBytes: number | null = null;
  #devices: DeviceReading | null = null;

  constructor(
    private readonly request: ProfileRequest,
    private readonly tools: ProfileTools,
  ) {}

  async run(): Promise<ProfileResult> {
    const { request, tools } = this;
    const devices = await tools.readDevices();
    this.#devices = devices;
    const gpu = request.gpu ?? null;
    this.#selected =
      gpu === null ? chooseDevice(devices.gpus, tools.environment) : findDevice(devices.gpus, gpu);
    const first = await this.firstChild();
    const { inspection, backend } = first;
    const limitBytes = first.process?.tensorLimitBytes ?? null;
    const { device, budgetBytes } = budgetFor({
      backend: backend.backend,
      devices,
      gpu,
      environment: tools.environment,
      budgetBytes: request.budgetBytes,
      headroomBytes: request.headroomBytes ?? null,
      residentBytes: first.process?.residentBytes ?? 0,
      tensorLimitBytes: limitBytes,
    });
    const isBackendLimit = limitBytes !== null && budgetBytes === limitBytes;
    tools.onProgress?.({ type: 'budget', device, budgetBytes, isBackendLimit });
    const search = inspection.passThrough === null ? await this.search(inspection, budgetBytes) : null;
    return {
      inspection: this.#inspection ?? inspection,
      backend: backend.backend,
      tfjsVersion: backend.tfjsVersion,
      nodeVersion: backend.nodeVersion,
      device,
      budgetBytes,
      search,
      measurements: this.#measurements,
      exactness: this.#exactness,
      warnings: uniqueWarnings(this.#warnings),
    };
  }

  /** Inspects and probes, with the first backend that can run the script. */
  private async firstChild() {
    for (;;) {
      const findings = await this.child(probes, { probing: true });
      const { backend, inspection, unfit } = findings;
      if (unfit === null) {
        if (inspection === null || backend === null) {
          throw new ProfileError('failed', 'The script ended before its training call could be inspected.');
        }
        return { ...findings, backend, inspection };
      }
      const name = backend?.backend.name ?? this.request.backend;
      if (name === null || this.request.backend !== null) {
        throw new ProfileError('failed', `The backend ${name ?? ''} cannot run this script: ${unfit}.`);
      }
      this.#passOver.push({ name, reason: unfit });
      this.tools.onProgress?.({ type: 'backendPassedOver', name, reason: unfit });
    }
  }

  /** Null where the self-check, in the first larger trial, finds that microbatching would be wrong. */
  private async search(
    inspection: Inspection,
    budgetBytes: number | undefined,
  ): Promise<SearchResult | null> {
    const { targetBatchSize, examples } = inspection;
    const cap = Math.min(targetBatchSize, Math.max(1, examples ?? targetBatchSize));
    try {
      return await findLargestMicrobatch((size) => this.trial(size), { cap, budgetBytes });
    } catch (error) {
      if (error instanceof PassThroughFound) return null;
      throw error;
    }
  }

  private async trial(size: number): Promise<Trial> {
    const known = this.#known.get(size);
    if (known !== undefined) return known;
    // The self-check comes with the first larger trial: there its few rows need no more memory than the trial does,
    // and the probes' memory is not mixed with its own.
    let findings = await this.child([size], { selfCheck: this.#exactness === null });
    if (findings.endedInSelfCheck) findings = await this.child([size], {});
    const { unfit, inspection, exactness } = findings;
    this.#exactness ??= exactness;
    if (unfit !== null) throw new ProfileError('failed', `The backend failed at ${size} at once: ${unfit}`);
    if (inspection !== null && inspection.passThrough !== null) {
      this.#inspection = inspection;
      throw new PassThroughFound(inspection.passThrough);
    }
    const trial = this.#known.get(size);
    if (trial === undefined)
      throw new ProfileError('failed', `The trial of ${size} at once ended without an outcome.`);
    return trial;
  }

  /** Runs one child and keeps what it measured. Throws where it has no answer. */
  private async child(
    sizes: readonly number[],
    { selfCheck = false, probing = false }: { readonly selfCheck?: boolean; readonly probing?: boolean },
  ): Promise<ChildFindings> {
    const { request, tools } = this;
    const usedBefore = this.#selected?.gpu.memoryUsedBytes ?? null;
    let usedAfter: number | null = null;
    const findings = findingsOf(
      await runMeasure({
        job: {
          mode: 'measure',
          entry: request.entry,
          backend: request.backend,
          passOver: this.#passOver,
          targetBatchSize: request.targetBatchSize,
          trials: [...sizes],
          selfCheck,
          ...(request.model === undefined ? {} : { model: request.model }),
        },
        script: this.script(),
        timeouts: this.timeouts(Math.max(...sizes)),
        availableBytes: this.#devices?.systemMemory.availableBytes ?? null,
        signal: tools.signal,
        node: tools.node,
        temporaryFolder: tools.temporaryFolder,
        onOutput: tools.onOutput,
        onRubbish: tools.onRubbish,
        onReport: (report) => this.follow(report),
        readDevice: probing
          ? async () => {
              usedAfter = this.usedNow(await tools.readDevices());
            }
          : undefined,
      }),
    );
    if (selfCheck && findings.endedInSelfCheck) return findings;
    if (findings.problem !== null) throw findings.problem;
    this.#warnings.push(...findings.warnings);
    const largest = findings.fits.at(-1);
    if (usedBefore !== null && usedAfter !== null && largest !== undefined) {
      this.#fixedOverheadBytes = Math.max(0, usedAfter - usedBefore - tensorPeakBytes(largest));
    }
    this.keep(findings);
    return findings;
  }

  private keep({ fits, outOfMemory, gradientLine }: ChildFindings): void {
    this.#measurements.push(...fits);
    const probe = fits.at(-1);
    if (probe !== undefined) this.#usualOverheadBytes ??= overheadBytes(probe);
    const trials: Omit<Extract<ProfileProgress, { type: 'trialEnded' }>, 'type'>[] = trialsOf(
      fits,
      { deviceBytes: this.#fixedOverheadBytes, usualBytes: this.#usualOverheadBytes },
      gradientLine,
    ).map((trial, index) => ({ trial, message: null, measurement: fits[index] ?? null }));
    if (outOfMemory !== null) {
      const { microbatch, message, peakBytes } = outOfMemory;
      const known = peakBytes === undefined ? {} : { peakBytes };
      trials.push({ trial: { microbatch, outcome: 'outOfMemory', ...known }, message, measurement: null });
    }
    for (const ended of trials) {
      this.#known.set(ended.trial.microbatch, ended.trial);
      this.tools.onProgress?.({ type: 'trialEnded', ...ended });
    }
  }

  private follow(report: EngineReport): void {
    switch (report.type) {
      case 'trialStarted':
      case 'selfCheck':
        this.tools.onProgress?.(report);
        break;
      case 'backend':
      case 'inspected':
      case 'warning':
        // Told once: later children tell the same again.
        if (this.#known.size === 0) this.tools.onProgress?.(report);
        break;
      default:
    }
  }

  private script(): Omit<ScriptRequest, 'jobFile'> {
    const { request, tools } = this;
    return {
      main: request.main ?? request.entry,
      arguments: request.arguments,
      folder: request.folder,
      nodeArguments: request.nodeArguments,
      preloadFile: tools.preloadFile,
      // TensorFlow would take the last GPU of several: it is shown the chosen one only.
      environment: {
        ...tools.environment,
        ...(this.#selected === null ? {} : deviceEnvironment(this.#selected)),
      },
    };
  }

  /** A larger size may take longer in proportion to what was measured. */
  private timeouts(size: number): EngineTimeouts {
    const { startupMs, trialMs } = { ...defaultTimeouts, ...this.tools.timeouts };
    const largest = this.#measurements.at(-1);
    if (largest === undefined) return { startupMs, trialMs };
    const { microbatch, microbatchMs, applyMs } = largest;
    const predictedMs = 5 * microbatchMs * (size / microbatch) + 2 * applyMs;
    return { startupMs, trialMs: Math.max(trialMs, patience * predictedMs) };
  }

  private usedNow({ gpus }: DeviceReading): number | null {
    const same = (gpu: GpuReading): boolean =>
      gpu.busId === this.#selected?.gpu.busId && gpu.uuid === this.#selected?.gpu.uuid;
    return gpus.find(same)?.memoryUsedBytes ?? null;
  }
}
