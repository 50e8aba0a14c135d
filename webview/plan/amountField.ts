// A field for an amount, with a sentence beside it while what stands in it cannot be used.
import { createTextField, type TextField } from '../controls';
import { element, icon, setShown, setText } from '../dom';

/** What was typed: an amount, or a sentence that says what to write instead. */
export type Typed = { readonly amount: number } | { readonly problem: string };

export class AmountField {
  readonly element: TextField;
  readonly problem: HTMLElement;
  readonly #sentence = element('span');
  #shown = '';

  /**
   * @param read reads what was typed; it is told what the field showed before, too
   * @param onProblem called when a problem came or went
   */
  constructor(
    label: string,
    read: (text: string, shown: string) => Typed,
    onAmount: (amount: number) => void,
    private readonly onProblem: () => void,
  ) {
    this.problem = element(
      'p',
      { class: 'problem', attributes: { role: 'alert' } },
      icon('error'),
      this.#sentence,
    );
    this.problem.hidden = true;
    const take = (text: string): void => {
      if (text.trim() === this.#shown) {
        this.#setProblem('');
        return;
      }
      const typed = read(text, this.#shown);
      if ('problem' in typed) this.#setProblem(typed.problem);
      else {
        this.#setProblem('');
        onAmount(typed.amount);
      }
    };
    this.element = createTextField(label, {
      input: take,
      // Left with an amount in it, the field shows it as it is written elsewhere.
      change: (text) => {
        take(text);
        if (!this.isInvalid) this.element.value = this.#shown;
      },
    });
  }

  get isInvalid(): boolean {
    return !this.problem.hidden;
  }

  set isDisabled(isDisabled: boolean) {
    this.element.disabled = isDisabled;
  }

  /** Shows an amount, unless the field is being typed in. */
  show(text: string): void {
    this.#shown = text;
    if (this.isInvalid || document.activeElement === this.element) return;
    if (this.element.value !== text) this.element.value = text;
  }

  /** Lets go of what was typed. */
  forget(): void {
    this.#setProblem('');
    this.element.value = this.#shown;
  }

  #setProblem(text: string): void {
    const wasInvalid = this.isInvalid;
    setText(this.#sentence, text);
    setShown(this.problem, text !== '');
    this.element.ariaInvalid = String(text !== '');
    this.element.classList.toggle('is-invalid', text !== '');
    if (wasInvalid !== this.isInvalid) this.onProblem();
  }
}
