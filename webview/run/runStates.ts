// What each state of a run is called, how it looks, and what can be done in it.
import type { RunState, RunView } from '../../src/protocol/page';
import { formatCount } from '../../src/planning/units';
import type { Translate } from '../l10n';

/** What a person can do with a run. */
export const runActions = ['pause', 'resume', 'stop', 'resumeFrom', 'endNow', 'trainAgain'] as const;
export type RunAction = (typeof runActions)[number];

/** Whether the run's processes are there, as far as is known. */
export function isRunning(state: RunState): boolean {
  return runningStates.includes(state);
}

const runningStates: readonly RunState[] = [
  'starting',
  'replaying',
  'training',
  'pausing',
  'paused',
  'resuming',
  'stopping',
];

/** Names of codicons. */
export const stateIcons: Readonly<Record<RunState, string>> = {
  starting: 'loading',
  replaying: 'loading',
  training: 'play-circle',
  pausing: 'loading',
  paused: 'debug-pause',
  resuming: 'loading',
  stopping: 'loading',
  completed: 'pass-filled',
  stopped: 'stop-circle',
  failed: 'error',
  interrupted: 'debug-disconnect',
  gone: 'trash',
};

/** What can be done now; in Restricted Mode nothing is started. */
export function actionsOf(run: RunView, isTrusted: boolean): RunAction[] {
  const resumeFrom: RunAction[] = run.savedUpdate === null ? [] : ['resumeFrom'];
  const actions: Readonly<Record<RunState, RunAction[]>> = {
    starting: ['stop'],
    replaying: ['pause', 'stop'],
    training: ['pause', 'stop'],
    pausing: ['resume', 'stop'],
    paused: ['resume', 'stop'],
    resuming: ['stop'],
    stopping: ['endNow'],
    completed: ['trainAgain'],
    stopped: [...resumeFrom, 'trainAgain'],
    failed: [...resumeFrom, 'trainAgain'],
    interrupted: [...resumeFrom, 'trainAgain'],
    gone: ['trainAgain'],
  };
  const starts: readonly RunAction[] = ['resumeFrom', 'trainAgain'];
  return actions[run.state].filter((action) => isTrusted || !starts.includes(action));
}

/** The state in a sentence. */
export function stateSentence(run: RunView, t: Translate): string {
  const updates = formatCount(run.updates);
  switch (run.state) {
    case 'starting':
      return run.attempts > 1
        ? t('Starting again (attempt {0}): loading TensorFlow.js and the script…', formatCount(run.attempts))
        : t('Starting: loading TensorFlow.js and the script…');
    case 'replaying':
      return run.replay === null || run.replay.of === 1
        ? t('Going over what is done…')
        : t('Going over {0} updates that are done…', formatCount(run.replay.of));
    case 'training':
      return t('Training');
    case 'pausing':
      return run.replay === null
        ? t('Pausing: the update in the making is finished first…')
        : t('Pausing: the updates that are done are gone over first…');
    case 'paused':
      return t('Paused after update {0}', updates);
    case 'resuming':
      return t('Resuming…');
    case 'stopping':
      return t('Stopping: the state is saved first…');
    case 'completed':
      return t('Completed after {0} updates', updates);
    case 'stopped':
      return run.savedUpdate === null
        ? t('Stopped after update {0}: nothing was saved', updates)
        : t('Stopped after update {0}', updates);
    case 'failed':
      return t('Failed after update {0}', updates);
    case 'interrupted':
      return run.savedUpdate === null
        ? t('Interrupted: the process is gone, and nothing was saved')
        : t('Interrupted: the process is gone');
    case 'gone':
      return t('Gone: its folder was deleted');
  }
}

/** How a run that is listed ended, in a word or two. */
export function endedHow(state: RunState, t: Translate): string {
  switch (state) {
    case 'completed':
      return t('completed');
    case 'stopped':
      return t('stopped');
    case 'failed':
      return t('failed');
    case 'interrupted':
      return t('interrupted');
    case 'gone':
      return t('folder deleted');
    default:
      return t('still running');
  }
}
