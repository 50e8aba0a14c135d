// `train --background`: a supervisor that outlives the terminal, and this process, which shows its run there.
import { spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { quoted } from '../../planning/commandText';
import { exitCodes, type ExitCode } from '../../protocol/exitCodes';
import { cannotWrite, type RunPaths } from '../runs/runFolder';
import { writeControl } from '../runs/runFolderFiles';
import { readRunEvents } from '../runs/runFolderTail';
import { adviceInEditor, displayInEditor, inEditor } from './editorAdvice';
import { asExitCode, followRun, followStart, type FollowStart } from './runFollower';
import { supervisorLogOf } from './supervisorLog';
import type { TrainingDisplay } from './trainingDisplay';
import { isMistake } from './trainingMistakes';
import { readTrainingConfig } from './trainingSupervisorConfig';
import type { CheckpointIntervals } from './trainingSupervisorJob';
import { openRun, removeUnused, type OpenedRun } from './trainingSupervisorRun';
import { goOnWith } from './trainingSupervisorSentences';

export interface BackgroundTrainOptions extends CheckpointIntervals {
  readonly configPath: string;
  /** As for `train`. */
  readonly runDir: string | null;
  readonly resume: boolean;
  /**
   * The terminal is an editor's: its commands are named in place of command lines, and a run that was stopped from
   * elsewhere, as by the page, ends with code 0, as a task that did what was asked of it.
   */
  readonly inEditor?: boolean;
  readonly err: { write(text: string): unknown };
  readonly display: TrainingDisplay;
  /** The command line's own file, which the supervisor is started from. */
  readonly cliFile: string;
  readonly signals?: Pick<NodeJS.EventEmitter, 'on' | 'off'>;
  /** Aborted once nobody reads any more what is shown. */
  readonly closed?: AbortSignal;
}

/** Starts the training and shows it. Resolves to the run's exit code, or to 130 where it goes on unseen. */
export async function runBackgroundTrainCommand(given: BackgroundTrainOptions): Promise<ExitCode> {
  if (given.inEditor !== true) return (await trainInBackground(given)).code;
  const { code, stopAsked } = await trainInBackground({
    ...given,
    display: displayInEditor(given.display),
    err: { write: (text) => given.err.write(adviceInEditor(text)) },
  });
  return code === exitCodes.interrupted && stopAsked === 'elsewhere' ? exitCodes.done : code;
}

interface ShownRun {
  readonly code: ExitCode;
  /** Where a stop was asked for; null where the run goes on, or ended by itself. */
  readonly stopAsked: 'here' | 'elsewhere' | null;
}

async function trainInBackground(options: BackgroundTrainOptions): Promise<ShownRun> {
  const { display, err, signals = process, closed } = options;
  let run: PreparedRun;
  try {
    run = await prepareRun(options);
  } catch (error) {
    if (!isMistake(error)) throw error;
    err.write(`${error.message}\n`);
    return { code: exitCodes.usage, stopAsked: null };
  }
  const { paths, start } = run;
  const supervisor = await startSupervisor(options, paths).catch(async (error: unknown) => {
    await removeUnused(run);
    throw error;
  });
  display.say(goesOnText(paths, options.inEditor));
  for (const event of start.events > 0 ? await readRunEvents(paths.events) : []) display.event(event, true);
  let stopAsked: ShownRun['stopAsked'] = 'elsewhere';
  const here = (): void => {
    stopAsked = 'here';
  };
  signals.on('SIGINT', here);
  const code = await followRun({
    paths,
    start,
    display,
    err,
    ended: () => Promise.resolve(supervisor.exitCode()),
    signals,
    closed,
  }).finally(() => signals.off('SIGINT', here));
  if (code === null) {
    display.say(`The training goes on. ${seeItWith(paths)}`);
    return { code: exitCodes.interrupted, stopAsked: null };
  }
  const killer = supervisor.signal();
  if (killer !== null) {
    err.write(
      `The process that supervises the training was ended by ${killer}: what runs of it saves its state and ends. ` +
        `${goOnWith(options.configPath, paths)}\n`,
    );
  }
  await removeUnused(run);
  return { code, stopAsked: code === exitCodes.interrupted ? stopAsked : null };
}

/** What a person should know of a run that is shown: that it outlives the terminal, and how it is stopped. */
export function goesOnText(paths: RunPaths, isEditor = false): string {
  return isEditor
    ? `The training goes on when this window is closed. Stop it on its page, with the command ${inEditor('stop')} or with Ctrl-C here.`
    : `The training goes on when this terminal is closed. ${seeItWith(paths)}\nCtrl-C here or there stops it after its update and saves.`;
}

/** How a run is shown in another terminal. */
export function seeItWith(paths: RunPaths): string {
  return `See it with: batch-planner follow ${quoted(relative(paths))}`;
}

function relative({ folder }: RunPaths): string {
  return path.relative('', folder) || '.';
}

interface PreparedRun extends Pick<OpenedRun, 'paths' | 'isNew'> {
  readonly start: FollowStart;
}

/**
 * Makes or finds the run folder and checks it under its lock, so that mistakes are told before anything is started.
 * The lock is then left to the supervisor.
 */
async function prepareRun({ configPath, runDir, resume }: BackgroundTrainOptions): Promise<PreparedRun> {
  const training = await readTrainingConfig(configPath);
  const run = await openRun(training, { runDir, resume, time: new Date() });
  const { paths, isNew } = run;
  let isPrepared = false;
  try {
    // From here on a request counts: the supervisor finds what was asked while it started.
    await writeControl(paths, 'run').catch((error: unknown) => {
      throw cannotWrite(paths.folder, error);
    });
    const start = await followStart(paths);
    isPrepared = true;
    return { paths, isNew, start };
  } finally {
    await run.lock.release();
    if (!isPrepared) await removeUnused(run);
  }
}

interface Supervisor {
  /** Null while it runs. */
  exitCode(): ExitCode | null;
  /** What ended it, where that was no end of its own. */
  signal(): NodeJS.Signals | null;
}

/** Starts `train` in a session of its own: no terminal's end reaches it, and it holds nothing of this process. */
async function startSupervisor(
  { configPath, runDir, resume, cliFile, checkpointSeconds, checkpointUpdates }: BackgroundTrainOptions,
  paths: RunPaths,
): Promise<Supervisor> {
  const log = await open(supervisorLogOf(paths.folder), 'a', 0o600);
  try {
    const words = ['train', path.resolve(configPath), '--prepared', paths.folder];
    if (runDir !== null) words.push('--run-dir', runDir);
    if (resume) words.push('--resume');
    if (checkpointSeconds !== undefined) words.push('--checkpoint-seconds', String(checkpointSeconds));
    if (checkpointUpdates !== undefined) words.push('--checkpoint-updates', String(checkpointUpdates));
    const child = spawn(process.execPath, [cliFile, ...words], {
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      windowsHide: true,
    });
    let ended: { code: ExitCode; signal: NodeJS.Signals | null } | null = null;
    child.once('exit', (code, signal) => {
      ended = { code: asExitCode(code), signal };
    });
    await new Promise((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    child.unref();
    return { exitCode: () => ended?.code ?? null, signal: () => ended?.signal ?? null };
  } finally {
    await log.close();
  }
}
