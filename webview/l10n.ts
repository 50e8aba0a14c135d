// The page's texts in the user's language, in the way of `@vscode/l10n`: the English text is the key.

/** Translates `text` and puts `args` in its places `{0}`, `{1}`, …. Always called with a literal, so that texts can be collected. */
export type Translate = (text: string, ...args: readonly (string | number)[]) => string;

let translations: Readonly<Record<string, string>> = {};

/** Takes the translations that the extension sent: English text → text. A text that is missing stays English. */
export function setTexts(texts: Readonly<Record<string, string>>): void {
  translations = texts;
}

export const t: Translate = (text, ...args) =>
  (translations[text] ?? text).replace(/\{(\d+)\}/g, (place, index) => String(args[Number(index)] ?? place));
