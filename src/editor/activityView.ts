// What goes on in the window as a whole, for the status bar and the context keys: a planning before a training.
import type * as vscode from 'vscode';
import type { RunView } from '../protocol/page';
import type { ContextKeys } from './contextKeys';
import { contextNames } from './names';
import type { Sessions } from './sessions';
import type { Activity, StatusBar } from './statusBar';

export class ActivityView implements vscode.Disposable {
  readonly #subscription: vscode.Disposable;

  constructor(
    private readonly sessions: Sessions,
    private readonly statusBar: StatusBar,
    private readonly contextKeys: ContextKeys,
  ) {
    this.#subscription = sessions.onDidChange(() => this.#refresh());
  }

  dispose(): void {
    this.#subscription.dispose();
  }

  #refresh(): void {
    const sessions = this.sessions.all;
    const planning = sessions.find(({ trying }) => trying !== undefined);
    const training = sessions.find(({ runs }) => runs.isActive)?.runs.shown?.view() ?? null;
    this.contextKeys.set(contextNames.planning, planning !== undefined);
    this.contextKeys.set(contextNames.training, training !== null);
    this.contextKeys.set(contextNames.paused, training?.state === 'paused');
    this.contextKeys.set(
      contextNames.hasPlan,
      sessions.some(({ plan }) => plan.state === 'planned'),
    );
    this.statusBar.setActivity(
      planning !== undefined
        ? { kind: 'planning', trying: planning.trying ?? null }
        : training === null
          ? null
          : trainingActivity(training),
    );
  }
}

/**
 * How far a run is; in a script that trains several times, how far its present call is. While a run that goes on passes over
 * what is done, that is not known: updates after its checkpoint will be done again.
 */
export function trainingActivity(run: RunView): Activity {
  const { call, epoch, updateOfEpoch, microbatch, replay } = run;
  const epochs = call?.epochs ?? null;
  const perEpoch = call?.updatesPerEpoch ?? null;
  let percent: number | null = null;
  if (replay === null && epochs !== null && perEpoch !== null && epochs * perEpoch > 0) {
    const part = microbatch === null ? 0 : microbatch.done / microbatch.of;
    percent = Math.min(100, (100 * (epoch * perEpoch + updateOfEpoch + part)) / (epochs * perEpoch));
  }
  return {
    kind: 'training',
    percent,
    isPaused: run.state === 'paused',
    memoryBytes: run.memoryBytes,
    budgetBytes: run.budgetBytes,
  };
}
