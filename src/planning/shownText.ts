// Text from elsewhere (names of files, models, layers and devices, messages of scripts) as it is safe to show.

/** Characters that act instead of being seen: controls (ESC, line ends), line separators, turns of the reading direction. */
const acting = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;
const actingInLine = /(?![\n\t])[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;

/** On one line, with each acting character written as its escape, such as `\u001b`. */
export function shownLine(text: string): string {
  return text.replace(acting, escaped);
}

/** As `shownLine`, but line ends and tabs stay: those of a stack, or of several sentences. */
export function shownLines(text: string): string {
  return text.replace(/\r\n/g, '\n').replace(actingInLine, escaped);
}

/** Whether something in a text would act where it is shown. */
export function acts(text: string): boolean {
  return text.search(acting) >= 0;
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
