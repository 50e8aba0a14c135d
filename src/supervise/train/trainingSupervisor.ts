// `batch-planner train`: a training under supervision, from the config to the exit code.
import { randomInt } from 'node:crypto';
import { readSystemMemory } from '../../gpu/systemMemory';
import { exitCodes, type ExitCode } from '../../protocol/exitCodes';
import type { RunEvent, RunRecord } from '../../protocol/runEvents';
import { MemoryWatch } from '../memoryWatch';
import { cannotWrite, type RunPaths } from '../runs/runFolder';
import { replaceFile, writeControl } from '../runs/runFolderFiles';
import { readRunEvents } from '../runs/runFolderTail';
import { isMistake } from './trainingMistakes';
import type { AttemptMemory } from './trainingSupervisorAttempt';
import { RunBook } from './trainingSupervisorBook';
import { readTrainingConfig, type TrainingConfig } from './trainingSupervisorConfig';
import { deviceOfTraining } from './trainingSupervisorDevice';
import {
  earlierIntervals,
  firstAttemptJob,
  trainingCommand,
  trainingJob,
  type AttemptJob,
  type CheckpointIntervals,
} from './trainingSupervisorJob';
import { TrainingLoop, type TrainingEnd } from './trainingSupervisorLoop';
import { hasCheckpoint, openRun, removeUnused, startedRecord, type OpenedRun } from './trainingSupervisorRun';
import { backendSentence, closingSentences, introduction } from './trainingSupervisorSentences';
import { watchSignals, type StopSources } from './trainingSupervisorSignals';
import { TrainingTally } from './trainingSupervisorTally';

export interface TrainCommandOptions extends CheckpointIntervals, StopSources {
  readonly configPath: string;
  /** The run folder; null: a new one, or with `resume` the newest of this config. */
  readonly runDir: string | null;
  readonly resume: boolean;
  /** Absolute path of the run folder, where `--background` has made it; `runDir` is what a person typed. */
  readonly prepared?: string;
  readonly err: { write(text: string): unknown };
  readonly productVersion: string;
  /** Folder of preload.cjs and modelEntry.cjs; where this bundle lies. */
  readonly programFolder?: string;
  /** Seeds the script's Math.random in a new run; a number of its own where it is left out. */
  readonly seed?: number;
  /** Watches the memory of each training process; the system's own figures where it is left out. */
  readonly watchMemory?: () => Promise<AttemptMemory>;
}

/** Runs the command. Mistakes that a person can correct are told in a sentence; resolves to the exit code. */
export async function runTrainCommand(options: TrainCommandOptions): Promise<ExitCode> {
  try {
    const training = await readTrainingConfig(options.configPath);
    const { runDir, resume, prepared = null } = options;
    const run = await openRun(training, { runDir, resume, prepared, time: new Date() });
    let isUnused = false;
    try {
      return await supervise(training, run, options);
    } catch (error) {
      // What another process has prepared it removes itself.
      isUnused = isMistake(error) && prepared === null;
      throw error;
    } finally {
      await run.lock.release();
      if (isUnused) await removeUnused(run);
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
  const programFolder = options.programFolder ?? __dirname;
  const command = trainingCommand(training, paths, programFolder, device.environment);
  const book = new RunBook(paths, display, firstRecord(training, run, options));
  const { checkpointSeconds, checkpointUpdates } = options;
  const intervals: CheckpointIntervals = {
    ...(run.earlier ? await earlierIntervals(paths) : {}),
    ...(checkpointSeconds === undefined ? {} : { checkpointSeconds }),
    ...(checkpointUpdates === undefined ? {} : { checkpointUpdates }),
  };
  const first = firstAttemptJob(training, run.earlier ? paths.checkpoints : null);
  const writeJob = (job: AttemptJob): Promise<void> =>
    replaceFile(paths.job, JSON.stringify(trainingJob(training, paths, book.record, intervals, job)));
  try {
    // Before the run is there for others to see: what they ask from then on counts. A prepared one is there already.
    if (options.prepared === undefined) await writeControl(paths, 'run');
    await book.update({});
    await writeJob(first);
  } catch (error) {
    throw cannotWrite(paths.folder, error);
  }
  const earlier = run.earlier ? await readRunEvents(paths.events) : [];
  for (const event of earlier) display.event(event, true);
  display.say(introduction(training));
  if (device.note !== null) display.say(device.note);
  const tally = new TrainingTally(earlier);
  let backend = '';
  const loop = new TrainingLoop({
    paths,
    command,
    display,
    tally,
    watchMemory: options.watchMemory ?? watchMemory,
    onStarted: (pid) => lock.setTrainer(pid),
    onEvent: async (event) => {
      if (event.type === 'started') {
        const sentence = backendSentence(event, training);
        // The processes that follow a death tell the same.
        if (sentence !== backend) display.say(sentence);
        backend = sentence;
      }
      const change = stateChange(event);
      if (change) await book.tryUpdate(change);
    },
    prepare: async (job) => {
      await book.tryUpdate({ state: 'training', attempts: book.record.attempts + 1 });
      await writeJob(job).catch((error: unknown) => {
        throw cannotWrite(paths.folder, error);
      });
    },
  });
  const forget = watchSignals(loop, options);
  let end: TrainingEnd;
  try {
    end = await loop.run(first);
  } finally {
    forget();
    display.end();
  }
  return close(training, { paths, book, end, tally }, options, performance.now() - start);
}

/** Tells how it ended: in the run folder, and to whoever looks. */
async function close(
  training: TrainingConfig,
  { paths, book, end, tally }: { paths: RunPaths; book: RunBook; end: TrainingEnd; tally: TrainingTally },
  { display, err, runDir }: TrainCommandOptions,
  ms: number,
): Promise<ExitCode> {
  const { verdict, folderIsGone } = end;
  if (!folderIsGone) {
    if (end.isOwn) await book.tryTellEnd(verdict);
    await book.tryUpdate({ state: verdict.state, endedAt: new Date().toISOString() });
  }
  const sentences = folderIsGone
    ? verdict.sentences
    : closingSentences(training, paths, verdict, { tally, ms, runDir, hasCheckpoint: hasCheckpoint(paths) });
  if (verdict.state === 'failed') err.write(`${sentences.join('\n')}\n`);
  else for (const sentence of sentences) display.say(sentence);
  return verdict.exitCode;
}

function firstRecord(training: TrainingConfig, run: OpenedRun, options: TrainCommandOptions): RunRecord {
  return startedRecord(training, run, {
    product: options.productVersion,
    time: new Date(),
    seed: options.seed ?? seedOf(training),
  });
}

/** A model.json's config names its seed; a script has none of its own. */
function seedOf({ config: { training } }: TrainingConfig): number {
  return training.kind === 'model' ? training.seed : randomInt(2 ** 32);
}

async function watchMemory(): Promise<AttemptMemory> {
  return new MemoryWatch((await readSystemMemory()).availableBytes);
}

function stateChange(event: RunEvent): Partial<RunRecord> | null {
  if (event.type === 'started') {
    return { state: 'training', backend: event.backend, nodeVersion: event.nodeVersion };
  }
  if (event.type === 'paused') return { state: 'paused' };
  return event.type === 'resumed' ? { state: 'training' } : null;
}
