// No text that a person is shown escapes l10n, and translators get every one of them.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  editorSources,
  isTranslation,
  literalTexts,
  translatedTexts,
  type SourceText,
} from '../../support/shownTexts';

const root = path.resolve(import.meta.dirname, '../../..');

/** Made for those who mend, in English on purpose; and HTML without a text. */
const forDevelopers = ['src/editor/diagnosticsReport.ts', 'src/editor/log.ts', 'src/editor/pageHtml.ts'];
/** Names of products and of keys, and code. */
const noProse =
  /^(?:Batch Planner|npm install .*|codicon .*|color-mix.*|Home|End|Escape|Enter|Tab|(?:Arrow|Page)\w+)$/;
/** Calls whose texts are no person's: the log, errors of programming, patterns, code. */
const unseen =
  /^(?:.*log\.\w+|log|Error|RegExp|new RegExp|.*Error|environmentLine|querySelector|querySelectorAll|icon|class:)$/;
/** Two words, or a word that begins a sentence: what people read. */
const words = /[A-Za-z]{2,}[,:]? [A-Za-z]{2,}|^[A-Z][a-z]{2,}(?:[ .:…]|$)/;

function looksShown({ text, around }: SourceText): boolean {
  if (around.some(isTranslation) || around.some((name) => unseen.test(name))) return false;
  return words.test(text) && !noProse.test(text);
}

describe('texts', () => {
  it('go through l10n', () => {
    const escaped = editorSources()
      .filter((file) => !forDevelopers.includes(file))
      .flatMap(literalTexts)
      .filter(looksShown)
      .map(({ place, text }) => `${place}: ${text}`);
    expect(escaped).toEqual([]);
  });

  it('are found by this test where one is left out', () => {
    const text: SourceText = { text: 'Start training', place: 'here', around: ['showInformationMessage'] };
    expect(looksShown(text)).toBe(true);
    expect(looksShown({ ...text, around: ['vscode.l10n.t', 'showInformationMessage'] })).toBe(false);
  });

  it('are all in the bundle that translators start from (npm run l10n writes it)', () => {
    const bundle: unknown = JSON.parse(readFileSync(path.join(root, 'media/l10n/bundle.l10n.json'), 'utf8'));
    expect(bundle).toEqual(Object.fromEntries(translatedTexts().map((text) => [text, text])));
  });
});
