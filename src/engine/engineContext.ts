// What measuring and training are given to work with, and what they give back to the preloaded hook.
import type { EngineJob } from '../protocol/job';
import type { FailureReport } from '../protocol/report';
import type { ChosenBackend } from './backends/choose';
import type { FitObserver, HookSettings } from './contracts';
import type { DeviceMemory } from './measure/deviceMemory';
import type { MemoryMeter } from './measure/memoryMeter';
import type { SendReport } from './report';

/** One for each engine process. */
export interface EngineContext<Job extends EngineJob = EngineJob> {
  readonly job: Job;
  /** Bytes held in tensors, each buffer once, from the first tensor on. */
  readonly meter: MemoryMeter;
  /** Appends to the job's report file, at once and synchronously. */
  readonly report: SendReport;
  /**
   * The backend. Chosen before the script's first line where this process runs the entry; in a process that turns
   * out to train later, at its first training call. Rejects with the error of chooseBackend.
   */
  backend(): Promise<ChosenBackend>;
  /** What the process or the device really uses; there as soon as the backend is. */
  readonly deviceMemory: DeviceMemory | null;
  /** The backend where it has been chosen; always there from `callStarted` on. */
  readonly chosenBackend: ChosenBackend | null;
  /**
   * Ends this process at once: no handler of the script runs and nothing of the script's is written any more.
   * What was reported is safe.
   */
  leave(): never;
}

/** What a mode (measuring, training) puts behind the hook. */
export interface EngineMode {
  readonly settings: HookSettings;
  readonly observer: FitObserver;
  /**
   * The process exits by itself or by process.exit, with this code, having trained; only synchronous work is done
   * any more. Not called where the script never trained: the hook reports that itself.
   */
  scriptEnded?(code: number): void;
  /** The script threw and nothing of its own caught it; `scriptEnded` follows. Reported already. */
  scriptFailed?(failure: FailureReport, error: unknown): void;
  /** The supervisor is gone: save and leave. Without it the process is killed at once. */
  parentGone?(): void;
  /** Time in ms that `parentGone` may take before the process is killed. */
  readonly parentGoneGraceMs?: number;
}

/** Where the context lies for code of other bundles in this process (the model.json runner). */
const contextKey = Symbol.for('batch-planner.engine');

/** Makes the context findable in this process. Called once, by the preloaded hook. */
export function publishContext(context: EngineContext): void {
  Object.defineProperty(globalThis, contextKey, { value: context });
}

/** The context of this process; null in one that was not started by the supervisor. */
export function engineContext(): EngineContext | null {
  return (globalThis as { [contextKey]?: EngineContext })[contextKey] ?? null;
}
