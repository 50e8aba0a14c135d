// Small helpers to build elements and to change them only where something changed, so that focus and selection stay.

import { shownLines } from '../src/planning/shownText';

type Child = Node | string;

interface Properties {
  readonly class?: string;
  /** Attributes by name; `undefined` leaves one out. */
  readonly attributes?: Readonly<Record<string, string | undefined>>;
  readonly onClick?: () => void;
}

/** Makes an element with its children; strings become text, never HTML. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties?: Properties,
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag];
/** The same, of an element that the toolkit made known. */
export function element(
  tag: `vscode-${string}`,
  properties?: Properties,
  ...children: readonly Child[]
): HTMLElement;
export function element(
  tag: string,
  properties: Properties = {},
  ...children: readonly Child[]
): HTMLElement {
  const made = document.createElement(tag);
  if (properties.class !== undefined) made.className = properties.class;
  for (const [name, value] of Object.entries(properties.attributes ?? {})) {
    if (value !== undefined) made.setAttribute(name, isRead(name) ? shownLines(value) : value);
  }
  if (properties.onClick !== undefined) made.addEventListener('click', properties.onClick);
  made.append(...children.map(shown));
  return made;
}

/** Names and messages of anyone's must not turn the direction of the text around them. */
function shown(child: Child): Child {
  return typeof child === 'string' ? shownLines(child) : child;
}

/** Attributes that a person reads or hears. */
function isRead(attribute: string): boolean {
  return attribute === 'title' || attribute === 'aria-label';
}

/** A codicon, which says nothing to a screen reader: the text beside it does. */
export function icon(name: string): HTMLSpanElement {
  return element('span', { class: `codicon codicon-${name}`, attributes: { 'aria-hidden': 'true' } });
}

/** A word beside a figure that says what it is worth, such as that it was not measured; hidden at first. */
export function badge(text: string): HTMLElement {
  const made = element('span', { class: 'badge' }, text);
  made.hidden = true;
  return made;
}

/** Sets the text of an element where it differs. */
export function setText(target: Element, text: string): void {
  const safe = shownLines(text);
  if (target.textContent !== safe) target.textContent = safe;
}

/** Shows or hides an element. */
export function setShown(target: HTMLElement, isShown: boolean): void {
  if (target.hidden === isShown) target.hidden = !isShown;
}

/** Sets an attribute where it differs; null takes it away. */
export function setAttribute(target: Element, name: string, value: string | null): void {
  if (value === null) target.removeAttribute(name);
  else {
    const text = isRead(name) ? shownLines(value) : value;
    if (target.getAttribute(name) !== text) target.setAttribute(name, text);
  }
}

/** Replaces the children unless `key` is the one that they were made for: a part that did not change keeps its focus. */
export function setChildren(target: HTMLElement, key: string, make: () => readonly Child[]): void {
  if (target.dataset.key === key) return;
  target.dataset.key = key;
  target.replaceChildren(...make().map(shown));
}
