// The setup that all tests of the page share: one Chromium for a file, and no page left open behind a test.
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import { chromiumLane, launchChromium, openPage, type PageOptions, type PageSession } from './pageHarness';
import { drawn } from './runChartDriver';
import { runPageOf, runViewOf } from './runFixtures';

let browser: Browser | null = null;
const sessions: PageSession[] = [];

/** Tests that open pages with `open`; skipped, with the reason in their name, where there is no Chromium. */
export function describePage(name: string, tests: () => void): void {
  const { missing } = chromiumLane();
  describe.skipIf(missing !== undefined)(
    `${name} in Chromium${missing === undefined ? '' : `: ${missing}`}`,
    () => {
      beforeAll(async () => {
        browser = await launchChromium();
      });
      afterEach(async () => {
        await Promise.all(sessions.splice(0).map((session) => session.close()));
      });
      afterAll(() => browser?.close());
      tests();
    },
  );
}

/**
 * Opens a page, which is closed at the end of the test.
 * @throws outside of `describePage`
 */
export async function open(options: PageOptions = {}): Promise<PageSession> {
  if (browser === null) throw new Error('No browser yet: pages are opened in the tests of describePage');
  const session = await openPage(browser, options);
  sessions.push(session);
  return session;
}

/** Opens a tall page on a run, one that trains where no view is given, and waits until its charts are drawn. */
export async function openRun(options: PageOptions = {}): Promise<PageSession> {
  const session = await open({ height: 1400, view: runPageOf(runViewOf()), ...options });
  await session.page.locator('.run').waitFor();
  await drawn(session);
  return session;
}
