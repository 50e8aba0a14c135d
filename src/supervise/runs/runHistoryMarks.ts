// What is marked on a run's charts and listed under them: a sentence for each thing that happened.
import { warningText } from '../../planning/describe';
import { formatCount, formatDuration } from '../../planning/units';
import type { RunMark } from '../../protocol/page';
import type { RunEvent } from '../../protocol/runEvents';

/** As many as are kept: a run of weeks has a checkpoint each minute. */
export const keptMarks = 2_000;

/** The mark of an event; null for those that are points or epochs. */
export function markOf(event: RunEvent, point: number): RunMark | null {
  const text = textOf(event);
  if (text === null) return null;
  return { time: event.time, point, kind: event.type as RunMark['kind'], text };
}

function textOf(event: RunEvent): string | null {
  switch (event.type) {
    case 'started': {
      const { backend, attempt } = event;
      const device = backend.deviceName === null ? '' : ` (${backend.deviceName})`;
      const which = attempt === 1 ? 'Started' : `Started for the ${ordinal(attempt)} time`;
      return `${which} on ${backend.name} ${backend.version}${device}.`;
    }
    case 'checkpoint':
      return formatDuration(event.ms);
    case 'microbatchReduced':
      return `Microbatch ${formatCount(event.from)} → ${formatCount(event.to)}: ${event.reason}`;
    case 'microbatchGrown':
      return `Microbatch ${formatCount(event.from)} → ${formatCount(event.to)}, after updates without trouble.`;
    case 'outOfMemory':
      return `Out of memory at microbatch ${formatCount(event.microbatch)}: ${event.message}`;
    case 'paused':
      return `Paused after update ${formatCount(event.update)}; the state is saved.`;
    case 'resumed':
      return `Going on from epoch ${formatCount(event.epoch + 1)}, update ${formatCount(event.update + 1)}.`;
    case 'warning':
      return warningText(event.warning);
    case 'ended':
      return endText(event);
    default:
      return null;
  }
}

function endText({ how, exitCode, failure }: Extract<RunEvent, { type: 'ended' }>): string {
  switch (how) {
    case 'completed':
      return 'Completed.';
    case 'stopped':
      return 'Stopped; the state is saved.';
    case 'interrupted':
      return 'Interrupted; the state is saved.';
    case 'failed':
      return failure ? `Failed: ${failure.message}` : `Failed with exit code ${exitCode}.`;
  }
}

function ordinal(count: number): string {
  const rules: Partial<Record<Intl.LDMLPluralRule, string>> = { one: 'st', two: 'nd', few: 'rd' };
  const rule = new Intl.PluralRules('en-US', { type: 'ordinal' }).select(count);
  return `${count}${rules[rule] ?? 'th'}`;
}
