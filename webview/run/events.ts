// The list of what happened in a run: when and what, the newest first.
import type { RunMark } from '../../src/protocol/page';
import { element, icon, setChildren } from '../dom';
import type { Translate } from '../l10n';
import { markName } from './runCharts';

/** Names of codicons. */
const icons: Readonly<Record<RunMark['kind'], string>> = {
  started: 'play',
  checkpoint: 'save',
  microbatchReduced: 'arrow-down',
  microbatchGrown: 'arrow-up',
  outOfMemory: 'error',
  paused: 'debug-pause',
  resumed: 'debug-continue',
  warning: 'warning',
  ended: 'flag',
};

/** More than these make the page slow and help nobody; all are in the run folder. */
const mostRows = 500;

/** Fills the list with the newest events. */
export function showEvents(list: HTMLElement, marks: readonly RunMark[], t: Translate): void {
  setChildren(list, `${marks.length} ${marks.at(-1)?.time ?? ''}`, () => {
    const shown = marks.slice(-mostRows).reverse();
    const rows: Node[] = shown.map(({ time, kind, text }) =>
      element(
        'li',
        { class: `event event-${kind}` },
        element('time', { attributes: { datetime: time } }, clockTime(time)),
        icon(icons[kind]),
        element('span', {}, element('span', { class: 'visually-hidden' }, `${markName(kind, t)}: `), text),
      ),
    );
    if (marks.length === 0) rows.push(element('li', { class: 'nothing' }, t('Nothing yet.')));
    if (marks.length > shown.length)
      rows.push(
        element(
          'li',
          { class: 'nothing' },
          t('{0} earlier events are in the run folder.', marks.length - shown.length),
        ),
      );
    return rows;
  });
}

/** The time of day where the reader is; the date too where it is another day. */
function clockTime(time: string): string {
  const at = new Date(time);
  const isToday = at.toDateString() === new Date().toDateString();
  return isToday ? at.toLocaleTimeString() : at.toLocaleString();
}
