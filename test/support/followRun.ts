// Follows a run's folder from outside, as the editor does, until the test that asked for it is over.
import { onTestFinished } from 'vitest';
import type { RunState, RunView } from '../../src/protocol/page';
import { runPaths } from '../../src/supervise/runs/runFolder';
import { RunWatcher } from '../../src/supervise/runs/runWatcher';

export interface FollowedRun {
  readonly watcher: RunWatcher;
  /** Every state that was shown, in order. */
  readonly states: RunState[];
  /** @throws Error where nothing was read yet */
  view(): RunView;
  state(): RunState | null;
}

/** Looks at the folder every 50 ms; an error of the watcher fails the test. */
export function followRun(folder: string): FollowedRun {
  const states: RunState[] = [];
  const watcher = new RunWatcher(runPaths(folder), {
    pauseMs: 50,
    onChange: () => {
      const state = watcher.view()?.state;
      if (state !== undefined && state !== states.at(-1)) states.push(state);
    },
    onError: (error) => {
      throw error;
    },
  });
  watcher.start();
  onTestFinished(() => watcher.dispose());
  const view = (): RunView => {
    const now = watcher.view();
    if (now === null) throw new Error('nothing was read yet');
    return now;
  };
  return { watcher, states, view, state: () => watcher.view()?.state ?? null };
}
