// What tests look at of a run that went on by itself: its weights, its updates, and the history that the page shows.
import { RunHistory } from '../../src/supervise/runs/runHistory';
import type { Project } from './trainProgram';

/** As the script wrote them after its training. */
export function weightsOf(project: Project): number[] {
  return (JSON.parse(project.read('weights.json')) as number[][]).flat();
}

/** Every update that was done, those done again included. */
export function updatesOf(project: Project): number[] {
  return project.events().flatMap((event) => (event.type === 'update' ? [event.update] : []));
}

/** What the page shows of the run: nothing in it may be there twice, or be missing. */
export function historyOf(project: Project): RunHistory {
  const history = new RunHistory('run', 0);
  for (const event of project.events()) history.add(event);
  return history;
}

/** Infinite where the numbers are not as many. */
export function largestDifference(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length) return Infinity;
  return Math.max(...a.map((value, i) => Math.abs(value - (b[i] ?? NaN))));
}
