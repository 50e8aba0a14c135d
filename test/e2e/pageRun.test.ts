// The page's part about a run in a real Chromium: its states and buttons, what its charts tell and draw, its lists.
import { expect, it } from 'vitest';
import type { PageMessage, RunState, RunView } from '../../src/protocol/page';
import type { PageSession } from '../support/pageHarness';
import { describePage, openRun } from '../support/pageTests';
import { themeNames } from '../support/pageThemes';
import { drawn } from '../support/runChartDriver';
import {
  earlierRuns,
  historyOf,
  mark,
  runName,
  runPageOf,
  runViewOf,
  someMarks,
} from '../support/runFixtures';

/** The buttons of the status line that can be seen. */
async function actions({ page }: PageSession): Promise<string[]> {
  const texts = await page.locator('.run-actions vscode-button:visible').allInnerTexts();
  return texts.map((text) => text.trim());
}

function callOf(more: Partial<NonNullable<RunView['call']>>): RunView['call'] {
  const { call } = runViewOf();
  return call === null ? null : { ...call, ...more };
}

const saved = { savedUpdate: 141, savedAt: new Date(Date.now() - 40_000).toISOString() };
const ended = { endedAt: '2026-11-24T08:31:00.000Z' };

describePage('the run', () => {
  it('tells how long ago it was saved, and which part of the time saving takes', async () => {
    const run = runViewOf({ ...saved, savingMs: 4_000, trainedMs: 1_000_000, trainingSince: null });
    const { page } = await openRun({ view: runPageOf(run) });
    expect(await page.locator('.run-figures').innerText()).toMatch(/saved 4\d s ago \(0\.4 % of the time\)/);
  });

  const states: readonly [RunState, Partial<RunView>, string, readonly (readonly [string, PageMessage])[]][] =
    [
      ['starting', {}, 'loading TensorFlow.js and the script', [['Stop', { type: 'stopRun' }]]],
      [
        'replaying',
        { replay: { done: 520, of: 1204 } },
        'Going over 1,204 updates that are done',
        [
          ['Pause', { type: 'pauseRun' }],
          ['Stop', { type: 'stopRun' }],
        ],
      ],
      [
        'training',
        {},
        'Training',
        [
          ['Pause', { type: 'pauseRun' }],
          ['Stop', { type: 'stopRun' }],
        ],
      ],
      [
        'pausing',
        {},
        'Pausing',
        [
          ['Resume', { type: 'resumeRun' }],
          ['Stop', { type: 'stopRun' }],
        ],
      ],
      [
        'paused',
        {},
        'Paused after update 621',
        [
          ['Resume', { type: 'resumeRun' }],
          ['Stop', { type: 'stopRun' }],
        ],
      ],
      ['resuming', {}, 'Resuming', [['Stop', { type: 'stopRun' }]]],
      ['stopping', {}, 'the state is saved first', [['Stop now', { type: 'endRun' }]]],
      ['completed', ended, 'Completed after 621 updates', [['Train again', { type: 'startTraining' }]]],
      [
        'stopped',
        { ...ended, ...saved },
        'Stopped after update 621',
        [
          ['Resume from update 141', { type: 'resumeRun' }],
          ['Train again', { type: 'startTraining' }],
        ],
      ],
      ['stopped', ended, 'nothing was saved', [['Train again', { type: 'startTraining' }]]],
      ['failed', ended, 'Failed after update 621', [['Train again', { type: 'startTraining' }]]],
      [
        'interrupted',
        saved,
        'the process is gone',
        [
          ['Resume from update 141', { type: 'resumeRun' }],
          ['Train again', { type: 'startTraining' }],
        ],
      ],
      ['gone', {}, 'its folder was deleted', [['Train again', { type: 'startTraining' }]]],
    ];

  it('has a sentence and the right buttons in every state', async () => {
    const session = await openRun({ view: runPageOf(runViewOf()), history: [historyOf(20)] });
    for (const [state, more, sentence, buttons] of states) {
      await session.show(runPageOf(runViewOf({ state, ...more })));
      expect(await session.page.locator('.run-sentence').innerText()).toContain(sentence);
      expect(await actions(session)).toEqual(buttons.map(([label]) => label));
      for (const [label, message] of buttons) {
        await session.page.locator('.run-actions vscode-button:visible', { hasText: label }).first().click();
        expect(session.sent.at(-1)).toEqual(message);
      }
    }
    expect(await session.problems()).toEqual([]);
  });

  it('starts nothing in Restricted Mode', async () => {
    const run = runViewOf({ state: 'interrupted', ...saved });
    const session = await openRun({ view: runPageOf(run, { isTrusted: false }) });
    expect(await actions(session)).toEqual([]);
  });

  it('tells how far it is, to the eye and to a screen reader', async () => {
    const session = await openRun({ view: runPageOf(runViewOf()), history: [historyOf(20)] });
    const { page } = session;
    expect(await page.locator('.run-progress').innerText()).toMatch(
      /epoch 3 \/ 10\s+update 141 \/ 240\s+microbatch 57 \/ 94/,
    );
    const bar = page.getByRole('progressbar');
    expect(await bar.getAttribute('aria-valuetext')).toBe('epoch 3 / 10, update 141 / 240');
    expect(await bar.getAttribute('aria-valuenow')).toBe(String(Math.floor(((141 + 57 / 94) / 240) * 100)));
    const figures = await page.locator('.run-figures').innerText();
    for (const figure of ['1,204 examples/s', 'left 31 m', 'memory 6.3 GB / 6.5 GB'])
      expect(figures).toContain(figure);
    const spoken = page.locator('.run [role=status]');
    await expect.poll(() => spoken.innerText()).toContain('epoch 3 / 10');
  });

  it.each<[string, Partial<RunView>, RegExp, boolean]>([
    [
      'an epoch of unknown length',
      { call: callOf({ updatesPerEpoch: null }) },
      /^epoch 3 \/ 10\s+update 141\s/,
      false,
    ],
    ['no epochs', { call: callOf({ method: 'trainOnBatch', epochs: null }) }, /^update 621\s/, false],
    ['no call yet', { state: 'starting', call: null }, /^$/, false],
    [
      'the end',
      { state: 'completed', epoch: 10, updateOfEpoch: 0 },
      /^epoch 10 \/ 10\s+update 240 \/ 240$/,
      true,
    ],
  ])('tells how far it is with %s', async (_, more, progress, hasBar) => {
    const session = await openRun({ view: runPageOf(runViewOf(more)) });
    expect((await session.page.locator('.run-progress').innerText()).trim()).toMatch(progress);
    expect(await session.page.getByRole('progressbar').isVisible()).toBe(hasBar);
    if (hasBar) expect(await session.page.getByRole('progressbar').getAttribute('aria-valuenow')).toBe('100');
  });

  it('goes on counting the time by itself', async () => {
    const trainingSince = new Date(Date.now() - 10_000).toISOString();
    const session = await openRun({ view: runPageOf(runViewOf({ trainedMs: 60_000, trainingSince })) });
    const trained = () => session.page.locator('.run-figures > span', { hasText: 'trained' }).innerText();
    const before = await trained();
    expect(before).toMatch(/^trained 1 m 1\d s$/);
    await expect.poll(trained, { timeout: 5000 }).not.toBe(before);
  });

  it.each<[string, Partial<RunView>]>([
    ['paused', { state: 'paused' }],
    ['ended', { state: 'completed', ...ended }],
  ])('counts no time and no speed of a run that is %s', async (_, more) => {
    const run = runViewOf({
      ...more,
      startedAt: new Date(Date.now() - 3_600_000).toISOString(),
      trainedMs: 80_000,
      trainingSince: null,
    });
    const session = await openRun({ view: runPageOf(run) });
    const figures = () => session.page.locator('.run-figures').innerText();
    const before = await figures();
    expect(before).toContain('trained 1 m 20 s');
    expect(before).toContain('last 1,204 examples/s');
    await session.page.waitForTimeout(1200);
    expect(await figures()).toBe(before);
  });

  it('says of no chart that nothing is done yet while it tells values', async () => {
    const session = await openRun({ view: runPageOf(runViewOf()), height: 300 });
    const empty = session.page.locator('.run-chart-loss .chart-empty');
    expect(await empty.innerText()).toBe('The updates of this run are being read…');
    // On no screen: not drawn, but not empty either.
    await session.page.evaluate("document.querySelector('.run').style.paddingTop = '3000px'");
    await session.addHistory(historyOf(20, { updatesPerEpoch: 10 }));
    expect(await session.page.locator('.run-chart-metric .chart-figures').innerText()).toContain('0.9307');
    for (const name of ['loss', 'metric', 'memory'])
      expect(await session.page.locator(`.run-chart-${name} .chart-empty`).isVisible(), name).toBe(false);
    await session.show(runPageOf(runViewOf({ name: 'another', updates: 0, last: {}, best: {} })));
    expect(await empty.innerText()).toBe('No update is done yet.');
  });

  it('shows why it failed, and leads there', async () => {
    const failure = {
      message: "Cannot read properties of undefined (reading 'fit')",
      file: '/work/train.js',
      line: 12,
    };
    const session = await openRun({ view: runPageOf(runViewOf({ state: 'failed', failure })) });
    expect(await session.page.locator('.run-failure').innerText()).toContain(failure.message);
    await session.page.getByRole('button', { name: 'train.js:12' }).click();
    expect(session.sent.at(-1)).toEqual({ type: 'openFailure' });
  });

  it('keeps the focus when its view comes anew, and hands it on when a button goes', async () => {
    const session = await openRun({
      view: runPageOf(runViewOf(), { earlierRuns }),
      history: [historyOf(20)],
    });
    const focused = () => session.page.evaluate('document.activeElement.innerText.trim()');
    await session.page.locator('vscode-button', { hasText: 'Pause' }).focus();
    await session.show(runPageOf(runViewOf({ updates: 622, updateOfEpoch: 142 }), { earlierRuns }));
    expect(await focused()).toBe('Pause');
    await session.show(runPageOf(runViewOf({ state: 'pausing' }), { earlierRuns }));
    expect(await focused()).toBe('Resume');
  });

  it('shows only earlier runs where there is no run, and nothing where there are none', async () => {
    const session = await openRun({ view: runPageOf(null, { earlierRuns }) });
    await session.page.locator('summary', { hasText: 'Earlier runs (4)' }).click();
    expect(await session.page.locator('.run-status').isVisible()).toBe(false);
    await session.page
      .getByRole('button', { name: /^Show the run/ })
      .nth(1)
      .click();
    expect(session.sent.at(-1)).toEqual({ type: 'showRun', run: earlierRuns[1]?.name });
    await session.show(runPageOf(null));
    expect(await session.page.locator('.run').isVisible()).toBe(false);
  });

  it('asks for a run to compare with, and to compare no more', async () => {
    const [first] = earlierRuns;
    const session = await openRun({ view: runPageOf(runViewOf(), { earlierRuns }) });
    await session.page.locator('summary', { hasText: 'Earlier runs' }).click();
    await session.page
      .getByRole('button', { name: /^Compare with/ })
      .first()
      .click();
    expect(session.sent.at(-1)).toEqual({ type: 'compareRun', run: first?.name });
    await session.show(runPageOf(runViewOf(), { earlierRuns, comparedRun: first?.name ?? null }));
    await session.addHistory(historyOf(900, { run: first?.name ?? '', seed: 4 }));
    expect(await session.page.locator('.run-chart-loss .chart-legend').innerText()).toContain('other run');
    await session.page.getByRole('button', { name: /^Compared/ }).click();
    expect(session.sent.at(-1)).toEqual({ type: 'compareRun', run: null });
  });

  it('lists the newest of 2,000 events, and follows the output', async () => {
    const marks = Array.from({ length: 2000 }, (_, at) => mark('checkpoint', at, `Checkpoint ${at}`));
    const output = Array.from({ length: 200 }, (_, at) => `line ${at}`).join('\n');
    const session = await openRun({
      view: runPageOf(runViewOf({ output })),
      history: [historyOf(2000, { marks })],
    });
    const { page } = session;
    await page.locator('summary', { hasText: 'Events (2,000)' }).click();
    await page.locator('summary', { hasText: 'Output' }).click();
    await expect.poll(() => page.locator('.event').first().innerText()).toContain('Checkpoint 1999');
    expect(await page.locator('.event').count()).toBe(500);
    const toEnd = () =>
      page.evaluate(
        `(() => { const box = document.querySelector('.output'); return box.scrollHeight - box.scrollTop - box.clientHeight; })()`,
      );
    await expect.poll(toEnd).toBeLessThan(5);
    await page.evaluate(`document.querySelector('.output').scrollTop = 100`);
    await drawn(session);
    await session.show(runPageOf(runViewOf({ output: `${output}\none more` })));
    expect(await page.evaluate(`document.querySelector('.output').scrollTop`)).toBe(100);
  });

  it('copies the whole history, and leads to the folder and the terminal', async () => {
    const part = historyOf(1000);
    const session = await openRun({ view: runPageOf(runViewOf()), history: [part] });
    await session.page.locator('vscode-button', { hasText: 'Copy as CSV' }).click();
    const copied = session.sent.at(-1);
    const rows = copied?.type === 'copyText' ? copied.text.trimEnd().split('\n') : [];
    const at = rows[0]?.split(',').indexOf('loss') ?? -1;
    expect(rows.slice(1).map((row) => Number(row.split(',')[at]))).toEqual(part.points.loss);
    await session.page.locator('vscode-button', { hasText: 'Open run folder' }).click();
    expect(session.sent.at(-1)).toEqual({ type: 'openRunFolder' });
    await session.page.locator('vscode-button', { hasText: 'Show terminal' }).click();
    expect(session.sent.at(-1)).toEqual({ type: 'showTerminal' });
  });

  it('asks for everything again where points are missing, once', async () => {
    const session = await openRun({ view: runPageOf(runViewOf()), history: [historyOf(10)] });
    const asked = () => session.sent.filter(({ type }) => type === 'ready').length;
    const before = asked();
    const parts = [20, 21, 22].map((from) => ({ type: 'history', part: historyOf(1, { from }) }));
    await session.page.evaluate(`${JSON.stringify(parts)}.forEach((part) => postMessage(part, '*'))`);
    await drawn(session);
    expect(asked()).toBe(before + 1);
  });

  const narrowAndWide = [300, 700, 1400] as const;
  const crowded = runPageOf(
    runViewOf({
      state: 'failed',
      ...saved,
      ...ended,
      failure: { message: 'x'.repeat(400), file: `/work/${'deep/'.repeat(30)}train.js`, line: 3 },
      output: `${'word '.repeat(100)}\n${'y'.repeat(500)}`,
    }),
    { earlierRuns, comparedRun: earlierRuns[0]?.name ?? null },
  );
  const crowdedHistory = [
    historyOf(621, {
      marks: someMarks,
      metrics: ['a_metric_with_a_name_as_long_as_nobody_would_ever_want_it_to_be_in_a_narrow_panel'].concat(
        Array.from({ length: 19 }, (_, at) => `metric${at}`),
      ),
    }),
    historyOf(900, { run: earlierRuns[0]?.name ?? '', seed: 7 }),
  ];

  it.each(themeNames)('can be read and used by all in the theme %s, narrow and wide', async (theme) => {
    for (const width of narrowAndWide) {
      const session = await openRun({ theme, width, view: crowded, history: crowdedHistory });
      for (const summary of await session.page.locator('.run summary').all()) await summary.click();
      await drawn(session);
      expect(await session.accessibilityProblems()).toEqual([]);
      expect(await session.overflowing()).toEqual([]);
      expect(await session.problems()).toEqual([]);
      await session.screenshot(`run-crowded-${theme}-${width}`);
    }
    const session = await openRun({
      theme,
      view: runPageOf(runViewOf({ ...saved, startedAt: new Date(Date.now() - 724_000).toISOString() }), {
        earlierRuns,
      }),
      history: [historyOf(621, { marks: someMarks, run: runName })],
    });
    await session.screenshot(`run-${theme}`);
  });
});
