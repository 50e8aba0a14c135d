// What the hook does around the script's callbacks: they are the places between two updates where a training may wait.
import type { CallRunner } from './callRunner';
import { define, method } from './patch';

type Callbacks = readonly unknown[];
type Notify = (this: { callbacks: Callbacks }, value: unknown, logs?: unknown) => Promise<void>;

/**
 * Wraps the class that tells all callbacks of a training call, the script's and tfjs' own (History is the last one).
 * @param runnerOf the runner of the call that these callbacks are of; null for another one.
 */
export function watchCallbacks(
  prototype: object,
  runnerOf: (callbacks: Callbacks) => CallRunner | null,
): void {
  const wrap = (
    name: string,
    around: (runner: CallRunner, told: () => Promise<void>, value: unknown, logs: unknown) => Promise<void>,
  ): void => {
    const original = method<Notify>(prototype, name);
    const replacement: Notify = function (value, logs) {
      const runner = runnerOf(this.callbacks);
      const told = (): Promise<void> => original.call(this, value, logs);
      if (runner === null) return told();
      return around(runner, () => runner.inCallbacks(told), value, logs);
    };
    define(prototype, name, replacement);
  };
  wrap('onTrainBegin', (_runner, told) => told());
  wrap('onEpochBegin', (runner, told, epoch) => {
    runner.epochBegins(epoch);
    return told();
  });
  wrap('onBatchBegin', (_runner, told) => told());
  wrap('onBatchEnd', async (runner, told) => {
    await told();
    await runner.settled();
  });
  wrap('onEpochEnd', async (runner, told, epoch, logs) => {
    runner.epochEnds(logs);
    await told();
    await runner.epochEnded(epoch, logs);
  });
  wrap('onTrainEnd', (_runner, told) => told());
}
