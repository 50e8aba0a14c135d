// The page while a run that goes on passes over what is done, in a real Chromium: how far that is, and how it looks.
import { expect, it } from 'vitest';
import type { RunView } from '../../src/protocol/page';
import { describePage, openRun } from '../support/pageTests';
import { themeNames } from '../support/pageThemes';
import { historyOf, runName, runPageOf, runViewOf, someMarks } from '../support/runFixtures';

/** It had done 1,300 updates, and goes on from what was saved after 1,204. */
function replaying(more: Partial<RunView> = {}): RunView {
  return runViewOf({
    state: 'replaying',
    replay: { done: 520, of: 1204 },
    epoch: 5,
    updateOfEpoch: 100,
    updates: 1300,
    microbatch: null,
    trainedMs: 80_000,
    trainingSince: null,
    examplesPerSecond: null,
    leftMs: null,
    savedUpdate: 1204,
    savedAt: new Date(Date.now() - 40_000).toISOString(),
    attempts: 2,
    ...more,
  });
}

describePage('going over what is done', () => {
  it.each([
    ['replaying', 'Going over 1,204 updates that are done…'],
    ['pausing', 'Pausing: the updates that are done are gone over first…'],
    ['stopping', 'Stopping: the state is saved first…'],
  ] as const)('tells how far it is while the run is %s', async (state, sentence) => {
    const { page } = await openRun({ view: runPageOf(replaying({ state })) });
    expect(await page.locator('.run-sentence').innerText()).toBe(sentence);
    expect((await page.locator('.run-progress').innerText()).trim()).toBe('update 520 / 1,204');
    const bar = page.getByRole('progressbar', { name: 'Progress of going over what is done' });
    expect(await bar.getAttribute('aria-valuenow')).toBe(String(Math.floor((100 * 520) / 1204)));
    expect(await bar.getAttribute('aria-valuetext')).toBe('update 520 / 1,204');
  });

  it('is told to a screen reader, without a loss or a time that is not now', async () => {
    const { page } = await openRun({ view: runPageOf(replaying()) });
    const spoken = page.locator('.run [role=status]');
    await expect
      .poll(() => spoken.innerText())
      .toBe('Going over 1,204 updates that are done…, update 520 / 1,204');
  });

  it('counts no time, and gives the line back to the epoch where it trains', async () => {
    const session = await openRun({ view: runPageOf(replaying()) });
    const trained = () => session.page.locator('.run-figures > span', { hasText: 'trained' }).innerText();
    expect(await trained()).toBe('trained 1 m 20 s');
    await session.page.waitForTimeout(1200);
    expect(await trained()).toBe('trained 1 m 20 s');
    await session.show(runPageOf(runViewOf()));
    expect(await session.page.locator('.run-progress').innerText()).toMatch(
      /^epoch 3 \/ 10\s+update 141 \/ 240/,
    );
    await session.page.getByRole('progressbar', { name: 'Progress of the epoch' }).waitFor();
  });

  it.each(themeNames)('can be read and used by all in the theme %s, narrow and wide', async (theme) => {
    const history = [historyOf(1300, { marks: someMarks, run: runName })];
    for (const width of [300, 900]) {
      const session = await openRun({ theme, width, view: runPageOf(replaying()), history });
      expect(await session.accessibilityProblems()).toEqual([]);
      expect(await session.overflowing()).toEqual([]);
      expect(await session.problems()).toEqual([]);
      await session.screenshot(`run-replaying-${theme}-${width}`);
    }
  });
});
