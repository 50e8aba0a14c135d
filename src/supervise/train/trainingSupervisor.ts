// `batch-planner train`: a training under supervision, from the config to the exit code.
import { quoted } from '../../planning/commandText';
import { randomInt } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describeSizes } from '../../planning/describe';
import { splitBatch } from '../../planning/microbatches';
import { formatDuration, formatCounted } from '../../planning/units';
import { exitCodes, type ExitCode } from '../../protocol/exitCodes';
import type { TrainJob } from '../../protocol/job';
import type { RunEvent, RunRecord } from '../../protocol/runEvents';
import { cannotWrite, type RunPaths } from '../runs/runFolder';
import { replaceFile, writeControl, writeRunRecord } from '../runs/runFolderFiles';
import { readRunEvents } from '../runs/runFolderTail';
import { scriptCommand, type ScriptCommand } from '../scriptCommand';
import type { TrainingDisplay } from './trainingDisplay';
import { deviceOfTraining } from './trainingSupervisorDevice';
import { TrainingAttempt, type AttemptOutcome } from './trainingSupervisorAttempt';
import { readTrainingConfig, type TrainingConfig } from './trainingSupervisorConfig';
import { isMistake } from './trainingMistakes';
import { judgeAttempt, type Verdict } from './trainingSupervisorOutcome';
import { openRun, startedRecord, type OpenedRun } from './trainingSupervisorRun';

export interface TrainCommandOptions {
  readonly configPath: string;
  /** The run folder; null: a new one, or with `resume` the newest of this config. */
  readonly runDir: string | null;
  readonly resume: boolean;
  /** Absolute path of the run folder, where `--background` has made it; `runDir` is what a person typed. */
  readonly prepared?: string;
  readonly err: { write(text: string): unknown };
  readonly display: TrainingDisplay;
  readonly productVersion: string;
  /** Folder of preload.cjs and modelEntry.cjs; where this bundle lies. */
  readonly programFolder?: string;
  /** Where Ctrl-C and requests to terminate come from. */
  readonly signals?: Pick<NodeJS.EventEmitter, 'on' | 'off'>;
  /** Aborted once nobody reads any more what is shown: the training then stops as at Ctrl-C. */
  readonly closed?: AbortSignal;
  /** Seeds the script's Math.random in a new run; a number of its own where it is left out. */
  readonly seed?: number;
  /** Seconds between two checkpoints. */
  readonly checkpointSeconds?: number;
}

const defaultCheckpointSeconds = 60;

/** Runs the command. Mistakes that a person can correct are told in a sentence; resolves to the exit code. */
export async function runTrainCommand(options: TrainCommandOptions): Promise<ExitCode> {
  try {
    const training = await readTrainingConfig(options.configPath);
    const { runDir, resume, prepared = null } = options;
    const run = await openRun(training, { runDir, resume, prepared, time: new Date() });
    try {
      return await supervise(training, run, options);
    } finally {
      await run.lock.release();
    }
  } catch (error) {
    if (!isMistake(error)) throw error;
    options.err.write(`${error.message}\n`);
    return exitCodes.usage;
  }
}

async function supervise(
  training: TrainingConfig,
  run: OpenedRun,
  options: TrainCommandOptions,
): Promise<ExitCode> {
  const { paths, lock } = run;
  const { display } = options;
  const start = performance.now();
  const device = await deviceOfTraining(training.config, process.env);
  const command = commandOf(training, paths, options.programFolder ?? __dirname, device.environment);
  let record = startedRecord(training, run, {
    product: options.productVersion,
    time: new Date(),
    seed: options.seed ?? seedOf(training),
  });
  const update = async (change: Partial<RunRecord>): Promise<void> => {
    record = { ...record, ...change };
    await writeRunRecord(paths, record);
  };
  /** A disk that is full is no reason to end a training that goes on without its record. */
  const tryUpdate = (change: Partial<RunRecord>): Promise<void> =>
    update(change).catch((error: unknown) => display.say(`run.json cannot be written: ${String(error)}`));
  try {
    // Before the run is there for others to see: what they ask from then on counts. A prepared one is there already.
    if (options.prepared === undefined) await writeControl(paths, 'run');
    await update({});
    await replaceFile(paths.job, JSON.stringify(jobOf(training, run, record, options)));
  } catch (error) {
    throw cannotWrite(paths.folder, error);
  }
  for (const event of run.earlier ? await readRunEvents(paths.events) : []) display.event(event, true);
  display.say(introduction(training));
  if (device.note !== null) display.say(device.note);
  const attempt = new TrainingAttempt({
    paths,
    command,
    display,
    onStarted: (pid) => lock.setTrainer(pid),
    onEvent: async (event) => {
      if (event.type === 'started') display.say(backendSentence(event, training));
      const change = stateChange(event);
      if (change) await tryUpdate(change);
    },
  });
  const forget = watchSignals(attempt, options);
  let outcome: AttemptOutcome;
  try {
    outcome = await attempt.run();
  } finally {
    forget();
    display.end();
  }
  // The seam for recovery: an attempt that died of memory or a crash may be followed by another one from here.
  const verdict = judgeAttempt(outcome);
  if (!outcome.folderIsGone) await tryUpdate({ state: verdict.state, endedAt: new Date().toISOString() });
  const sentences = closing(training, paths, outcome, verdict, performance.now() - start, options.runDir);
  if (verdict.state === 'failed') options.err.write(`${sentences.join('\n')}\n`);
  else for (const sentence of sentences) display.say(sentence);
  return verdict.exitCode;
}

