// `batch-planner plan`: from an entry to its accumulation config, and the exit code.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { readDevices } from '../../gpu/monitor';
import type { BackendName } from '../../planning/backendName';
import { buildPlan } from '../../planning/buildPlan';
import type { AccumulationConfig } from '../../planning/configSchema';
import type { MemoryParts } from '../../planning/describe';
import { modelTraining } from '../../planning/modelTraining';
import type { Objective, Plan } from '../../planning/plan';
import {
  InputError,
  parseBudget,
  parseHeadroom,
  parseShapes,
  parseTargetBatch,
} from '../../planning/userInput';
import { formatCount } from '../../planning/units';
import type { PlanWarning } from '../../planning/warning';
import { configOfPlan } from '../../planning/writeConfig';
import { exitCodes, type ExitCode } from '../../protocol/exitCodes';
import { recogniseEntry, type Entry } from '../entry';
import { openPlanConfig, savePlanConfig, type PlanConfigFile } from './planConfigFile';
import type { PlanDisplay } from './planDisplay';
import { failureOf, internalFailure, interruptedFailure, type NothingFitsFacts } from './planFailure';
import { profile, type ProfileProgress, type ProfileRequest, type ProfileResult } from '../profile/profiler';
import { ProfileError } from '../profile/profilerError';
import { tensorPeakBytes } from '../profile/profilerTrials';
import { checkScriptFolder } from './scriptFolder';

export interface PlanCommandOptions {
  readonly out: { write(text: string): unknown };
  readonly err: { write(text: string): unknown };
  /** As typed. */
  readonly entry: string;
  /** The script's own arguments; empty: those of an earlier config. */
  readonly scriptArguments: readonly string[];
  readonly targetBatch: string | null;
  readonly budget: string | null;
  readonly headroom: string | null;
  readonly backend: BackendName | null;
  readonly objective: Objective;
  readonly outFile: string | null;
  readonly folder: string | null;
  readonly device: string | null;
  readonly shapes: readonly string[];
  readonly json: boolean;
  readonly display: PlanDisplay;
  readonly productVersion: string;
  /** Folder of preload.cjs and modelEntry.cjs; where this bundle lies. */
  readonly programFolder?: string;
  /** Where Ctrl-C and requests to terminate come from. */
  readonly signals?: Pick<NodeJS.EventEmitter, 'on' | 'off'>;
  /** Ends planning as Ctrl-C does. */
  readonly cancel?: AbortSignal;
  /** Called with what the script prints; left out: it is dropped. */
  readonly onOutput?: (text: string) => void;
}

const endingSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Runs the command; everything that a person can correct is told in a sentence. */
export async function runPlanCommand(options: PlanCommandOptions): Promise<ExitCode> {
  const { display, err, signals = process } = options;
  const abort = new AbortController();
  const interrupt = (): void => {
    abort.abort();
  };
  for (const signal of endingSignals) signals.on(signal, interrupt);
  options.cancel?.addEventListener('abort', interrupt);
  if (options.cancel?.aborted === true) interrupt();
  const seen: NothingFitsFacts = { deviceName: null, parts: null };
  try {
    await planEntry(options, abort.signal, seen);
    return exitCodes.done;
  } catch (error) {
    display.end();
    const told = abort.signal.aborted
      ? { failure: interruptedFailure, exitCode: exitCodes.interrupted }
      : failureOf(error, seen);
    display.failed(told?.failure ?? internalFailure(error));
    if (told === null) throw error;
    err.write(`${told.failure.message}\n`);
    return told.exitCode;
  } finally {
    for (const signal of endingSignals) signals.off(signal, interrupt);
    options.cancel?.removeEventListener('abort', interrupt);
    display.end();
  }
}

async function planEntry(
  options: PlanCommandOptions,
  signal: AbortSignal,
  seen: NothingFitsFacts,
): Promise<void> {
  signal.throwIfAborted();
  const entry = await recogniseEntry(options.entry);
  const file = await openPlanConfig(entry.file, options.outFile);
  const configFolder = path.dirname(file.path);
  const training = trainingOf(entry, file, options);
  const request = requestOf(entry, training, file, options);
  if (training.kind === 'script') {
    await checkScriptFolder(request.folder, options.folder === null ? file.path : null);
  }
  options.display.started(options.entry);
  const result = await profile(request, {
    preloadFile: path.join(options.programFolder ?? __dirname, 'preload.cjs'),
    readDevices: () => readDevices({ signal }),
    environment: process.env,
    signal,
    ...(options.onOutput === undefined ? {} : { onOutput: (_, text) => options.onOutput?.(text) }),
    onProgress: (progress) => {
      if (progress.type === 'budget') seen.deviceName = progress.device?.name ?? null;
      if (progress.type === 'trialEnded') seen.parts ??= partsOf(progress);
      options.display.progress(progress);
    },
  });
  const plan = planOf(options, result, request.targetBatchSize, seen.parts);
  const config = configOfPlan(plan, {
    entry: relative(configFolder, entry.file),
    training,
    plannedAt: new Date(),
    productVersion: options.productVersion,
    nodeVersion: result.nodeVersion,
    tfjsVersion: result.tfjsVersion,
  });
  // A Ctrl-C that came after the last trial still means: leave my files alone.
  signal.throwIfAborted();
  await savePlanConfig(file, config);
  options.display.end();
  if (options.json) options.out.write(`${JSON.stringify(plan, null, 2)}\n`);
  else
    options.display.finished(plan, {
      path: file.path,
      isUpdate: file.earlier !== null,
      needsData: training.kind === 'model' && training.data === undefined,
    });
}

