// Uses the charts of a run as a person does, and looks at what they tell and draw.
import type { PageSession } from './pageHarness';

/** Waits a few frames: what was asked for is drawn. */
export async function drawn({ page }: PageSession): Promise<void> {
  await page.waitForTimeout(150);
}

export type ChartName = 'loss' | 'metric' | 'memory';

/** Points at a place of a chart, from 0 (left) to 1, and gives what its legend tells. */
export async function pointAt(session: PageSession, chart: ChartName, part: number): Promise<string> {
  const box = await session.page.locator(`.run-chart-${chart} .u-over`).boundingBox();
  if (box === null) throw new Error(`no chart of ${chart}`);
  await session.page.mouse.move(box.x + 1 + (box.width - 2) * part, box.y + box.height / 2);
  await drawn(session);
  return told(session, chart);
}

/** All that a chart's legend says. */
export function told({ page }: PageSession, chart: ChartName): Promise<string> {
  return page.locator(`.run-chart-${chart} .chart-legend`).innerText();
}

/** The update that a legend tells of. */
export function updateIn(text: string): number {
  return Number(/update ([\d,]+)/.exec(text)?.[1]?.replaceAll(',', '') ?? NaN);
}

/** Drags from one place of a chart to another, each from 0 (left) to 1. */
export async function drag(session: PageSession, chart: ChartName, from: number, to: number): Promise<void> {
  const { page } = session;
  const box = await page.locator(`.run-chart-${chart} .u-over`).boundingBox();
  if (box === null) throw new Error(`no chart of ${chart}`);
  const y = box.y + box.height / 2;
  await page.mouse.move(box.x + box.width * from, y);
  await page.mouse.down();
  await page.mouse.move(box.x + (box.width * (from + to)) / 2, y, { steps: 3 });
  await page.mouse.move(box.x + box.width * to, y, { steps: 3 });
  await page.mouse.up();
  await drawn(session);
}

/** Counts how often any chart is drawn from now on; uPlot clears a canvas first. */
export async function countDrawings({ page }: PageSession): Promise<() => Promise<number>> {
  await page.evaluate(`(() => {
    const { clearRect } = CanvasRenderingContext2D.prototype;
    globalThis.drawings = 0;
    CanvasRenderingContext2D.prototype.clearRect = function (...place) {
      globalThis.drawings++;
      clearRect.apply(this, place);
    };
  })()`);
  return async () => Number(await page.evaluate('globalThis.drawings'));
}

/** Lets the page believe that it is hidden, or shown again. */
export async function setHidden({ page }: PageSession, isHidden: boolean): Promise<void> {
  await page.evaluate(`
    Object.defineProperty(document, 'hidden', { value: ${isHidden}, configurable: true });
    Object.defineProperty(document, 'visibilityState', { value: '${isHidden ? 'hidden' : 'visible'}', configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));`);
}

/** Rows of canvas pixels, from its top, at which a column has the colour of the line. */
export async function rowsOfLine(
  { page }: PageSession,
  part: number,
): Promise<{ rows: number[]; height: number }> {
  return (await page.evaluate(`(() => {
    const canvas = document.querySelector('.run-chart-loss canvas');
    const over = document.querySelector('.run-chart-loss .u-over').getBoundingClientRect();
    const left = over.left - canvas.getBoundingClientRect().left;
    const ratio = canvas.width / canvas.getBoundingClientRect().width;
    const x = Math.round((left + over.width * ${part}) * ratio);
    const { data } = canvas.getContext('2d').getImageData(x, 0, 1, canvas.height);
    const rows = [];
    for (let y = 0; y < canvas.height; y++)
      if (data[4 * y + 2] > 200 && data[4 * y] < 150 && data[4 * y + 3] > 128) rows.push(y);
    return { rows, height: canvas.height };
  })()`)) as { rows: number[]; height: number };
}
