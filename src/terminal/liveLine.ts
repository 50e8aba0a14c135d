// One line at the bottom of a terminal that is redrawn, with other text appearing above it.

const hideCursor = '\u001B[?25l';
const showCursor = '\u001B[?25h';
const eraseLine = '\r\u001B[2K';
/** Without line wrap, a window that was just made narrower cuts the line instead of leaving pieces behind. */
const wrapOff = '\u001B[?7l';
const wrapOn = '\u001B[?7h';

export class LiveLine {
  #line = '';
  #isHidden = false;

  constructor(private readonly stream: { write(text: string): unknown }) {}

  /** Replaces the line. It must fit the columns. */
  draw(line: string): void {
    if (line === this.#line) return;
    const hide = this.#isHidden ? '' : hideCursor;
    this.#isHidden = true;
    this.#line = line;
    this.stream.write(`${hide}${wrapOff}${eraseLine}${line}${wrapOn}`);
  }

  /** Writes whole lines above it. `text` ends with a line end. */
  above(text: string): void {
    if (this.#line === '') {
      this.stream.write(text);
      return;
    }
    this.stream.write(`${wrapOn}${eraseLine}${text}${wrapOff}${this.#line}${wrapOn}`);
  }

  /** Removes the line and shows the cursor again. */
  end(): void {
    if (this.#line !== '') this.stream.write(eraseLine);
    this.#line = '';
    if (this.#isHidden) this.stream.write(`${wrapOn}${showCursor}`);
    this.#isHidden = false;
  }
}
