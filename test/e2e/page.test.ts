// The page's frame in a real Chromium: it asks for its content, keeps to the security policy, follows the theme, is small.
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { largePlan, pageViewOf, plannedViewOf } from '../support/pageFixtures';
import { describePage, open } from '../support/pageTests';

const planned = pageViewOf(plannedViewOf(largePlan));

describePage('the page', () => {
  it('says that it is ready, and breaks nothing of its security policy', async () => {
    const session = await open({ view: pageViewOf({ state: 'none' }) });
    expect(session.sent).toEqual([{ type: 'ready' }]);
    expect(await session.page.locator('h1').innerText()).toContain('train.js');
    expect(await session.problems()).toEqual([]);
  });

  it('asks again when it is shown again, and keeps what is there', async () => {
    const session = await open({ view: planned });
    await session.page.getByRole('textbox', { name: 'Target batch size' }).fill('300');
    await session.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
    await expect.poll(() => session.sent.filter(({ type }) => type === 'ready').length).toBe(2);
    expect(await session.page.locator('.planned .equation').innerText()).toContain('300 examples');
    expect(await session.page.locator('main > section.plan').count()).toBe(1);
  });

  it('draws its charts anew when the theme changes', async () => {
    const session = await open({ theme: 'dark', view: planned });
    const picture = (): Promise<unknown> =>
      session.page.evaluate("document.querySelector('canvas').toDataURL()");
    const dark = await picture();
    await session.setTheme('high-contrast-light');
    await expect.poll(picture).not.toBe(dark);
    expect(await session.accessibilityProblems()).toEqual([]);
  });
});

describe('the page’s script', () => {
  const script = path.join(import.meta.dirname, '../../dist/page.js');

  it('is small, and holds no validation of messages, which is the extension’s', () => {
    expect(statSync(script).size).toBeLessThan(400_000);
    expect(readFileSync(script, 'utf8')).not.toContain('ZodError');
  });
});
