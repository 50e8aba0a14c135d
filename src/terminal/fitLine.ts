// Text that never wraps: parts of a line are left out, the least telling first, until it fits the columns.
import { stripVTControlCharacters } from 'node:util';

/** A part of a line. Smaller ranks stay longer; rank 0 always stays. */
export interface LinePart {
  readonly rank: number;
  readonly text: string;
}

/** Columns that a text takes; colours take none. Wide characters (CJK, emoji) take two. */
export function textWidth(text: string): number {
  let width = 0;
  for (const character of stripVTControlCharacters(text)) {
    if (/\p{Mark}/u.test(character)) continue;
    width +=
      /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u.test(
        character,
      )
        ? 2
        : 1;
  }
  return width;
}

/** The parts in their order, as many as fit `columns`. What stays is cut where even that is too wide. */
export function fitLine(parts: readonly LinePart[], columns: number, separator = ' · '): string {
  const present = parts.filter(({ text }) => text !== '');
  const ranks = [...new Set(present.map(({ rank }) => rank))].sort((a, b) => b - a);
  let line = '';
  for (const highest of ranks) {
    line = present
      .filter(({ rank }) => rank <= highest)
      .map(({ text }) => text)
      .join(separator);
    if (textWidth(line) <= columns) return line;
  }
  return cut(line, columns);
}

/** Cuts a text to `columns`, with an ellipsis where something was lost. Colours are dropped then. */
export function cut(text: string, columns: number): string {
  if (textWidth(text) <= columns) return text;
  let result = '';
  let width = 0;
  for (const character of stripVTControlCharacters(text)) {
    const next = textWidth(character);
    if (width + next > columns - 1) break;
    result += character;
    width += next;
  }
  return columns < 1 ? '' : `${result}…`;
}

/** Blanks that a line may end at: not within `86 × 85` or `6.5 GB`. */
const breaks = /(?<!×) (?!×)(?!(?<=\d )(?:[KMGT]B|bytes?|ms|s|m|h|d|%)(?!\p{L}))/u;
/** A command that a sentence ends with. */
const closingCommand = /^(.*:) ((?:\u001B\[\d+m)*batch-planner .*)$/;

/**
 * Breaks a text at blanks into lines of at most `columns`. What is to be copied stays whole: a longer word (a path), and
 * a command at the end, which is given a line of its own.
 */
export function wrapText(text: string, columns: number, indent = ''): string[] {
  if (textWidth(text) <= columns) return [text];
  const [, sentence, command] = closingCommand.exec(text) ?? [];
  if (sentence !== undefined && command !== undefined)
    return [...wrapText(sentence, columns, indent), indent + command];
  const lines: string[] = [];
  const words = text.trimStart().split(breaks);
  // Blanks that a text begins with are its own indentation.
  let line = text.slice(0, text.length - text.trimStart().length) + (words.shift() ?? '');
  for (const word of words) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && textWidth((lines.length > 0 ? indent : '') + longer) > columns) {
      lines.push((lines.length > 0 ? indent : '') + line);
      line = word;
    } else {
      line = longer;
    }
  }
  lines.push((lines.length > 0 ? indent : '') + line);
  return lines;
}
