// Puts the engine together in a child: backend, hook, mode, and what is reported when the script ends without training.
import path from 'node:path';
import { fileTrouble } from '../protocol/fileTrouble';
import type { EngineJob } from '../protocol/job';
import type { ChosenBackend, Substitute } from './backends/choose';
import type { Core } from './backends/tensorflow';
import type { FitObserver, HookSettings } from './contracts';
import { publishContext, type EngineContext, type EngineMode } from './engineContext';
import { deviceMemoryOf, processMemory, type DeviceMemory } from './measure/deviceMemory';
import { startLifeline } from './lifeline';
import { MemoryMeter } from './measure/memoryMeter';
import { installModuleHook, type LayersCopy } from './moduleHook';
import { OwnLoopWatch } from './ownLoop';
import { createSender } from './report';
import { backendUnfitReason, failureFrom } from './scriptErrors';
import { runsOneOf } from './scriptProcess';
import { wasmBudgetBytes } from './wasm/memoryGuard';

/** The parts that the engine puts together; each is tested by itself. */
export interface EngineParts {
  chooseBackend(job: EngineJob): Promise<ChosenBackend>;
  /** True where an error of chooseBackend says that no backend works at all. */
  isNoBackend(error: unknown): boolean;
  /** A working package in the place of a native one that cannot be loaded; undefined where there is none. */
  substitute(request: string, backend: ChosenBackend): Substitute | undefined;
  installFitHook(copy: LayersCopy, settings: HookSettings, observer: FitObserver): void;
  createMode(job: EngineJob, context: EngineContext): EngineMode;
}

/** Gradients of a loop of the script's own after which measuring gives up waiting for a training call. */
const ownLoopLimit = 100;

/** Main scripts of the product's own that run an entry: the model.json runner lies beside this bundle. */
const ownMains = [path.join(__dirname, 'modelEntry.cjs')];

/**
 * Starts the engine in this process. Nothing is loaded yet: the module hook waits for TensorFlow.js.
 * Returns what has to be awaited before the script's first line.
 */
