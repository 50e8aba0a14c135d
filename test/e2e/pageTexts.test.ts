// Every text of the page goes through l10n: with each text put in brackets, nothing but data stays without.
import { expect, it } from 'vitest';
import { planStates } from '../support/pageFixtures';
import { describePage, open } from '../support/pageTests';
import { translatedTexts } from '../support/shownTexts';

/** Figures with their units, and signs. */
const isFigure = (text: string): boolean =>
  /^[\d.,\s=×+<>%–−✓]*((bytes|[KMGT]B|ms|s|m|h)\b[\d.,\s]*)*$/.test(text) || !/\p{Letter}{2}/u.test(text);

describePage('texts', () => {
  it('are all translated', async () => {
    const texts = Object.fromEntries(translatedTexts().map((text) => [text, `⟦${text}⟧`]));
    const session = await open({ texts });
    const escaped = new Set<string>();
    for (const view of Object.values(planStates)) {
      await session.show(view);
      const data = textsIn(view).sort((a, b) => b.length - a.length);
      const shown = (await session.page.evaluate(collectTexts)) as string[];
      for (const text of shown) {
        // What stands outside of brackets, and is no data of the view, must be figures and signs.
        const own = data.reduce((rest, word) => rest.replaceAll(word, ' '), withoutBrackets(text));
        if (!isFigure(own.trim())) escaped.add(text);
      }
    }
    expect([...escaped]).toEqual([]);
  });

  it('of models, scripts and errors are shown as they are, and never become elements', async () => {
    const session = await open();
    let shown = 0;
    for (const view of Object.values(planStates)) {
      await session.show(withMarkup(view) as typeof view);
      expect(await session.page.locator('#batch-planner img').count()).toBe(0);
      shown += ((await session.page.locator('#batch-planner').innerText()).match(/<img src=x/g) ?? []).length;
    }
    expect(shown).toBeGreaterThan(Object.keys(planStates).length);
    expect(await session.page.evaluate('window.reached')).toBeUndefined();
  });
});

const markup = '<img src=x onerror="window.reached = true">';

/** A view with an element in the names of its models and in all of its sentences. */
function withMarkup(value: unknown, key = ''): unknown {
  if (typeof value === 'string') return key === 'modelName' || value.includes(' ') ? value + markup : value;
  if (Array.isArray(value)) return value.map((one) => withMarkup(one));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, withMarkup(one, name)]));
}

/** Translated texts may have others in their places. */
function withoutBrackets(text: string): string {
  const outer = text.replace(/⟦[^⟦⟧]*⟧/g, '');
  return outer === text ? text : withoutBrackets(outer);
}

/** All texts of two letters or more in a view, and their lines. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return value.length > 1 ? [value, ...value.split('\n')] : [];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

/** Texts and the attributes that are read out or shown, of the page and of what lies in its elements' own trees. */
const collectTexts = `(() => {
  const found = [];
  const visit = (node) => {
    if (node.nodeType === Node.TEXT_NODE) {
      const text = node.textContent.trim();
      if (text !== '') found.push(text);
      return;
    }
    if (node.nodeType === Node.ELEMENT_NODE) {
      if (node.localName === 'script' || node.localName === 'style' || node.hidden) return;
      for (const name of ['aria-label', 'title', 'placeholder', 'aria-valuetext', 'alt'])
        if (node.hasAttribute(name)) found.push(node.getAttribute(name));
      if (node.shadowRoot !== null) for (const child of node.shadowRoot.childNodes) visit(child);
    }
    for (const child of node.childNodes) visit(child);
  };
  visit(document.body);
  return found;
})()`;
