// The figures of a training: what a History holds, and by which figure the best state is told.
import type { CheckpointState } from '../../protocol/checkpoint';
import type { LayersModel } from '../contracts';
import type { Logs } from './trainerHistory';

/** The History of a model's last call, as tfjs-layers keeps it: epoch numbers, and each figure epoch by epoch. */
interface HistoryFields {
  epoch: number[];
  history: Record<string, unknown[]>;
}

/** Puts the epochs that an interrupted process ran before those of this one, so that the script sees all of them. */
export function restoreHistory(model: LayersModel, earlier: readonly Logs[]): void {
  if (earlier.length === 0) return;
  const history = (model as unknown as { history?: HistoryFields }).history;
  if (!history) return;
  history.epoch = [...earlier.map((_, epoch) => epoch), ...history.epoch];
  const names = new Set([...earlier.flatMap((logs) => Object.keys(logs)), ...Object.keys(history.history)]);
  for (const name of names) {
    const values = earlier.map((logs) => logs[name] ?? NaN);
    history.history[name] = [...values, ...(history.history[name] ?? [])];
  }
}

/** val_loss where there is a validation, else loss; null where it is not a number. Less is better. */
export function monitoredOf(modelIndex: number, logs: Logs): CheckpointState['monitored'] {
  const name = 'val_loss' in logs ? 'val_loss' : 'loss';
  const value = logs[name];
  return value === undefined || !Number.isFinite(value) ? null : { model: modelIndex, name, value };
}
