// What of a script's output is shown above the progress line: all of it but what the progress line tells better.
import { stripVTControlCharacters } from 'node:util';

/** tfjs-node's own progress (`ProgbarLogger`), and the advice of tfjs to install what was chosen or passed over already. */
const dropped = [
  /^Epoch \d+ \/ \d+\s*$/,
  /^\d+ms \d+us\/step - /,
  /^eta=[\d.]+ /,
  /^={28}$/,
  /^Hi, looks like you are running TensorFlow\.js in Node\.js/,
];

/** Cuts output into lines and leaves out the dropped ones. All of it is in trainer.log. */
export class ScriptOutput {
  #rest = '';
  #afterDropped = false;

  /** Lines that a piece of output completes. */
  add(piece: string): string[] {
    const lines = (this.#rest + piece).split('\n');
    this.#rest = lastDrawn(lines.pop() ?? '');
    return lines.flatMap((line) => this.#shown(line));
  }

  /** The line that is being written, as far as it is there; not taken out. */
  get unfinished(): string {
    return withoutCursorMoves(lastDrawn(this.#rest).replace(/\r+$/, ''));
  }

  /** A last line without an end. */
  end(): string[] {
    const rest = this.#rest;
    this.#rest = '';
    return rest === '' ? [] : this.#shown(rest);
  }

  #shown(line: string): string[] {
    const text = withoutCursorMoves(lastDrawn(line).replace(/\r+$/, ''));
    const plain = stripVTControlCharacters(text);
    const isDropped = dropped.some((pattern) => pattern.test(plain));
    // The blank line around a dropped one goes with it.
    const isBlankAfter = this.#afterDropped && plain.trim() === '';
    this.#afterDropped = isDropped;
    return isDropped || isBlankAfter ? [] : [text];
  }
}

/** Of a line that draws over itself, what is left of it in the end: a bar that is drawn for hours stays short. */
function lastDrawn(line: string): string {
  const end = line.replace(/\r+$/, '').length;
  return line.slice(line.lastIndexOf('\r', end - 1) + 1);
}

/** Colours and tabs stay; moving the cursor, erasing and whatever else steers a terminal would tear the progress line. */
function withoutCursorMoves(text: string): string {
  return text
    .split(/(\u001B\[[\d;:]*m)/)
    .map((piece, index) => {
      const isColor = index % 2 === 1;
      return isColor ? piece : stripVTControlCharacters(piece).replace(/(?!\t)\p{Cc}/gu, '');
    })
    .join('');
}