function commandOf(
  { config, entry, folder }: TrainingConfig,
  paths: RunPaths,
  programFolder: string,
  deviceVariables: Readonly<Record<string, string>>,
): ScriptCommand {
  const { training } = config;
  const script = training.kind === 'script' ? training : null;
  return scriptCommand({
    main: script ? entry : path.join(programFolder, 'modelEntry.cjs'),
    arguments: script?.arguments ?? [],
    folder: path.resolve(folder, script?.folder ?? '.'),
    nodeArguments: script?.nodeArguments ?? [],
    jobFile: paths.job,
    preloadFile: path.join(programFolder, 'preload.cjs'),
    environment: { ...process.env, ...deviceVariables },
  });
}

function jobOf(
  { config, entry, folder }: TrainingConfig,
  { paths, earlier }: OpenedRun,
  record: RunRecord,
  { checkpointSeconds = defaultCheckpointSeconds }: TrainCommandOptions,
): TrainJob {
  const { training } = config;
  return {
    version: 1,
    mode: 'train',
    reportFile: paths.reports,
    parentPid: process.pid,
    entry,
    // What was planned was measured on one backend: another one needs other memory.
    backend: config.backend ?? config.measured?.backend.name ?? null,
    passOver: [],
    targetBatchSize: config.targetBatchSize,
    ...(training.kind === 'model' ? { model: { training, folder } } : {}),
    microbatchSize: config.microbatchSize,
    firstMicrobatchSize: config.microbatchSize,
    mayGrow: true,
    recovery: null,
    runFolder: paths.folder,
    controlFile: paths.control,
    checkpointSeconds,
    checkpointUpdates: null,
    resumeFrom: earlier ? paths.checkpoints : null,
    seed: record.seed,
    attempt: record.attempts,
    fingerprint: config.measured?.fingerprint ?? null,
  };
}

/** A model.json's config names its seed; a script has none of its own. */
function seedOf({ config: { training } }: TrainingConfig): number {
  return training.kind === 'model' ? training.seed : randomInt(2 ** 32);
}

/** Once: stop after this update. Twice: at once. */
function watchSignals(
  attempt: TrainingAttempt,
  { display, signals = process, closed }: TrainCommandOptions,
): () => void {
  const ask = (): void => {
    if (attempt.isStopping) {
      attempt.kill();
      return;
    }
    if (attempt.trains) display.say('Stopping after this update, and saving. Once more ends at once.');
    attempt.stop().catch((error: unknown) => {
      display.say(`The training cannot be asked to stop (${String(error)}): it is ended at once.`);
      attempt.kill();
    });
  };
  // No person's second request: a terminal that is gone may be noticed in more than one way.
  const leave = (): void => {
    if (!attempt.isStopping) ask();
  };
  for (const signal of ['SIGINT', 'SIGTERM']) signals.on(signal, ask);
  signals.on('SIGHUP', leave);
  closed?.addEventListener('abort', leave);
  if (closed?.aborted === true) leave();
  return () => {
    for (const signal of ['SIGINT', 'SIGTERM']) signals.off(signal, ask);
    signals.off('SIGHUP', leave);
    closed?.removeEventListener('abort', leave);
  };
}

function stateChange(event: RunEvent): Partial<RunRecord> | null {
  if (event.type === 'started') {
    return { state: 'training', backend: event.backend, nodeVersion: event.nodeVersion };
  }
  if (event.type === 'paused') return { state: 'paused' };
  return event.type === 'resumed' ? { state: 'training' } : null;
}

function introduction({ config, entry }: TrainingConfig): string {
  const sizes = splitBatch(config.targetBatchSize, config.microbatchSize);
  return sizes.length === 1
    ? `Training ${path.basename(entry)}. ${describeSizes(sizes)}`
    : `Training ${path.basename(entry)}, examples per update: ${describeSizes(sizes)}`;
}

function backendSentence(
  { backend }: Extract<RunEvent, { type: 'started' }>,
  { config }: TrainingConfig,
): string {
  const planned = config.measured?.backend.name;
  const device = backend.deviceName === null ? '' : ` (${backend.deviceName})`;
  const on = `On ${backend.name} ${backend.version}${device}.`;
  if (planned === undefined || planned === backend.name) return on;
  return `${on} The plan was measured on ${planned}: plan again, as its microbatch size may not fit here.`;
}

function closing(
  { file }: TrainingConfig,
  paths: RunPaths,
  outcome: AttemptOutcome,
  verdict: Verdict,
  ms: number,
  runDir: string | null,
): string[] {
  const sentences = [...verdict.sentences];
  if (outcome.folderIsGone) return sentences;
  const relative = path.relative('', paths.folder) || '.';
  if (verdict.state === 'completed') {
    const epochs = outcome.epochs > 0 ? `${formatCounted(outcome.epochs, 'epoch')}, ` : '';
    sentences.push(
      `Done in ${formatDuration(ms)}: ${epochs}${formatCounted(outcome.updates, 'update')}. Run folder: ${relative}`,
    );
    return sentences;
  }
  if (hasCheckpoint(paths)) {
    const folder = runDir === null ? '' : ` --run-dir ${quoted(relative)}`;
    sentences.push(`Go on with: batch-planner train ${quoted(path.relative('', file))} --resume${folder}`);
  }
  sentences.push(`Run folder: ${relative}`);
  return sentences;
}

function hasCheckpoint({ checkpoints }: RunPaths): boolean {
  return existsSync(checkpoints) && readdirSync(checkpoints).some((name) => /^\d+$/.test(name));
}
