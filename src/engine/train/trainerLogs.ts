// By which figure of an epoch the best state of a training is told.
import type { CheckpointState } from '../../protocol/checkpoint';
import type { Logs } from './earlierFigures';

/** val_loss where there is a validation, else loss; null where it is not a number. Less is better. */
export function monitoredOf(modelIndex: number, logs: Logs): CheckpointState['monitored'] {
  const name = 'val_loss' in logs ? 'val_loss' : 'loss';
  const value = logs[name];
  return value === undefined || !Number.isFinite(value) ? null : { model: modelIndex, name, value };
}
