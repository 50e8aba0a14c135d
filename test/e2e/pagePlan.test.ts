// The plan's part of the page as a person uses it: what-if against a count of its own, buttons, focus, state, texts.
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Plan } from '../../src/planning/plan';
import type { PageMessage } from '../../src/protocol/page';
import {
  badConfigView,
  batchNormalizationPlan,
  failures,
  largePlan,
  millionPlan,
  pageViewOf,
  planningView,
  plannedViewOf,
} from '../support/pageFixtures';
import { chromiumLane, launchChromium, openPage, type PageSession } from '../support/pageHarness';

const { missing } = chromiumLane();
const gib = 2 ** 30;
const planned = pageViewOf(plannedViewOf(largePlan));
const name = `the plan in Chromium${missing === undefined ? '' : `: ${missing}`}`;

describe.skipIf(missing !== undefined)(name, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser.close());

  /** Fields of the toolkit lie in its own trees, which locators look into. */
  const field = (session: PageSession, label: string) => session.page.getByRole('textbox', { name: label });
  const button = (session: PageSession, label: string) =>
    session.page.getByRole('button', { name: label, exact: true });
  const equation = (session: PageSession) => session.page.locator('.planned .equation').innerText();
  const figure = (session: PageSession, label: string) =>
    session.page.locator('dl.facts > div', { hasText: label }).locator('dd').innerText();

  async function type(session: PageSession, label: string, text: string): Promise<void> {
    await field(session, label).fill(text);
    await field(session, label).press('Tab');
  }

  async function lastSent(session: PageSession): Promise<PageMessage | undefined> {
    // The page's messages come by the same channel as the answer to this.
    await session.page.evaluate('0');
    return session.sent.at(-1);
  }

  it('shows the equation of the plan in one line, and copies it', async () => {
    const session = await openPage(browser, { view: planned, width: 1200 });
    const text = '2,048 examples per update = 74 × 22 + 20 × 21 → 94 microbatches, at most 22 at once';
    expect((await equation(session)).replace(/\s+/g, ' ')).toBe(text);
    expect(74 * 22 + 20 * 21).toBe(2048);
    const box = await session.page.locator('.planned .equation').boundingBox();
    expect(box?.height).toBeLessThan(40);
    await button(session, 'Copy').click();
    expect(await lastSent(session)).toEqual({ type: 'copyText', text });
    expect(await figure(session, 'Against the full batch')).toContain(
      'Exact (difference from the full batch 6e−8)',
    );
    await session.close();
  });

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
      expect(await session.page.getByRole('alert').filter({ visible: true }).innerText(), text).toBe(problem);
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

  it('sends each button’s message', async () => {
    const session = await openPage(browser, { view: planned });
    const clicks: [string, PageMessage][] = [
      ['Start training', { type: 'startTraining' }],
      ['Open config', { type: 'openConfig', line: null }],
      ['Measure again', { type: 'plan', targetBatchSize: null, budgetBytes: null, objective: 'largest' }],
      ['train.js', { type: 'openEntry' }],
    ];
    const press = async (list: readonly [string, PageMessage][]): Promise<void> => {
      for (const [label, message] of list) {
        await button(session, label).first().click();
        expect(await lastSent(session), label).toEqual(message);
      }
    };
    await press(clicks);
    await session.show(pageViewOf({ state: 'none' }));
    await press([
      ['Plan batch size', { type: 'plan', targetBatchSize: null, budgetBytes: null, objective: 'largest' }],
    ]);
    await session.show(pageViewOf(planningView(2)));
    await press([['Cancel', { type: 'cancelPlanning' }]]);
    await session.show(pageViewOf({ state: 'none' }, { isTrusted: false }));
    await press([['Manage trust', { type: 'manageTrust' }]]);
    expect(await button(session, 'Plan batch size').count()).toBe(0);
    for (const [remedy, label] of [
      ['setUpTensorflow', 'Set up TensorFlow'],
      ['installTensorflowJs', 'Install TensorFlow.js'],
      ['chooseNode', 'Choose Node…'],
      ['openConfig', 'Open config'],
    ] as const) {
      const failure = {
        kind: 'node',
        message: 'Node is missing.',
        file: '/work/train.js',
        line: 3,
        remedy,
      } as const;
      await session.show(pageViewOf({ state: 'failed', failure }));
      await press([
        [label, { type: 'remedy' }],
        ['Show log', { type: 'showLog' }],
        ['/work/train.js:3', { type: 'openFailure' }],
      ]);
    }
    await session.show(pageViewOf(badConfigView));
    await press([
      ['Line 7', { type: 'openConfig', line: 7 }],
      ['Open config', { type: 'openConfig', line: 3 }],
    ]);
    expect(await session.problems()).toEqual([]);
    await session.close();
  });

  it('starts nothing where it may not: no trust, no data, a run under way', async () => {
    const session = await openPage(browser, {
      view: pageViewOf(plannedViewOf(largePlan), { isTrusted: false }),
    });
    const start = button(session, 'Start training');
    await expect.poll(() => start.isDisabled()).toBe(true);
    await expect.poll(() => button(session, 'Measure again').isDisabled()).toBe(true);
    await session.show(pageViewOf(plannedViewOf(largePlan, { needsData: true })));
    await expect.poll(() => start.isDisabled()).toBe(true);
    await session.show(pageViewOf(plannedViewOf(largePlan)));
    await expect.poll(() => start.isEnabled()).toBe(true);
    await session.close();
  });

  it('fills as trials come in, and moves nothing', async () => {
    const session = await openPage(browser, { view: pageViewOf(planningView(1)) });
    const places: string[] = [];
    for (let done = 1; done <= 5; done++) {
      await session.show(pageViewOf(planningView(done)));
      expect(await session.page.locator('table.figures tbody tr').filter({ visible: true }).count()).toBe(
        done,
      );
      const tops = await session.page.evaluate(
        "JSON.stringify([...document.querySelectorAll('.plan h2, .plan figure, .plan details')].map((one) => one.getBoundingClientRect().top))",
      );
      places.push(String(tops));
    }
    expect(new Set(places).size).toBe(1);
    await session.show(pageViewOf(planningView(2, { isCancelling: true })));
    await expect.poll(() => button(session, 'Cancelling…').isDisabled()).toBe(true);
    await session.close();
  });

  it('tells a point’s values by mouse and by keyboard', async () => {
    const session = await openPage(browser, { view: planned });
    const chart = session.page.getByRole('img', { name: /^Line: / });
    const readout = session.page.locator('figure', { has: chart }).locator('.readout');
    expect(await readout.innerText()).toBe('Line: 625 MB + 267 MB for each example.');
    await chart.focus();
    const told: string[] = [];
    for (let press = 0; press < 6; press++) {
      await chart.press('ArrowRight');
      told.push(await readout.innerText());
    }
    expect(told).toEqual([
      '1 at once: peak 922 MB, fits',
      '2 at once: peak 1.1 GB, fits',
      '8 at once: peak 2.7 GB, fits',
      '22 at once: peak 6.3 GB, fits, chosen',
      '23 at once: out of memory',
      '23 at once: out of memory',
    ]);
    await chart.press('Escape');
    const box = await chart.boundingBox();
    if (box === null) throw new Error('The chart is not there');
    const seen = new Set<string>();
    for (let x = 0; x < box.width; x += 6) {
      for (const y of [0.2, 0.3, 0.6, 0.8]) {
        await session.page.mouse.move(box.x + x, box.y + box.height * y);
        seen.add(await readout.innerText());
      }
    }
    expect(seen).toContain('8 at once: peak 2.7 GB, fits');
    await session.close();
  });

  it('explains in place what can be done about batch normalization', async () => {
    const session = await openPage(browser, { view: pageViewOf(plannedViewOf(batchNormalizationPlan)) });
    const help = session.page.getByText('layer normalization (tf.layers.layerNormalization)');
    expect(await help.isVisible()).toBe(false);
    await session.page.getByText('What can I do?').click();
    expect(await help.isVisible()).toBe(true);
    expect(await figure(session, 'Against the full batch')).toContain('Close');
    expect(await session.accessibilityProblems()).toEqual([]);
    await session.close();
  });

  it('says a cancelled planning without alarm', async () => {
    const failure = failures.cancelled;
    if (failure === undefined) throw new Error('no such fixture');
    const session = await openPage(browser, { view: pageViewOf({ state: 'failed', failure }) });
    expect(await session.page.locator('.codicon-error').filter({ visible: true }).count()).toBe(0);
    expect(await button(session, 'Plan batch size').isVisible()).toBe(true);
    await session.close();
  });
});

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
