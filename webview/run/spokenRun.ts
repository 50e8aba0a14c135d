// What a screen reader is told of how a run goes.
import type { RunView } from '../../src/protocol/page';
import { formatDuration } from '../../src/planning/units';
import { formatFigure } from '../chart/numbers';
import type { Translate } from '../l10n';
import { stateSentence } from './runStates';
import { progressOf } from './statusLine';

/** How the run goes, in a sentence. */
export function spokenRun(run: RunView, t: Translate): string {
  const parts = [stateSentence(run, t)];
  const { epoch, update } = progressOf(run, t);
  if (run.state === 'training' || run.state === 'replaying') {
    for (const part of [epoch, update]) if (part !== null) parts.push(part);
  }
  if (run.state === 'training') {
    const { loss } = run.last;
    if (loss !== undefined && loss !== null) parts.push(t('loss {0}', formatFigure(loss)));
    if (run.leftMs !== null) parts.push(t('left {0}', formatDuration(run.leftMs)));
  }
  if (run.failure !== null) parts.push(run.failure.message);
  return parts.join(', ');
}
