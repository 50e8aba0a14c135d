// Every state of the plan's part of the page, in every theme, wide and narrow: whole, readable by all, within its width.
import { expect, it } from 'vitest';
import { planStates } from '../support/pageFixtures';
import { describePage, open } from '../support/pageTests';
import { themeNames } from '../support/pageThemes';

const states = Object.entries(planStates);

describePage('the plan’s states', () => {
  it.each(themeNames)(
    'have no serious accessibility problem and break no policy: %s',
    async (theme) => {
      const session = await open({ theme });
      for (const [name, view] of states) {
        await session.show(view);
        expect(await session.accessibilityProblems(), name).toEqual([]);
        expect(await session.problems(), name).toEqual([]);
        await session.screenshot(`plan-${name}-${theme}`);
      }
    },
    120_000,
  );

  it.each([300, 1400])(
    'stay within %i px',
    async (width) => {
      const session = await open({ width });
      for (const [name, view] of states) {
        await session.show(view);
        expect(await session.overflowing(), name).toEqual([]);
        await session.screenshot(`plan-${name}-${width}px`);
      }
    },
    120_000,
  );
});
