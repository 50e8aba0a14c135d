// Ctrl-C and its like: once, the training stops and saves; twice, it is ended at once.
import type { TrainingDisplay } from './trainingDisplay';

/** What can be asked of a training. */
export interface Stoppable {
  /** True once it was asked to stop. */
  readonly isStopping: boolean;
  /** True where there is something to save. */
  readonly trains: boolean;
  /** Asks for it to be saved and stopped after this update. */
  stop(): Promise<void>;
  /** Ends it at once. */
  kill(): void;
}

export interface StopSources {
  readonly display: TrainingDisplay;
  /** Where Ctrl-C and requests to terminate come from. */
  readonly signals?: Pick<NodeJS.EventEmitter, 'on' | 'off'>;
  /** Aborted once nobody reads any more what is shown: the training then stops as at Ctrl-C. */
  readonly closed?: AbortSignal;
}

/** Once: stop after this update. Twice: at once. Returns what ends the watch. */
export function watchSignals(
  training: Stoppable,
  { display, signals = process, closed }: StopSources,
): () => void {
  const ask = (): void => {
    if (training.isStopping) {
      training.kill();
      return;
    }
    if (training.trains) display.say('Stopping after this update, and saving. Once more ends at once.');
    training.stop().catch((error: unknown) => {
      display.say(`The training cannot be asked to stop (${String(error)}): it is ended at once.`);
      training.kill();
    });
  };
  // No person's second request: a terminal that is gone may be noticed in more than one way.
  const leave = (): void => {
    if (!training.isStopping) ask();
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
