// `batch-planner follow`: shows a run that another process supervises, in whatever window.
import path from 'node:path';
import { exitCodes, type ExitCode } from '../../protocol/exitCodes';
import type { RunRecord } from '../../protocol/runEvents';
import { runPaths, type RunPaths } from '../runs/runFolder';
import { readRunRecord } from '../runs/runFolderFiles';
import { readRunEvents } from '../runs/runFolderTail';
import { isHeld, readLockOwner } from '../runs/runLock';
import { goesOnText, seeItWith } from './backgroundTraining';
import { followRun, followStart } from './runFollower';
import type { TrainingDisplay } from './trainingDisplay';

export interface FollowCommandOptions {
  /** The run folder, as typed. */
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
  const paths = runPaths(path.resolve(options.folder));
  let state = await stateIn(paths);
  if (state === null) {
    err.write(`There is no run in ${paths.folder}. See the runs of this folder with: batch-planner runs\n`);
    return exitCodes.usage;
  }
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
  display.say(
    code === null ? `The training goes on. ${seeItWith(paths)}` : `The run ${paths.name} is ${state}.`,
  );
  return code ?? exitCodes.interrupted;
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
