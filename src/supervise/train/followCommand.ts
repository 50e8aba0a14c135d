// `batch-planner follow`: shows a run that another process supervises, in whatever window.
import path from 'node:path';
import { exitCodes, type ExitCode } from '../../protocol/exitCodes';
import type { RunRecord } from '../../protocol/runEvents';
import { runPaths, type RunPaths } from '../runs/runFolder';
import { readRunRecord } from '../runs/runFolderFiles';
import { readRunEvents } from '../runs/runFolderTail';
import { findRuns } from '../runs/runsCommand';
import { isHeld, readLockOwner } from '../runs/runLock';
import { goesOnText, seeItWith } from './backgroundTraining';
import { followRun, followStart } from './runFollower';
import type { TrainingDisplay } from './trainingDisplay';
import { hasCheckpoint } from './trainingSupervisorRun';
import { goOnWith } from './trainingSupervisorSentences';

export interface FollowCommandOptions {
  /** The run folder or the run's name, as typed. */
  readonly folder: string;
  readonly err: { write(text: string): unknown };
  readonly display: TrainingDisplay;
  readonly signals?: Pick<NodeJS.EventEmitter, 'on' | 'off'>;
  /** Aborted once nobody reads any more what is shown. */
  readonly closed?: AbortSignal;
}

/** As in run.json, or `interrupted`: it says that it trains, but its processes are gone. */
type State = RunRecord['state'] | 'interrupted';

const exitCodeOf: Readonly<Partial<Record<State, ExitCode>>> = {
  completed: exitCodes.done,
  stopped: exitCodes.interrupted,
  failed: exitCodes.failed,
  interrupted: exitCodes.failed,
};

/** Shows the run to its end; resolves to the exit code that its end means, or to 130 where it goes on unseen. */
export async function runFollowCommand(options: FollowCommandOptions): Promise<ExitCode> {
  const { err, display, signals = process, closed } = options;
  const found = await findRun(options.folder);
  if (typeof found === 'string') {
    err.write(`${found}\n`);
    return exitCodes.usage;
  }
  const { paths } = found;
  let { state }: { state: State } = found;
  if (exitCodeOf[state] === undefined) display.say(goesOnText(paths));
  const code = await followRun({
    paths,
    // All events are read, as what is shown adds up; of what was said and printed, only what comes.
    start: { ...(await followStart(paths)), events: 0 },
    firstArePast: true,
    display,
    err,
    ended: async () => {
      // A folder that was deleted meanwhile holds no run that goes on.
      state = (await stateIn(paths)) ?? 'interrupted';
      return state === 'failed' ? failureCode(paths) : (exitCodeOf[state] ?? null);
    },
    signals,
    closed,
  });
  if (code === null) {
    display.say(`The training goes on. ${seeItWith(paths)}`);
    return exitCodes.interrupted;
  }
  display.say(`The run ${paths.name} is ${state}.`);
  // Of every other end its supervisor has told what can be done.
  const interrupted = state === 'interrupted' && hasCheckpoint(paths) ? await readRunRecord(paths) : null;
  if (interrupted !== null) display.say(goOnWith(interrupted.configPath, paths));
  return code;
}

/** The run that is meant; where there is none, or more than one, a sentence that says so. */
async function findRun(typed: string): Promise<{ paths: RunPaths; state: State } | string> {
  const paths = runPaths(path.resolve(typed));
  const isName = path.basename(typed) === typed;
  const named = isName ? await findRuns(process.cwd(), typed) : [];
  for (const each of [paths, ...(named.length === 1 ? named : [])]) {
    const state = await stateIn(each);
    if (state !== null) return { paths: each, state };
  }
  if (named.length < 2)
    return `There is no run in ${paths.folder}. See the runs of this folder with: batch-planner runs`;
  const folders = named.map(({ folder }) => path.relative('', folder)).join(', ');
  return `There are ${named.length} runs of the name ${typed}: name the folder of one, which is one of ${folders}.`;
}

/** 3 where not even one example fitted, as `train` itself ends with. */
async function failureCode(paths: RunPaths): Promise<ExitCode> {
  const last = (await readRunEvents(paths.events)).findLast((event) => event.type === 'ended');
  return last?.exitCode === exitCodes.nothingFits ? exitCodes.nothingFits : exitCodes.failed;
}

/** Null where there is no run. */
async function stateIn(paths: RunPaths): Promise<State | null> {
  const record = await readRunRecord(paths);
  if (record === null || record.endedAt !== null) return record?.state ?? null;
  const holder = await readLockOwner(paths.lock);
  return holder !== null && (await isHeld(holder)) ? record.state : 'interrupted';
}
