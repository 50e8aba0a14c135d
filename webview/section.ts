// A part of the page that can be folded; whether it is open is kept.
import { element } from './dom';
import { isRecord, keepState, keptState } from './pageState';

const stateName = 'openSections';

/** A native disclosure around `content`. `name` is what its state is kept under. */
export function createSection(
  name: string,
  title: HTMLElement | string,
  content: HTMLElement,
  isOpenAtFirst = false,
): HTMLDetailsElement {
  const section = element('details', { class: 'section' }, element('summary', {}, title), content);
  const kept = keptState(stateName);
  const open = isRecord(kept) ? kept : {};
  section.open = typeof open[name] === 'boolean' ? open[name] : isOpenAtFirst;
  section.addEventListener('toggle', () => {
    const now = keptState(stateName);
    keepState(stateName, { ...(isRecord(now) ? now : {}), [name]: section.open });
  });
  return section;
}
