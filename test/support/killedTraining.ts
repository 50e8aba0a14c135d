// Kills a training at given moments of its life, goes on with it as a person would, and reads what came of it.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { jobVariable } from '../../src/protocol/job';
import type { RunEvent } from '../../src/protocol/runEvents';
import { isUpdateUndone, RunCourse } from '../../src/supervise/runs/runHistoryCourse';
import { type Ended, type Running } from './childRun';
import { until, type Project } from './trainProgram';

/** On whom a SIGKILL falls: the process that trains, the one that supervises it, or both at once. */
export type Target = 'trainer' | 'supervisor' | 'both';

/** A SIGKILL so many ms after a process of the training was started, or after the kill before. */
export interface Moment {
  readonly after: number;
  readonly target: Target;
}

/** A kill that fell on living processes, and what the training was doing, as far as its files tell. */
export interface Kill {
  readonly target: Target;
  readonly during: string;
}

export interface Survived {
  readonly kills: readonly Kill[];
  /** The last process's end. */
  readonly end: Ended;
}

/**
 * Trains a project to its end, with a kill at each of the moments that it lives to see. Whenever nothing runs any more, it
 * is gone on with; where a kill came before there was a run, it is begun again.
 * @param options of the first start; those of a resume are its last ones
 * @throws where a process ends otherwise than by a kill and without being completed
 */
export async function trainWithKills(
  project: Project,
  moments: readonly Moment[],
  { seed, checkpointSeconds }: { seed: number; checkpointSeconds: number },
): Promise<Survived> {
  const common = ['--checkpoint-seconds', String(checkpointSeconds)];
  const fresh = ['--seed', String(seed), ...common];
  const resume = ['--resume', ...common];
  const kills: Kill[] = [];
  const rest = [...moments];
  let running = project.start(...fresh);
  let wasKilled = false;
  for (;;) {
    const moment = rest[0];
    const isDue =
      moment !== undefined &&
      (await Promise.race([sleep(moment.after, true), running.end.then(() => false)]));
    if (isDue && !hasEnded(running)) {
      rest.shift();
      const kill = killNow(project, running, moment.target);
      kills.push(kill);
      wasKilled = true;
      if (kill.target === 'trainer') continue;
      await running.end;
      // A trainer without a supervisor saves, and ends by itself.
      await until(() => trainersOf(project).length === 0, 'the end of the training process');
      running = project.start(...resume);
      continue;
    }
    const end = await running.end;
    await until(() => trainersOf(project).length === 0, 'the end of the training process');
    if (end.code === 0 || end.err.includes('is completed: there is nothing to go on with'))
      return { kills, end };
    if (end.code === 2 && /There is no run (of|in) /.test(end.err)) running = project.start(...fresh);
    else if (wasKilled) running = project.start(...resume);
    else throw new Error(`The training ended with ${String(end.code)}: ${end.err}${end.out}`);
    wasKilled = false;
  }
}

function hasEnded({ child }: Running): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** Where the trainer is not there (yet, or any more), the kill falls on the supervisor alone. */
function killNow(project: Project, { child }: Running, wanted: Target): Kill {
  const during = whatIsDone(project);
  const trainers = wanted === 'supervisor' ? [] : trainersOf(project);
  const target = trainers.length === 0 ? 'supervisor' : wanted;
  const supervisor = child.pid ?? NaN;
  for (const pid of target === 'trainer' ? trainers : [supervisor, ...trainers]) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
  return { target, during };
}

/** Processes that run the project's script: those that have its job in their environment (proc(5)). */
export function trainersOf(project: Project): number[] {
  const sign = `${jobVariable}=${project.folder}${path.sep}`;
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const isOurs = readFileSync(`/proc/${name}/environ`, 'latin1')
        .split('\0')
        .some((each) => each.startsWith(sign));
      return isOurs ? [Number(name)] : [];
    } catch (error) {
      // Ended in the meantime, or another user's.
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES') return [];
      throw error;
    }
  });
}

const stages: Partial<Record<RunEvent['type'], string>> = {
  started: 'starting',
  call: 'updates',
  update: 'updates',
  checkpoint: 'updates',
  resumed: 'updates',
  epoch: 'between epochs',
  callEnded: 'after a call',
  ended: 'after the end',
};

/** Told by the last event; the process that writes it may have died since, and another be starting. */
function whatIsDone(project: Project): string {
  if (!existsSync(path.join(project.folder, '.batch-planner/runs'))) return 'before the run';
  const folder = project.runFolder;
  const checkpoints = path.join(folder, 'checkpoints');
  if (existsSync(checkpoints) && readdirSync(checkpoints).some((name) => name.startsWith('.unfinished-'))) {
    return 'writing a checkpoint';
  }
  if (!existsSync(path.join(folder, 'events.ndjson'))) return 'before the first event';
  const type = eventsOf(project).at(-1)?.type;
  return (type && stages[type]) ?? 'before the first event';
}

/** Events of a run whose processes were killed: the last line before each death may be torn. */
export function eventsOf(project: Project): RunEvent[] {
  const text = readFileSync(path.join(project.runFolder, 'events.ndjson'), 'utf8');
  return text.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as RunEvent];
    } catch {
      return [];
    }
  });
}

/** What is the same whenever and wherever an update is done. */
type DoneUpdate = Omit<Extract<RunEvent, { type: 'update' }>, 'type' | 'time' | 'ms' | 'memoryBytes'>;

/** The updates that stand, in the order of the file: those that a resumed training went back behind are gone. */
export function standingUpdates(events: readonly RunEvent[]): DoneUpdate[] {
  const course = new RunCourse();
  let standing: DoneUpdate[] = [];
  for (const event of events) {
    const undone = course.add(event);
    if (undone) standing = standing.filter((update) => !isUpdateUndone(undone, update));
    if (event.type === 'update') standing.push(figuresOf(event));
  }
  return standing;
}

/** The same, found without knowing where the training went back: of each update, what was told last. */
export function lastToldUpdates(events: readonly RunEvent[]): DoneUpdate[] {
  const last = new Map<string, DoneUpdate>();
  for (const event of events) {
    if (event.type === 'update') last.set(`${event.call} ${event.update}`, figuresOf(event));
  }
  return [...last.values()].sort((a, b) => a.call - b.call || a.update - b.update);
}

function figuresOf({
  call,
  epoch,
  update,
  examples,
  microbatches,
  loss,
  metrics,
  data,
}: DoneUpdate): DoneUpdate {
  return { call, epoch, update, examples, microbatches, loss, metrics, data };
}

/** Everything that a training of `killedScripts` leaves behind. */
export interface Left {
  /** Weights and optimizer slots, as their bytes in hexadecimal digits. */
  readonly weights: string;
  readonly history: string;
  /** What the callbacks were told. */
  readonly told: string;
  readonly updates: readonly DoneUpdate[];
}

export function leftBy(project: Project): Left {
  const weights = readFileSync(path.join(project.folder, 'weights.bin')).toString('hex');
  return {
    weights,
    history: project.read('history.json'),
    told: project.read('told.json'),
    updates: standingUpdates(eventsOf(project)),
  };
}
