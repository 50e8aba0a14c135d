// The last lines that the script wrote; follows its end unless the reader scrolled up.
import { element, setShown, setText } from '../dom';
import type { Translate } from '../l10n';

/** The box of the output. */
export class Output {
  readonly root = element('div');
  readonly #text: HTMLPreElement;
  readonly #none: HTMLElement;
  #follows = true;

  constructor(t: Translate) {
    this.#text = element('pre', {
      class: 'output',
      attributes: {
        tabindex: '0',
        role: 'group',
        'aria-label': t('Output of the script'),
        'data-scrolls': '',
      },
    });
    this.#none = element('p', { class: 'nothing' }, t('The script wrote nothing yet.'));
    this.#text.addEventListener('scroll', () => {
      const { scrollTop, scrollHeight, clientHeight } = this.#text;
      if (clientHeight > 0) this.#follows = scrollTop + clientHeight >= scrollHeight - 4;
    });
    this.root.append(this.#none, this.#text);
  }

  show(output: string): void {
    setShown(this.#none, output === '');
    setShown(this.#text, output !== '');
    setText(this.#text, output);
    this.follow();
  }

  /** Scrolls to the end where the reader was there. */
  follow(): void {
    if (this.#follows) this.#text.scrollTop = this.#text.scrollHeight;
  }
}
