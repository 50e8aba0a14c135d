// What-if on the page: the answer follows targets and budgets as a count by hand does, by keys, sliders and fields.
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Plan } from '../../src/planning/plan';
import { largePlan, millionPlan, pageViewOf, plannedViewOf } from '../support/pageFixtures';
import { chromiumLane, launchChromium, openPage } from '../support/pageHarness';
import { button, equation, field, figure, lastSent, type } from '../support/planPage';

const { missing } = chromiumLane();
const planned = pageViewOf(plannedViewOf(largePlan));
const gib = 2 ** 30;

describe.skipIf(missing !== undefined)(
  `what-if in Chromium${missing === undefined ? '' : `: ${missing}`}`,
  () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await launchChromium();
    });
    afterAll(() => browser.close());

    it('follows the target and the budget as a count by hand does', async () => {
      const session = await openPage(browser, { view: planned });
      for (const [target, budgetGib] of [
        [2048, 4],
        [100, 6.5],
        [2048, 7.5],
        [7, 2],
        [16_777_216, 1.5],
        [5000, 3.3],
      ] as const) {
        await type(session, 'Target batch size', String(target));
        await type(session, 'Memory budget, in GB', String(budgetGib));
        const hand = countByHand(largePlan, target, budgetGib * gib);
        const text = (await equation(session)).replace(/[\s,]+/g, ' ');
        const shown = `${target} examples at ${budgetGib} GB`;
        if (hand.largest === 0) expect(text, shown).toContain('Not even one example fits');
        else if (hand.steps === 1) expect(text, shown).toContain(`All ${target} fit at once`);
        else {
          const numbers = (await equation(session)).replaceAll(',', '').match(/\d+/g)?.map(Number);
          expect(numbers, shown).toEqual([
            target,
            ...[...hand.sizes].flatMap(([size, count]) => [count, size]),
            hand.steps,
            hand.largestPart,
          ]);
          const peak = await figure(session, 'Peak memory');
          expect(Math.abs(gigabytes(peak) - hand.peakBytes / gib), shown).toBeLessThan(0.06);
        }
      }
      expect(await session.problems()).toEqual([]);
      await session.close();
    });

    it('marks what was not measured, measures it, and goes back to the plan', async () => {
      const session = await openPage(browser, { view: planned });
      const estimate = session.page.locator('.equation-line .estimate');
      expect(await estimate.isVisible()).toBe(false);
      expect(await button(session, 'Measure').isVisible()).toBe(false);
      await type(session, 'Memory budget, in GB', '4');
      expect(await estimate.isVisible()).toBe(true);
      await expect.poll(() => button(session, 'Start training').isDisabled()).toBe(true);
      await button(session, 'Measure').click();
      expect(await lastSent(session)).toEqual({
        type: 'plan',
        targetBatchSize: 2048,
        budgetBytes: 4 * gib,
        objective: 'largest',
      });
      await button(session, 'Reset to the plan').click();
      expect(await equation(session)).toContain('74 × 22');
      expect(await estimate.isVisible()).toBe(false);
      expect(await field(session, 'Memory budget, in GB').inputValue()).toBe('6.5');
      expect(await session.page.evaluate('document.activeElement.className')).toBe('equation');
      await session.page.getByRole('radio', { name: 'fastest' }).click();
      await button(session, 'Measure').click();
      expect(await lastSent(session)).toMatchObject({ budgetBytes: null, objective: 'fastest' });
      await session.close();
    });

    it('moves by sliders and keys, at once', async () => {
      const session = await openPage(browser, { view: planned });
      const slider = session.page.getByRole('slider', { name: 'Target batch size, as a slider' });
      await slider.focus();
      await slider.press('ArrowRight');
      expect(await slider.getAttribute('aria-valuetext')).toBe('2,304');
      expect(await equation(session)).toContain('2,304 examples');
      await slider.press('Home');
      expect(await equation(session)).toContain('One example is the whole batch');
      await slider.press('End');
      expect(await equation(session)).toContain('50,000 examples');
      const budget = session.page.getByRole('slider', { name: 'Memory budget, as a slider' });
      await budget.press('End');
      expect(await figure(session, 'Peak memory')).toContain('of 8.0 GB');
      await session.close();
    });

    it('says beside a field what is wrong with what stands in it, and keeps the answer', async () => {
      const session = await openPage(browser, { view: planned });
      for (const [label, text, problem] of [
        ['Target batch size', 'many', 'Write a whole number from 1 to 16,777,216.'],
        ['Target batch size', '0', 'Write a whole number from 1 to 16,777,216.'],
        ['Target batch size', '1.5', 'Write a whole number from 1 to 16,777,216.'],
        ['Memory budget, in GB', '-3', 'Write an amount of memory in GB, like 6.5.'],
        ['Memory budget, in GB', '80', 'The device has 8.0 GB.'],
      ] as const) {
        await type(session, label, text);
        expect(await session.page.getByRole('alert').filter({ visible: true }).innerText(), text).toBe(
          problem,
        );
        expect(await equation(session)).toContain('74 × 22');
        expect(await session.accessibilityProblems(), text).toEqual([]);
        expect(await button(session, 'Measure').count(), text).toBe(0);
        await type(session, label, label === 'Target batch size' ? '2,048' : '6.5');
        expect(await session.page.getByRole('alert').filter({ visible: true }).count()).toBe(0);
      }
      await type(session, 'Target batch size', '300');
      await field(session, 'Memory budget, in GB').fill('8 GiB of it');
      await expect.poll(() => button(session, 'Measure').isDisabled()).toBe(true);
      await type(session, 'Memory budget, in GB', '5 120 MB');
      await expect.poll(() => button(session, 'Measure').isEnabled()).toBe(true);
      expect(await figure(session, 'Peak memory')).toContain('of 5.0 GB');
      await session.close();
    });

    it('keeps what is typed, focus and what-if while views come in and when the page is loaded anew', async () => {
      const session = await openPage(browser, { view: planned });
      await field(session, 'Target batch size').fill('300');
      await session.show(pageViewOf(plannedViewOf(largePlan)));
      expect(await field(session, 'Target batch size').inputValue()).toBe('300');
      expect(await equation(session)).toContain('300 examples');
      expect(await session.page.evaluate('document.activeElement.localName')).toBe('vscode-text-field');
      await session.page.locator('summary', { hasText: 'Where the memory goes' }).click();
      await session.reload();
      expect(await equation(session)).toContain('300 examples');
      expect(await session.page.getByRole('cell', { name: '98.0 MB' }).isVisible()).toBe(true);
      // Another plan lets go of it.
      await session.show(pageViewOf(plannedViewOf(millionPlan, { plannedAt: '2026-11-24T10:00:00.000Z' })));
      expect(await equation(session)).toContain('1,000,000 examples');
      await session.close();
    });
  },
);

