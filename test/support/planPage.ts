// What tests of the plan's part of the page look at and press, found as a person finds it: by role and name.
import type { Locator } from 'playwright-core';
import type { PageMessage } from '../../src/protocol/page';
import type { PageSession } from './pageHarness';

/** A field of text; those of the toolkit lie in trees of their own, which locators look into. */
export function field({ page }: PageSession, label: string): Locator {
  return page.getByRole('textbox', { name: label });
}

/** The toolkit hands `disabled` on in the next frame: poll for it. */
export function button({ page }: PageSession, label: string): Locator {
  return page.getByRole('button', { name: label, exact: true });
}

/** The equation as it is read. */
export async function equation({ page }: PageSession): Promise<string> {
  return (await page.locator('.planned .equation').innerText()).replace(/\s+/g, ' ');
}

/** One of the figures under the equation. */
export function figure({ page }: PageSession, label: string): Promise<string> {
  return page.locator('dl.facts > div', { hasText: label }).locator('dd').innerText();
}

/** Types into a field and leaves it. */
export async function type(session: PageSession, label: string, text: string): Promise<void> {
  await field(session, label).fill(text);
  await field(session, label).press('Tab');
}

/** The last message that the page sent. */
export async function lastSent({ page, sent }: PageSession): Promise<PageMessage | undefined> {
  // The page's messages come by the same channel as the answer to this.
  await page.evaluate('0');
  return sent.at(-1);
}
