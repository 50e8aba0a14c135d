// The first lines of the page: the entry, the device, the backend and why it was taken.
import type { PlanDevice } from '../../src/planning/plan';
import { formatBytes } from '../../src/planning/units';
import { element, setAttribute, setShown, setText } from '../dom';
import { t } from '../l10n';

export interface HeadFacts {
  readonly entryName: string;
  readonly entryPath: string;
  readonly device: PlanDevice | null;
  /** Null where no backend is known yet. */
  readonly backend: { readonly name: string; readonly version: string; readonly reason: string } | null;
}

export class HeadLine {
  readonly element: HTMLElement;
  readonly #entry: HTMLButtonElement;
  readonly #device = element('span', { class: 'fact' });
  readonly #backend = element('span', { class: 'fact' });
  readonly #reason = element('p', { class: 'muted reason' });

  /** @param actions buttons at the right end */
  constructor(openEntry: () => void, actions: readonly HTMLElement[]) {
    this.#entry = element('button', {
      class: 'entry-name',
      attributes: { type: 'button' },
      onClick: openEntry,
    });
    this.element = element(
      'header',
      { class: 'head' },
      element(
        'div',
        { class: 'head-line' },
        element('h1', {}, this.#entry),
        this.#device,
        this.#backend,
        element('div', { class: 'head-actions' }, ...actions),
      ),
      this.#reason,
    );
  }

  show({ entryName, entryPath, device, backend }: HeadFacts): void {
    setText(this.#entry, entryName);
    setAttribute(this.#entry, 'title', entryPath);
    setShown(this.#device, backend !== null);
    setText(this.#device, device === null ? t('processor') : deviceText(device));
    setShown(this.#backend, backend !== null);
    setText(this.#backend, backend === null ? '' : `${backend.name} ${backend.version}`);
    setShown(this.#reason, backend !== null && backend.reason !== '');
    setText(this.#reason, asSentence(backend?.reason ?? ''));
  }
}

/** Reasons are told behind a name elsewhere, and so begin small and have no end. */
function asSentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1) + (text.endsWith('.') ? '' : '.');
}

function deviceText({ name, memoryTotalBytes, memoryFreeBytes }: PlanDevice): string {
  if (memoryTotalBytes === null) return name;
  if (memoryFreeBytes === null) return `${name} (${formatBytes(memoryTotalBytes)})`;
  return t('{0} ({1}, {2} free)', name, formatBytes(memoryTotalBytes), formatBytes(memoryFreeBytes));
}
