// How smooth the charts of a long run are in a real Chromium: frames and long tasks are told, none is asserted.
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumLane, launchChromium, openPage, type PageSession } from '../support/pageHarness';
import { drag, pointAt, updateIn } from '../support/runChartDriver';
import { earlierRuns, historyOf, runName, runPageOf, runViewOf } from '../support/runFixtures';

const { missing } = chromiumLane();

/**
 * In the page: `makePart(run, from, points)` makes a part of a history there, which is faster than sending it through
 * the debugger; `measure.start()` and `measure.end()` enclose what is measured.
 */
const tools = `
globalThis.makePart = (run, from, points, updatesPerEpoch = 1000) => {
  const at = Array.from({ length: points }, (_, index) => from + index);
  const noise = (point) => ((point * 7919) % 1009) / 1009;
  const loss = (point) => 2.3 * Math.exp(-point / 20000) + 0.1 + 0.2 * noise(point);
  return { run, from, marks: [], points: {
    timeMs: at.map((point) => point * 50), loss: at.map(loss), memoryBytes: at.map((point) => 6.6e9 + 1e8 * noise(point)),
    examplesPerSecond: at.map((point) => 1200 + 90 * noise(point + 3)),
    metrics: { acc: at.map((point) => 1 - loss(point) / 3), auc: at.map((point) => 1 - loss(point) / 4) } },
    epochs: at.filter((point) => (point + 1) % updatesPerEpoch === 0).map((point) => ({ point: point + 1, call: 0,
      epoch: (point + 1) / updatesPerEpoch - 1, logs: { loss: loss(point), val_loss: loss(point) * 1.1, acc: 0.8, val_acc: 0.7 } })) };
};
globalThis.measure = (() => {
  let frames = [], tasks = [], draws = [], last = 0, running = false;
  new PerformanceObserver((list) => { for (const { duration } of list.getEntries()) if (running) tasks.push(duration); })
    .observe({ entryTypes: ['longtask'] });
  const request = requestAnimationFrame.bind(globalThis);
  const frame = (now) => { if (!running) return; if (last > 0) frames.push(now - last); last = now; request(frame); };
  // The chart library draws in a microtask after the page's own frame callback.
  globalThis.requestAnimationFrame = (call) => request((now) => {
    const start = performance.now(); call(now);
    queueMicrotask(() => queueMicrotask(() => { if (running) draws.push(performance.now() - start); }));
  });
  return {
    start() { [frames, tasks, draws, last, running] = [[], [], [], 0, true]; request(frame); },
    async end() { await new Promise((done) => setTimeout(done, 300)); running = false; return { frames, tasks, draws }; },
  };
})();`;

interface Frames {
  readonly frames: number[];
  readonly tasks: number[];
  readonly draws: number[];
}

interface Measured extends Frames {
  /** Processor time of the page's main thread, as a part of the time: what other programs do does not count. */
  readonly busy: number;
}

async function measured(page: Page, work: () => Promise<unknown>): Promise<Measured> {
  const debuggerSession = await page.context().newCDPSession(page);
  await debuggerSession.send('Performance.enable', { timeDomain: 'threadTicks' });
  const busySeconds = async () => {
    const { metrics } = await debuggerSession.send('Performance.getMetrics');
    return metrics.find(({ name }) => name === 'TaskDuration')?.value ?? NaN;
  };
  const [startedAt, before] = [performance.now(), await busySeconds()];
  await page.evaluate('measure.start()');
  await work();
  const frames = (await page.evaluate('measure.end()')) as Frames;
  const busy = ((await busySeconds()) - before) / ((performance.now() - startedAt) / 1000);
  await debuggerSession.detach();
  return { ...frames, busy };
}

function row(phase: string, { frames, tasks, draws, busy }: Measured) {
  const round = (ms: number) => Number(ms.toFixed(1));
  const longest = (list: number[]) => round(Math.max(0, ...list));
  const median = (list: number[]) => round(list.toSorted((a, b) => a - b)[list.length >> 1] ?? 0);
  return {
    phase,
    'longest task': tasks.length === 0 ? '< 50' : longest(tasks),
    'longest frame': longest(frames),
    'median frame': median(frames),
    'longest drawing': longest(draws),
    'median drawing': median(draws),
    'thread busy': `${(busy * 100).toFixed(0)} %`,
  };
}

/** Sends a history in parts, one a turn, as the extension does. */
async function load(page: Page, run: string, points: number): Promise<void> {
  await page.evaluate(`(async () => {
    for (let from = 0; from < ${points}; from += 20000) {
      postMessage({ type: 'history', part: makePart('${run}', from, Math.min(20000, ${points} - from)) }, '*');
      await new Promise((done) => setTimeout(done, 20));
    }
  })()`);
}

/** Appends points and sends a view four times a second, as a live run does. */
async function live({ page }: PageSession, from: number, seconds: number): Promise<void> {
  const view = JSON.stringify(runPageOf(runViewOf()));
  await page.evaluate(`(async () => {
    for (let turn = 0; turn < ${seconds * 4}; turn++) {
      postMessage({ type: 'view', view: ${view} }, '*');
      postMessage({ type: 'history', part: makePart('${runName}', ${from} + 5 * turn, 5) }, '*');
      await new Promise((done) => setTimeout(done, 250));
    }
  })()`);
}

describe.skipIf(missing !== undefined)(
  `the charts of long runs${missing === undefined ? '' : `: ${missing}`}`,
  () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await launchChromium();
    });
    afterAll(() => browser.close());

    it.each([100_000, 1_000_000])('%i updates', async (points) => {
      const other = earlierRuns[0]?.name ?? '';
      const session = await openPage(browser, {
        width: 1400,
        height: 1400,
        view: runPageOf(runViewOf()),
        history: [historyOf(10)],
      });
      const { page } = session;
      await page.locator('.run-chart-loss .u-over').waitFor();
      await page.evaluate(tools);
      const rows = [];
      rows.push(row('load', await measured(page, () => load(page, runName, points))));
      rows.push(row('live', await measured(page, () => live(session, points, 5))));
      rows.push(row('point', await measured(page, () => sweep(page))));
      rows.push(row('drag a zoom', await measured(page, () => drag(session, 'loss', 0.3, 0.5))));
      await page.locator('vscode-button', { hasText: 'Whole run' }).click();
      const smooth = page.locator('.run-chart-loss vscode-checkbox', { hasText: 'smooth' });
      rows.push(row('smooth', await measured(page, () => smooth.click())));
      const view = runPageOf(runViewOf(), { earlierRuns, comparedRun: other });
      const compare = async () => {
        await session.show(view);
        await load(page, other, points);
      };
      rows.push(row('compare', await measured(page, compare)));
      rows.push(row('live, compared', await measured(page, () => live(session, points + 100, 3))));
      console.table(rows);
      expect(updateIn(await pointAt(session, 'loss', 1))).toBeGreaterThanOrEqual(points);
      expect(await session.problems()).toEqual([]);
      await session.close();
    });
  },
);

/** Moves the pointer across a chart. */
async function sweep(page: Page): Promise<void> {
  const box = await page.locator('.run-chart-memory .u-over').boundingBox();
  if (box === null) throw new Error('no chart of memory');
  await page.mouse.move(box.x, box.y + 40);
  await page.mouse.move(box.x + box.width - 1, box.y + 60, { steps: 60 });
}
