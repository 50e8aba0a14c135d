// Every state of the plan's part of the page, in every theme, wide and narrow: whole, readable by all, within its width.
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { planStates } from '../support/pageFixtures';
import { chromiumLane, launchChromium, openPage } from '../support/pageHarness';
import { themeNames } from '../support/pageThemes';

const { missing } = chromiumLane();
const states = Object.entries(planStates);

describe.skipIf(missing !== undefined)(
  `the plan’s states in Chromium${missing === undefined ? '' : `: ${missing}`}`,
  () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await launchChromium();
    });
    afterAll(() => browser.close());

    it.each(themeNames)(
      'have no serious accessibility problem and break no policy: %s',
      async (theme) => {
        const session = await openPage(browser, { theme });
        for (const [name, view] of states) {
          await session.show(view);
          expect(await session.accessibilityProblems(), name).toEqual([]);
          expect(await session.problems(), name).toEqual([]);
          await session.screenshot(`plan-${name}-${theme}`);
        }
        await session.close();
      },
      120_000,
    );

    it.each([300, 1400])(
      'stay within %i px',
      async (width) => {
        const session = await openPage(browser, { width });
        for (const [name, view] of states) {
          await session.show(view);
          expect(await session.overflowing(), name).toEqual([]);
          await session.screenshot(`plan-${name}-${width}px`);
        }
        await session.close();
      },
      120_000,
    );
  },
);
