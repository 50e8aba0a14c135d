// How deep a JSON text is nested, told without recursion: what reads JSON by calling itself runs out of stack otherwise.

/** Deeper than any config or model is nested. */
export const deepestNesting = 200;

/**
 * Offset of the first brace or bracket that is nested deeper than `limit`; null where none is. Comments are passed over;
 * in a text that is no JSON, whatever is found is only this: not too deep to be read.
 */
export function nestedDeeper(text: string, limit = deepestNesting): number | null {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text[at]) {
      case '"':
        at = endOfString(text, at);
        break;
      case '/':
        at = endOfComment(text, at);
        break;
      case '{':
      case '[':
        if (++depth > limit) return at;
        break;
      case '}':
      case ']':
        depth--;
        break;
      default:
    }
  }
  return null;
}

/** Offset of the closing quote. A text ends with its line, if not before: it has no closing quote then. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const char = text[at];
    if (char === '\\') at++;
    else if (char === '"' || char === '\n' || char === '\r') return at;
  }
  return text.length;
}

function endOfComment(text: string, start: number): number {
  const kind = text[start + 1];
  const end =
    kind === '/' ? text.indexOf('\n', start) : kind === '*' ? text.indexOf('*/', start + 2) + 1 : start;
  return end <= 0 ? text.length : end;
}
