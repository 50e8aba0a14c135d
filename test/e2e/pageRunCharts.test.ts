// The charts of a run in a real Chromium: what they tell is what was sent, zoom is shared, nothing is drawn unseen.
import { expect, it } from 'vitest';
import type { RunHistoryPart } from '../../src/protocol/page';
import { describePage, openRun } from '../support/pageTests';
import {
  countDrawings,
  drag,
  drawn,
  pointAt,
  rowsOfLine,
  setHidden,
  told,
  updateIn,
} from '../support/runChartDriver';
import { historyOf, mark } from '../support/runFixtures';

function mean(list: readonly number[]): number {
  return list.reduce((sum, value) => sum + value, 0) / list.length;
}

function withLoss(points: number, loss: (point: number) => number | null): RunHistoryPart {
  const part = historyOf(points, { metrics: [], updatesPerEpoch: points * 2 });
  return { ...part, points: { ...part.points, loss: part.points.loss.map((_, point) => loss(point)) } };
}

describePage('the charts of a run', () => {
  it.each([50, 5000])('tell the very values of the update that is pointed at, of %s', async (points) => {
    const part = historyOf(points, { updatesPerEpoch: 20 });
    const session = await openRun({ history: [part] });
    for (const place of [0, 0.123, 0.5, 0.77, 1]) {
      const text = await pointAt(session, 'loss', place);
      const update = updateIn(text);
      expect(Math.abs(update - (1 + place * (points - 1)))).toBeLessThanOrEqual(1 + points / 200);
      expect(text).toContain(String(Number((part.points.loss[update - 1] ?? NaN).toPrecision(4))));
      expect(text).toContain(`epoch ${Math.ceil(update / 20)}`);
      const before = part.epochs.findLast(({ point }) => point <= update);
      if (before !== undefined)
        expect(text).toContain(String(Number((before.logs.val_loss ?? NaN).toPrecision(4))));
      // The other charts follow.
      expect(updateIn(await told(session, 'memory'))).toBe(update);
      const accuracy = part.points.metrics.acc?.[update - 1] ?? NaN;
      expect(await told(session, 'metric')).toContain(String(Number(accuracy.toPrecision(4))));
    }
  });

  it.each([30, 30_000])('draw values at their heights, of %s updates', async (points) => {
    const levels = [1, 3, 2];
    const loss = (point: number) => levels[Math.floor((point * 3) / points)] ?? 0;
    const session = await openRun({ theme: 'dark', history: [withLoss(points, loss)] });
    const [one = NaN, three = NaN, two = NaN] = await Promise.all(
      [1 / 6, 3 / 6, 5 / 6].map(async (part) => mean((await rowsOfLine(session, part)).rows)),
    );
    expect(one - three).toBeGreaterThan(40);
    expect(Math.abs(two - (one + three) / 2)).toBeLessThan(1.5);
  });

  it('leave a gap where the loss is not a number', async () => {
    const loss = (point: number) => (point >= 400 && point < 600 ? null : 1 + (point % 2));
    const session = await openRun({ theme: 'dark', history: [withLoss(1000, loss)] });
    expect((await rowsOfLine(session, 0.5)).rows).toEqual([]);
    expect((await rowsOfLine(session, 0.25)).rows.length).toBeGreaterThan(10);
  });

  it('smooth with the mean around each update', async () => {
    const part = historyOf(1000);
    const session = await openRun({ history: [part] });
    await session.page.locator('.run-chart-loss vscode-checkbox', { hasText: 'smooth' }).click();
    const text = await pointAt(session, 'loss', 0.5);
    const update = updateIn(text);
    // 1 % of 999 updates on each side, as a power of two.
    const near = part.points.loss.slice(update - 1 - 8, update + 8).filter((value) => value !== null);
    expect(near.length).toBe(17);
    expect(text).toContain(String(Number(mean(near).toPrecision(4))));
  });

  it('zoom together by dragging, and back by a double click or the button', async () => {
    const session = await openRun({ history: [historyOf(10_000)] });
    const { page } = session;
    const whole = page.locator('vscode-button', { hasText: 'Whole run' });
    expect(await whole.isVisible()).toBe(false);
    await drag(session, 'loss', 0.25, 0.75);
    for (const chart of ['loss', 'metric', 'memory'] as const) {
      expect(updateIn(await pointAt(session, chart, 0)) / 2500).toBeCloseTo(1, 1);
      expect(updateIn(await pointAt(session, chart, 1)) / 7500).toBeCloseTo(1, 1);
    }
    await whole.click();
    expect(updateIn(await pointAt(session, 'memory', 1))).toBe(10_000);
    await drag(session, 'memory', 0.4, 0.6);
    expect(updateIn(await pointAt(session, 'loss', 0))).toBeGreaterThan(3900);
    await page.locator('.run-chart-loss .u-over').dblclick();
    await drawn(session);
    expect(updateIn(await pointAt(session, 'loss', 0))).toBeLessThan(50);
    expect(await whole.isVisible()).toBe(false);
  });

  it('follow the end of a live run, but not while zoomed; the zoom is kept when the page is loaded anew', async () => {
    const session = await openRun({ history: [historyOf(1000)] });
    await session.addHistory(historyOf(500, { from: 1000 }));
    await drawn(session);
    expect(updateIn(await pointAt(session, 'loss', 1))).toBe(1500);
    await drag(session, 'loss', 0.2, 0.4);
    const end = updateIn(await pointAt(session, 'loss', 1));
    await session.addHistory(historyOf(500, { from: 1500 }));
    await drawn(session);
    await session.page.mouse.move(0, 0);
    expect(updateIn(await pointAt(session, 'loss', 1))).toBe(end);
    await session.reload();
    await session.page.locator('.run-chart-loss .u-over').waitFor();
    await drawn(session);
    expect(updateIn(await pointAt(session, 'loss', 1))).toBe(end);
  });

  it('can be walked and zoomed with the keyboard', async () => {
    const session = await openRun({ history: [historyOf(1000)] });
    const { page } = session;
    const plot = page.locator('.run-chart-loss .chart-plot');
    await plot.focus();
    await plot.press('ArrowRight');
    expect(updateIn(await told(session, 'loss'))).toBe(1);
    await plot.press('End');
    expect(updateIn(await told(session, 'loss'))).toBe(1000);
    await plot.press('ArrowLeft');
    expect(updateIn(await told(session, 'loss'))).toBe(990);
    await plot.press('+');
    await drawn(session);
    await plot.press('Home');
    expect(updateIn(await told(session, 'loss'))).toBeGreaterThan(400);
    await plot.press('0');
    await drawn(session);
    await plot.press('Home');
    expect(updateIn(await told(session, 'loss'))).toBe(1);
  });

  it('tell what a mark stands for', async () => {
    const text = 'Microbatch 22 → 11 (out of memory)';
    const marks = [
      mark('microbatchReduced', 499, text),
      mark('checkpoint', 200, 'Checkpoint written in 310 ms'),
    ];
    marks.push(mark('paused', 1000, 'Paused after update 1,000'));
    const session = await openRun({ history: [historyOf(1000, { marks })] });
    expect(await pointAt(session, 'memory', 1)).toContain('Paused after update 1,000');
    expect(await pointAt(session, 'memory', 499 / 999)).toContain(text);
    expect(await pointAt(session, 'memory', 0.8)).not.toContain(text);
    expect(await pointAt(session, 'memory', 0.2)).toContain('Checkpoint written in 310 ms');
  });

  it('have the same in a table', async () => {
    const part = historyOf(6000, { updatesPerEpoch: 20 });
    const session = await openRun({ history: [part] });
    const { page } = session;
    for (const summary of await page.locator('.chart-table summary').all()) await summary.click();
    const rows = page.locator('.run-chart-loss tbody tr');
    await expect.poll(() => rows.count()).toBe(200);
    const last = part.epochs.at(-1);
    const cells = (await rows.last().locator('th, td').allInnerTexts()).map((text) =>
      text.replaceAll(',', ''),
    );
    expect(cells.map(Number)).toEqual([
      300,
      6000,
      ...[last?.logs.loss, last?.logs.val_loss].map((value) => Number((value ?? NaN).toPrecision(4))),
    ]);
    const memory = part.points.memoryBytes.slice(5980).filter((bytes) => bytes !== null);
    const cell = await page.locator('.run-chart-memory tbody tr').last().locator('td').nth(1).innerText();
    expect(Number.parseFloat(cell)).toBeCloseTo(Math.max(...memory) / 2 ** 30, 1);
  });

  it('choose among many figures, and keep the choice', async () => {
    const metrics = Array.from({ length: 20 }, (_, at) => `metric${at}`);
    const part = historyOf(100, { metrics });
    const session = await openRun({ history: [part] });
    const { page } = session;
    await page.locator('.chart-picker vscode-dropdown').click();
    await page.locator('.chart-picker vscode-option', { hasText: 'metric7' }).click();
    const text = await pointAt(session, 'metric', 0.5);
    const value = part.points.metrics.metric7?.[updateIn(text) - 1] ?? NaN;
    expect(text).toContain(String(Number(value.toPrecision(4))));
    await session.reload();
    await page.locator('.run-chart-metric .u-over').waitFor();
    await drawn(session);
    expect(await page.evaluate(`document.querySelector('.chart-picker vscode-dropdown').value`)).toBe(
      'metric7',
    );
  });

  it.each([
    ['no update', historyOf(0)],
    ['one update', historyOf(1)],
    ['losses that are all not numbers', withLoss(50, () => null)],
    ['losses of 0 and below', withLoss(50, (point) => -point)],
    ['a loss that never changes', withLoss(50, () => 0.5)],
    ['huge losses', withLoss(50, (point) => 10 ** (point * 6))],
  ])('stand %s, on both kinds of axis', async (_, part) => {
    const session = await openRun({ history: [part] });
    await pointAt(session, 'loss', 0.5);
    await session.page.locator('.run-chart-loss vscode-checkbox', { hasText: 'log' }).click();
    await drawn(session);
    await pointAt(session, 'loss', 0.5);
    const empty = session.page.locator('.run-chart-loss .chart-empty');
    expect(await empty.isVisible()).toBe(part.points.loss.length === 0);
    expect(await session.problems()).toEqual([]);
  });

  it('start anew when the history does', async () => {
    const session = await openRun({ history: [historyOf(1000)] });
    const other = historyOf(50, { seed: 8 });
    await session.addHistory(other);
    await drawn(session);
    const text = await pointAt(session, 'loss', 1);
    expect(updateIn(text)).toBe(50);
    expect(text).toContain(String(Number((other.points.loss[49] ?? NaN).toPrecision(4))));
  });

  it('are not drawn while the page is hidden, nor while they are out of sight', async () => {
    const session = await openRun({ history: [historyOf(1000)] });
    const drawings = await countDrawings(session);
    await setHidden(session, true);
    for (let part = 0; part < 4; part++) {
      await session.send({ type: 'history', part: historyOf(10, { from: 1000 + 10 * part }) });
    }
    await drawn(session);
    expect(await drawings()).toBe(0);
    await setHidden(session, false);
    await drawn(session);
    expect(await drawings()).toBeGreaterThan(0);

    // A window so low that no chart is in it.
    await session.page.setViewportSize({ width: 1000, height: 60 });
    await session.page.evaluate('scrollTo(0, 0)');
    await drawn(session);
    const before = await drawings();
    await session.send({ type: 'history', part: historyOf(5) });
    await drawn(session);
    expect(await drawings()).toBe(before);
    await session.page.setViewportSize({ width: 1000, height: 1400 });
    await drawn(session);
    expect(await drawings()).toBeGreaterThan(before);
  });

  it('are drawn once a frame, however much comes in', async () => {
    const session = await openRun({ history: [historyOf(100)] });
    const drawings = await countDrawings(session);
    const parts = Array.from({ length: 30 }, (_, at) => ({
      type: 'history',
      part: historyOf(1, { from: 100 + at }),
    }));
    await session.page.evaluate(
      `${JSON.stringify(parts)}.forEach((part) => window.dispatchEvent(new MessageEvent('message', { data: part })))`,
    );
    await drawn(session);
    // Three charts, once each.
    expect(await drawings()).toBe(3);
  });

  it('take the colours of a theme that is changed to', async () => {
    const session = await openRun({ theme: 'dark', history: [withLoss(1000, (point) => 1 + (point % 2))] });
    const colour = () =>
      session.page.locator('.run-chart-loss .chart-entry line').first().getAttribute('stroke');
    const before = await colour();
    await session.setTheme('light');
    await drawn(session);
    expect(await colour()).not.toBe(before);
  });
});