/** How the entry is trained: as an earlier config says, but for what was typed now. */
function trainingOf(
  entry: Entry,
  file: PlanConfigFile,
  options: PlanCommandOptions,
): AccumulationConfig['training'] {
  const earlier = file.earlier?.config.training;
  if (entry.kind === 'model') {
    const base = earlier?.kind === 'model' ? earlier : modelTraining.parse({ kind: 'model' });
    return options.shapes.length === 0
      ? base
      : { ...base, shapes: { ...base.shapes, ...parseShapes(options.shapes) } };
  }
  if (options.shapes.length > 0) {
    throw new InputError('shape', '--shape is for a model.json: a script makes its own inputs.');
  }
  const kept = earlier?.kind === 'script' ? earlier : null;
  const folder = options.folder === null ? null : path.resolve(options.folder);
  const configFolder = path.dirname(file.path);
  return {
    kind: 'script',
    arguments: options.scriptArguments.length > 0 ? [...options.scriptArguments] : (kept?.arguments ?? []),
    folder:
      folder === null && kept !== null
        ? kept.folder
        : relative(configFolder, folder ?? projectFolder(entry.file)),
    ...(kept?.nodeArguments === undefined ? {} : { nodeArguments: kept.nodeArguments }),
  };
}

function requestOf(
  entry: Entry,
  training: AccumulationConfig['training'],
  file: PlanConfigFile,
  options: PlanCommandOptions,
): ProfileRequest {
  const configFolder = path.dirname(file.path);
  const common = {
    entry: entry.file,
    backend: options.backend,
    targetBatchSize:
      options.targetBatch === null
        ? (file.earlier?.config.targetBatchSize ?? null)
        : parseTargetBatch(options.targetBatch),
    budgetBytes: options.budget === null ? null : parseBudget(options.budget),
    headroomBytes: options.headroom === null ? null : parseHeadroom(options.headroom),
    gpu: options.device,
  };
  if (training.kind === 'script') {
    return {
      ...common,
      arguments: training.arguments,
      folder: path.resolve(configFolder, training.folder),
      nodeArguments: training.nodeArguments ?? [],
    };
  }
  return {
    ...common,
    main: path.join(options.programFolder ?? __dirname, 'modelEntry.cjs'),
    arguments: [],
    folder: configFolder,
    nodeArguments: [],
    model: { training, folder: configFolder },
  };
}

function planOf(
  options: PlanCommandOptions,
  result: ProfileResult,
  wanted: number | null,
  parts: MemoryParts | null,
): Plan {
  const { inspection, backend, device, search, budgetBytes, exactness, warnings } = result;
  if (search === null) {
    const reason = inspection.passThrough ?? 'Nothing was measured.';
    throw new ProfileError(
      'failed',
      `${reason} Its batches cannot be cut into microbatches: no config was written, train it as it is.`,
    );
  }
  return buildPlan({
    entry: options.entry,
    inspection,
    backend,
    device,
    search,
    objective: options.objective,
    budgetBytes,
    exactness,
    parts,
    warnings: [...warnings, ...loweredTarget(wanted, inspection.targetBatchSize)],
  });
}

/** The hook lowers a target to the examples that there are. */
function loweredTarget(wanted: number | null, target: number): PlanWarning[] {
  if (wanted === null || wanted <= target) return [];
  const message = `You asked for ${formatCount(wanted)} examples per update, but each can have ${formatCount(target)} at most: that is what was planned.`;
  return [{ code: 'note', message, layers: [] }];
}

function partsOf({
  trial,
  measurement,
}: Extract<ProfileProgress, { type: 'trialEnded' }>): MemoryParts | null {
  if (measurement === null) return null;
  const overheadBytes = Math.max(0, (trial.peakBytes ?? 0) - tensorPeakBytes(measurement));
  return { ...measurement.breakdown, overheadBytes };
}

/** The nearest folder at or above the script that has a package.json, as npm takes it; else the script's own. */
function projectFolder(script: string): string {
  const own = path.dirname(script);
  for (let folder = own; ; folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, 'package.json'))) return folder;
    if (folder === path.dirname(folder)) return own;
  }
}

/** With forward slashes, so that the config serves on every system; "." for the folder itself. */
function relative(from: string, to: string): string {
  return path.relative(from, to).split(path.sep).join('/') || '.';
}
