// The plan's part of the page as a person uses it: the equation, buttons, planning, points of charts, warnings.
import { expect, it } from 'vitest';
import type { PageMessage } from '../../src/protocol/page';
import {
  badConfigView,
  batchNormalizationPlan,
  failures,
  largePlan,
  pageViewOf,
  planOf,
  planningView,
  plannedViewOf,
} from '../support/pageFixtures';
import { describePage, open } from '../support/pageTests';
import { button, equation, figure, lastSent } from '../support/planPage';
import { runViewOf } from '../support/runFixtures';

const planned = pageViewOf(plannedViewOf(largePlan));

describePage('the plan', () => {
  it('shows the equation of the plan in one line, and copies it', async () => {
    const session = await open({ view: planned, width: 1200 });
    const text = '2,048 examples per update = 74 × 22 + 20 × 21 → 94 microbatches, at most 22 at once';
    expect(await equation(session)).toBe(text);
    expect(74 * 22 + 20 * 21).toBe(2048);
    const box = await session.page.locator('.planned .equation').boundingBox();
    expect(box?.height).toBeLessThan(40);
    await button(session, 'Copy').click();
    expect(await lastSent(session)).toEqual({ type: 'copyText', text });
    expect(await figure(session, 'Against the full batch')).toContain(
      'Exact (difference from the full batch 6e−8)',
    );
  });

  it('tells why its backend was taken, in a sentence', async () => {
    const reason = "the first that works: Batch Planner's @tensorflow/tfjs-backend-wasm 4.22.0 on the CPU";
    const plan = planOf({ backend: { name: 'wasm', version: '4.22.0', reason } });
    const { page } = await open({ view: pageViewOf(plannedViewOf(plan)) });
    expect(await page.locator('.reason').innerText()).toBe(
      "The first that works: Batch Planner's @tensorflow/tfjs-backend-wasm 4.22.0 on the CPU.",
    );
  });

  it('sends each button’s message', async () => {
    const session = await open({ view: planned });
    const clicks: [string, PageMessage][] = [
      ['Start training', { type: 'startTraining' }],
      ['Open config', { type: 'openConfig', line: null }],
      ['Copy as code', { type: 'copyAsCode' }],
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
  });

  it('starts nothing where it may not: no trust, no data, a run under way', async () => {
    const session = await open({
      view: pageViewOf(plannedViewOf(largePlan), { isTrusted: false }),
    });
    const start = button(session, 'Start training');
    await expect.poll(() => start.isDisabled()).toBe(true);
    await expect.poll(() => button(session, 'Measure again').isDisabled()).toBe(true);
    await session.show(pageViewOf(plannedViewOf(largePlan, { needsData: true })));
    await expect.poll(() => start.isDisabled()).toBe(true);
    await session.show(pageViewOf(plannedViewOf(largePlan), { run: runViewOf({ state: 'completed' }) }));
    await expect.poll(() => start.isEnabled()).toBe(true);
    await session.show(pageViewOf(plannedViewOf(largePlan), { run: runViewOf({ state: 'training' }) }));
    await expect.poll(() => start.isDisabled()).toBe(true);
    await session.show(pageViewOf(plannedViewOf(largePlan)));
    await expect.poll(() => start.isEnabled()).toBe(true);
  });

  it('fills as trials come in, and moves nothing', async () => {
    const session = await open({ view: pageViewOf(planningView(1)) });
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
  });

  it('tells a point’s values by mouse and by keyboard', async () => {
    const session = await open({ view: planned });
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
  });

  it('explains in place what can be done about batch normalization', async () => {
    const session = await open({ view: pageViewOf(plannedViewOf(batchNormalizationPlan)) });
    const help = session.page.getByText('layer normalization (tf.layers.layerNormalization)');
    expect(await help.isVisible()).toBe(false);
    await session.page.getByText('What can I do?').click();
    expect(await help.isVisible()).toBe(true);
    expect(await figure(session, 'Against the full batch')).toContain('Close');
    expect(await session.accessibilityProblems()).toEqual([]);
  });

  it('offers the setup beside a warning that it mends, and nowhere else', async () => {
    const warned = (message: string): ReturnType<typeof plannedViewOf> =>
      plannedViewOf(planOf({ warnings: [{ code: 'backendFellBack', message, layers: [] }] }));
    const noGpu = 'TensorFlow runs on the CPU; to mend it, run "batch-planner setup tensorflow".';
    const session = await open({ view: pageViewOf(warned(noGpu)) });
    await button(session, 'Set up TensorFlow').click();
    expect(await lastSent(session)).toEqual({ type: 'remedy' });
    await session.show(pageViewOf(warned(noGpu), { isTrusted: false }));
    expect(await button(session, 'Set up TensorFlow').count()).toBe(0);
    await session.show(pageViewOf(warned('The script itself changed the backend to "cpu".')));
    expect(await button(session, 'Set up TensorFlow').count()).toBe(0);
  });

  it('writes peaks that tie at the usual digits so that they can be told apart', async () => {
    const trials = largePlan.trials.map((trial, index) =>
      index < 2 ? { ...trial, peakBytes: 922_000_000 + index * 40_000 } : trial,
    );
    const session = await open({ view: pageViewOf(plannedViewOf(planOf({ trials }))) });
    const peaks = await session.page.locator('table.figures tbody tr td:nth-child(3)').allInnerTexts();
    expect(peaks.slice(0, 5)).toEqual(['879.29 MB', '879.33 MB', '2.7 GB', '6.3 GB', '–']);
  });

  it('says a cancelled planning without alarm', async () => {
    const failure = failures.cancelled;
    if (failure === undefined) throw new Error('no such fixture');
    const session = await open({ view: pageViewOf({ state: 'failed', failure }) });
    expect(await session.page.locator('.codicon-error').filter({ visible: true }).count()).toBe(0);
    expect(await button(session, 'Plan batch size').isVisible()).toBe(true);
  });
});
