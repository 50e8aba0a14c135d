// A part of the page that can be opened: its head always there, its content made only while it is open.
import { element, setText } from '../dom';

/** A section that opens and closes. */
export class Section {
  readonly root: HTMLDetailsElement;
  readonly #summary = element('summary');
  #fill: () => void = () => undefined;

  /** `toggled` is called when it was opened or closed, after it was filled. */
  constructor(
    name: string,
    isOpen: boolean,
    toggled: (name: string, isOpen: boolean) => void,
    ...content: Node[]
  ) {
    this.root = element('details', { class: `section section-${name}` }, this.#summary, ...content);
    this.root.open = isOpen;
    this.root.addEventListener('toggle', () => {
      if (this.root.open) this.#fill();
      toggled(name, this.root.open);
    });
  }

  /** Sets its head, and fills it where it is open. */
  set(title: string, fill: () => void): void {
    setText(this.#summary, title);
    this.#fill = fill;
    if (this.root.open) fill();
  }
}
