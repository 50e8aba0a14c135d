// The page's frame in a real Chromium: it asks for its content, keeps to the security policy, in every theme.
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumLane, launchChromium, openPage } from '../support/pageHarness';
import { pageViewOf } from '../support/pageFixtures';

const { missing } = chromiumLane();

describe.skipIf(missing !== undefined)(
  `the page in Chromium${missing === undefined ? '' : `: ${missing}`}`,
  () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await launchChromium();
    });
    afterAll(() => browser.close());

    it('says that it is ready, and breaks nothing of its security policy', async () => {
      const session = await openPage(browser, { view: pageViewOf({ state: 'none' }) });
      expect(session.sent).toEqual([{ type: 'ready' }]);
      expect(await session.page.locator('h1').innerText()).toContain('train.js');
      expect(await session.problems()).toEqual([]);
      await session.close();
    });
  },
);
