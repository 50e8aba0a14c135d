// What-if on the page: the answer follows targets and budgets as a count by hand does, by keys, sliders and fields.
import { expect, it } from 'vitest';
import type { Plan } from '../../src/planning/plan';
import { largePlan, millionPlan, pageViewOf, planOf, plannedViewOf } from '../support/pageFixtures';
import type { PageSession } from '../support/pageHarness';
import { describePage, open } from '../support/pageTests';
import { button, equation, field, figure, lastSent, type } from '../support/planPage';

const planned = pageViewOf(plannedViewOf(largePlan));
const gib = 2 ** 30;

describePage('what-if', () => {
  it('follows the target and the budget as a count by hand does', async () => {
    const session = await open({ view: planned });
    for (const [target, budgetGib] of [
      [2048, 4],
      [100, 6.5],
      [2048, 7.5],
      [7, 2],
      [50_000, 1.5],
      [5000, 3.3],
    ] as const) {
      await type(session, 'Target batch size', String(target));
      await type(session, 'Memory budget', String(budgetGib));
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
  });

  it('marks what was not measured, measures it, and goes back to the plan', async () => {
    const session = await open({ view: planned });
    const estimate = session.page.locator('.equation-line .badge', { hasText: 'estimate' });
    expect(await estimate.isVisible()).toBe(false);
    expect(await button(session, 'Measure').isVisible()).toBe(false);
    await type(session, 'Memory budget', '4');
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
    expect(await field(session, 'Memory budget').inputValue()).toBe('6.5 GB');
    expect(await session.page.evaluate('document.activeElement.className')).toBe('equation');
    await session.page.getByRole('radio', { name: 'fastest' }).click();
    await button(session, 'Measure').click();
    expect(await lastSent(session)).toMatchObject({ budgetBytes: null, objective: 'fastest' });
  });

  it('moves by sliders and keys, at once', async () => {
    const session = await open({ view: planned });
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
    // What cannot be used gives way to a slider.
    await type(session, 'Memory budget', 'x');
    await expectOutdated(session, true);
    await budget.press('ArrowLeft');
    await expectOutdated(session, false);
    expect(await field(session, 'Memory budget').inputValue()).toMatch(/^7\.\d+ GB$/);
  });

  it('says beside a field what is wrong with what stands in it, and that the answer is not to it', async () => {
    const session = await open({ view: planned });
    for (const [label, text, problem] of [
      ['Target batch size', 'many', 'Write a whole number from 1 to 16,777,216.'],
      ['Target batch size', '0', 'Write a whole number from 1 to 16,777,216.'],
      ['Target batch size', '1.5', 'Write a whole number from 1 to 16,777,216.'],
      [
        'Target batch size',
        '50,001',
        'There are 50,000 training examples, and an update can have no more: write a whole number from 1 to 50,000.',
      ],
      [
        'Memory budget',
        '-3',
        'Write an amount of memory of 1 MB or more with its unit, like 6.5 GB or 300 MB.',
      ],
      ['Memory budget', '80', 'The device has 8.0 GB: write that or less.'],
    ] as const) {
      await type(session, label, text);
      expect(await session.page.getByRole('alert').filter({ visible: true }).innerText(), text).toBe(problem);
      expect(await equation(session)).toContain('74 × 22');
      await expectOutdated(session, true);
      expect(await session.accessibilityProblems(), text).toEqual([]);
      expect(await button(session, 'Measure').count(), text).toBe(0);
      await expect.poll(() => button(session, 'Start training').isDisabled()).toBe(true);
      await type(session, label, label === 'Target batch size' ? '2,048' : '6.5');
      expect(await session.page.getByRole('alert').filter({ visible: true }).count()).toBe(0);
      await expectOutdated(session, false);
    }
    await type(session, 'Target batch size', '300');
    await field(session, 'Memory budget').fill('8 GiB of it');
    await expect.poll(() => button(session, 'Measure').isDisabled()).toBe(true);
    await type(session, 'Memory budget', '5 120 MB');
    await expect.poll(() => button(session, 'Measure').isEnabled()).toBe(true);
    expect(await figure(session, 'Peak memory')).toContain('of 5.0 GB');
  });

  it('goes no further than the examples that there are, nor than what the backend can hold', async () => {
    const wasm = planOf({
      backend: { name: 'wasm', version: '4.22.0', reason: 'WebAssembly.' },
      device: null,
      targetBatchSize: 1024,
      examples: 1280,
      budgetBytes: 3.6e9,
    });
    const session = await open({ view: pageViewOf(plannedViewOf(wasm)) });
    const target = session.page.getByRole('slider', { name: 'Target batch size, as a slider' });
    await target.press('End');
    expect(await target.getAttribute('aria-valuetext')).toBe('1,280');
    const budget = session.page.getByRole('slider', { name: 'Memory budget, as a slider' });
    await budget.press('End');
    expect(await budget.getAttribute('aria-valuetext')).toBe('3.4 GB');
    await type(session, 'Memory budget', '5 GB');
    expect(await session.page.getByRole('alert').filter({ visible: true }).innerText()).toBe(
      'This backend (wasm) can hold 3.4 GB: write that or less.',
    );
    // Beyond the examples only where that was planned.
    const beyond = plannedViewOf(planOf({ targetBatchSize: 2048, examples: 1280 }));
    await session.show(pageViewOf({ ...beyond, plannedAt: '2026-11-24T10:00:00.000Z' }));
    await button(session, 'Reset to the plan').click();
    await target.press('End');
    expect(await target.getAttribute('aria-valuetext')).toBe('2,048');
    await type(session, 'Target batch size', '1300');
    expect(await session.page.getByRole('alert').filter({ visible: true }).innerText()).toContain('1,280');
  });

  it.each([
    ['300 MB', '300 MB'],
    ['1.5 GB', '1.5 GB'],
    ['2', '2 GB'],
    ['1,5 gb', '1.5 GB'],
    ['1,024 MB', '1 GB'],
    ['700m', '700 MB'],
    ['0.5 GiB', '512 MB'],
  ])('understands a budget of %s, and writes it as %s', async (text, shown) => {
    const session = await open({ view: planned });
    const budget = field(session, 'Memory budget');
    await type(session, 'Memory budget', text);
    expect(await budget.inputValue()).toBe(shown);
    expect(await session.page.getByRole('alert').filter({ visible: true }).count()).toBe(0);
    // A number alone is in the unit that stood there.
    const unit = shown.slice(-2);
    await type(session, 'Memory budget', '3');
    expect(await budget.inputValue()).toBe(`3 ${unit}`);
  });

  it('keeps what is typed, focus and what-if while views come in and when the page is loaded anew', async () => {
    const session = await open({ view: planned });
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
  });
});

/** Whether the page says that the answer is not to what stands in a field. */
async function expectOutdated({ page }: PageSession, isOutdated: boolean): Promise<void> {
  const colors = (await page.evaluate(`(() => {
    const colorOf = (name) => getComputedStyle(document.querySelector(name)).color;
    return [colorOf('.planned .equation'), colorOf('.control'), getComputedStyle(document.querySelector('.plot')).opacity];
  })()`)) as string[];
  expect([colors[0] !== colors[1], colors[2]]).toEqual([isOutdated, isOutdated ? '0.4' : '1']);
  expect(await page.getByText('out of date', { exact: true }).isVisible()).toBe(isOutdated);
}

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
