// Where in a text an offset is, as people and editors count.

export interface TextPosition {
  /** 1 for the first line. */
  readonly line: number;
  /** 1 for the first character of the line. */
  readonly column: number;
}

/** Line and column of an offset (in UTF-16 units, from 0); lines end with \n, \r\n or \r. */
export function positionAt(text: string, offset: number): TextPosition {
  const lines = text.slice(0, offset).split(/\r\n|\n|\r/);
  // A cut between \r and \n has ended the line already; the \n stays in it.
  const cutInside = text[offset - 1] === '\r' && text[offset] === '\n';
  const line = cutInside ? lines.length - 1 : lines.length;
  const column = cutInside ? (lines.at(-2) ?? '').length + 2 : (lines.at(-1) ?? '').length + 1;
  return { line, column };
}