export function startEngine(job: EngineJob, parts: EngineParts): () => Promise<void> {
  const report = createSender(job.reportFile);
  const meter = new MemoryMeter();
  let choosing: Promise<ChosenBackend> | null = null;
  let isChoosing = false;
  let chosen: ChosenBackend | null = null;
  let deviceMemory: DeviceMemory | null = null;
  let watching = false;
  let tensorflowLoaded = false;
  let trained = false;
  let failed = false;

  const context: EngineContext = {
    job,
    meter,
    report,
    get chosenBackend() {
      return chosen;
    },
    get deviceMemory() {
      return deviceMemory;
    },
    backend: () => (choosing ??= choose()),
    leave,
  };
  publishContext(context);
  const mode = parts.createMode(job, context);
  const observer = observe(mode.observer);
  const ownLoop = new OwnLoopWatch((count) => {
    if (job.mode !== 'measure' || trained || count < ownLoopLimit) return;
    report({ type: 'neverTrained', code: 0, ownLoop: true, tensorflowLoaded: true });
    leave();
  });

  installModuleHook({
    coreAsked: () => {
      // Not by the engine itself, while it chooses a backend.
      if (!isChoosing) tensorflowLoaded = true;
    },
    coreLoaded: (core) => {
      watchParent();
      meter.attach(core);
      ownLoop.attach(core);
    },
    layersLoaded: (copy) => {
      parts.installFitHook(copy, mode.settings, observer);
      beforeTraining(copy.layers.LayersModel.prototype, waitForBackend);
    },
    nativeLoaded: keepBackend,
    substitute,
  });
  reportEnding();
  return prepare;

  /** Before the script's first line: the backend, where this process runs the entry. */
  async function prepare(): Promise<void> {
    if (!runsOneOf([job.entry, ...ownMains], process.argv)) return;
    watchParent();
    await context.backend();
  }

  async function choose(): Promise<ChosenBackend> {
    isChoosing = true;
    try {
      chosen = await parts.chooseBackend(job);
    } catch (error) {
      failed = true;
      if (!parts.isNoBackend(error)) {
        report({ type: 'failed', failure: failureFrom(error) });
        throw error;
      }
      report({ type: 'noBackend', message: error instanceof Error ? error.message : String(error) });
      return leave();
    } finally {
      isChoosing = false;
    }
    // Whatever the process holds from here on is the script's and its model's.
    meter.attachNative(chosen.core.backend());
    const memory = processMemory();
    const residentBytes = memory.residentBytes();
    deviceMemory = deviceMemoryOf(chosen, memory, residentBytes);
    const tensorLimitBytes = chosen.report.name === 'wasm' ? wasmBudgetBytes : null;
    report({ type: 'process', pid: process.pid, residentBytes, tensorLimitBytes });
    const { report: backend, tfjsVersion } = chosen;
    report({ type: 'backend', backend, tfjsVersion, nodeVersion: process.versions.node });
    for (const warning of chosen.warnings) report({ type: 'warning', warning });
    return chosen;
  }

  /** Null once the backend is there: a training call then begins at once, as it does without the hook. */
  function waitForBackend(): Promise<unknown> | null {
    return chosen === null ? context.backend() : null;
  }

  /** The script goes on with a working package in the place of the one that it asked for, and the user is told. */
  function substitute(request: string): unknown {
    if (chosen === null) return undefined;
    const found = parts.substitute(request, chosen);
    if (found === undefined) return undefined;
    report({ type: 'warning', warning: found.warning });
    return found.module;
  }

  /** tfjs-node makes itself the active backend when it is loaded; the one that was chosen stays. */
  function keepBackend(core: Core): void {
    if (chosen === null) return;
    const name = chosen.core.getBackend();
    if (core.getBackend() !== name) core.setBackend(name);
  }

  /** Adds to a mode's observer what the engine itself has to know of each call. */
  function observe(inner: FitObserver): FitObserver {
    const own: Pick<FitObserver, 'callStarted' | 'callEnded'> = {
      callStarted: async (call) => {
        trained = true;
        ownLoop.callStarted();
        await inner.callStarted?.(call);
      },
      callEnded: async (call, error) => {
        ownLoop.callEnded();
        await inner.callEnded?.(call, error);
      },
    };
    // A proxy, so that a member which the mode leaves out stays out: the hook then does its default.
    return new Proxy(inner, {
      get: (target, name) => {
        if (name === 'callStarted' || name === 'callEnded') return own[name];
        const member: unknown = Reflect.get(target, name);
        return typeof member === 'function' ? member.bind(target) : member;
      },
    });
  }

  function watchParent(): void {
    if (watching) return;
    watching = true;
    startLifeline({
      parentPid: job.parentPid,
      graceMs: mode.parentGoneGraceMs ?? 0,
      parentGone: () => mode.parentGone?.(),
    });
  }

  function reportEnding(): void {
    process.on('uncaughtExceptionMonitor', (error) => {
      failed = true;
      const unfit = backendUnfitReason(error);
      if (unfit !== null) tellLast({ type: 'backendUnfit', reason: unfit });
      const failure = failureFrom(error);
      tellLast({ type: 'failed', failure });
      if (trained) mode.scriptFailed?.(failure, error);
    });
    process.on('exit', (code) => {
      if (trained) mode.scriptEnded?.(code);
      else if (!failed) {
        tellLast({ type: 'neverTrained', code, ownLoop: ownLoop.count > 0, tensorflowLoaded });
      }
    });
  }

  /** While the process ends: an error here would only take the place of the one that is told. */
  function tellLast(last: Parameters<typeof report>[0]): void {
    try {
      report(last);
    } catch (error) {
      console.error(`Batch Planner cannot write ${job.reportFile}: ${fileTrouble(error)}.`);
    }
  }

  /**
   * SIGKILL, because `process.exit` would run the script's own exit handlers, and because backends can hang or
   * crash in their destructors.
   */
  function leave(): never {
    process.kill(process.pid, 'SIGKILL');
    // Where the signal takes a moment to arrive (Windows ends the process from outside), nothing more may run.
    for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
  }
}

/** Classes whose training methods wait already: a union package exports those of its parts again. */
const waiting = new WeakSet<object>();

/** Makes the training methods of a class wait, where there is something to wait for, before they do anything. */
function beforeTraining(prototype: object, wait: () => Promise<unknown> | null): void {
  if (waiting.has(prototype)) return;
  waiting.add(prototype);
  for (const name of ['fit', 'fitDataset', 'trainOnBatch']) {
    const method: unknown = Reflect.get(prototype, name);
    if (typeof method !== 'function') continue;
    const value = function (this: unknown, ...parameters: unknown[]): unknown {
      const call = (): unknown => Reflect.apply(method, this, parameters);
      const backend = wait();
      return backend === null ? call() : backend.then(call);
    };
    Object.defineProperty(prototype, name, { value, writable: true, configurable: true });
  }
}