/** The largest microbatch and what follows, counted up one by one from the memory line and the trials. */
function countByHand(
  plan: Plan,
  target: number,
  budgetBytes: number,
): { largest: number; steps: number; largestPart: number; sizes: Map<number, number>; peakBytes: number } {
  const { memory, trials } = plan;
  if (memory === null) throw new Error('no memory line');
  const peakOf = (size: number): number =>
    Math.max(memory.fixedBytes + memory.bytesPerExample * size, memory.optimizerPeakBytes);
  const tooLarge = Math.min(
    ...trials.filter(({ outcome }) => outcome === 'outOfMemory').map(({ microbatch }) => microbatch),
  );
  let largest = 0;
  while (largest < target && largest + 1 < tooLarge && peakOf(largest + 1) <= budgetBytes) largest++;
  const sizes = new Map<number, number>();
  let steps = 0;
  if (largest > 0) {
    // Deals the examples out one round after the other, as cards are dealt.
    steps = Math.ceil(target / largest);
    const rounds = Math.floor(target / steps);
    const extra = target % steps;
    if (extra > 0) sizes.set(rounds + 1, extra);
    sizes.set(rounds, steps - extra);
  }
  const largestPart = Math.max(0, ...sizes.keys());
  return { largest, steps, largestPart, sizes, peakBytes: peakOf(largestPart) };
}

/** What the first amount of memory in a text is in GB. */
function gigabytes(text: string): number {
  const [, amount, unit] = /([\d.]+) (GB|MB)/.exec(text) ?? [];
  return unit === 'GB' ? Number(amount) : Number(amount) / 1024;
}
