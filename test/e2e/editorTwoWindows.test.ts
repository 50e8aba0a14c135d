// Two windows on one folder: both show the same run, either steers it, one tells its end, and it needs neither of them.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Frame } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { runRecord, type RunRecord } from '../../src/protocol/runEvents';
import type { Editor } from '../support/editor/editor';
import { editorLane } from '../support/editor/lane';
import { openEditor } from '../support/editor/openEditor';
import { poll } from '../support/editor/poll';
import { createProject, patientConfig, patientScript, runsOf, type Project } from '../support/editor/project';

const lane = editorLane();
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

describe.skipIf(lane.missing !== undefined)(
  `two windows on one folder${lane.missing === undefined ? '' : `: ${lane.missing}`}`,
  () => {
    let project: Project;
    let first: Editor;
    let second: Editor;
    let firstPage: Frame;
    let secondPage: Frame;
    let secondHost = 0;

    beforeAll(async () => {
      project = createProject({
        'train.js': patientScript({ epochs: 100_000 }),
        'train.accumulation.json': patientConfig,
      });
      first = await openEditor({ folder: project.folder });
      const before = first.extensionHosts().map(({ pid }) => pid);
      second = await first.secondWindow();
      secondHost = first.extensionHosts().find(({ pid }) => !before.includes(pid))?.pid ?? 0;
      for (const editor of [first, second]) {
        await editor.openFile('train.js');
        await editor.command('Batch Planner: Open Plan');
      }
      firstPage = await first.pageFrame();
      secondPage = await second.pageFrame();
    });
    afterAll(async () => {
      await first.dispose();
      project.remove();
    });

    const runs = (): string[] => runsOf(project);
    const textOf = (name: string): string => {
      const file = path.join(runs().at(-1) ?? project.path('no-run'), name);
      return existsSync(file) ? readFileSync(file, 'utf8') : '';
    };
    const record = (): RunRecord => runRecord.parse(JSON.parse(textOf('run.json')));
    const updates = (): number => textOf('events.ndjson').split('"type":"update"').length - 1;
    const state = (page: Frame, sentence: RegExp) =>
      page.locator('.run-sentence', { hasText: sentence }).waitFor();
    /** How many epochs the page says are done. */
    const epochOn = async (page: Frame): Promise<number> =>
      Number(/epoch\s+([\d\s,]+)/i.exec(await page.locator('main#batch-planner').innerText())?.[1] ?? NaN);

    it('a training that is started in one is shown live in the other', async () => {
      await first.command('Batch Planner: Start Training');
      await state(firstPage, /^Training$/);
      await state(secondPage, /^Training$/);
      const seen = await poll('an epoch', async () => (await epochOn(secondPage)) || null);
      await poll('a later one', async () => (await epochOn(secondPage)) > seen);
      await second.screenshot('second-window');
    });

    it('a second training of it is not started in the other: what runs is told, and offered to be seen', async () => {
      await second.command('Batch Planner: Start Training');
      const told = await second.notifications.one('is being trained already');
      expect(told).toMatchObject({ severity: 'warning', buttons: ['Open Run'] });
      await second.notifications.press('is being trained already', 'Open Run');
      await state(secondPage, /^Training$/);
      expect(runs()).toHaveLength(1);
    });

    it('is paused in one and gone on with in the other', async () => {
      await first.command('Batch Planner: Pause');
      await state(secondPage, /^Paused after update/);
      const before = updates();
      await secondPage.getByRole('button', { name: 'Resume', exact: true }).click();
      await state(firstPage, /^Training$/);
      await poll('it trains again', () => updates() > before);
      expect(record().attempts).toBe(1);
    });

    it('its end is told by one notification in all', async () => {
      // Where somebody looks, the end of a short training is no news.
      for (const editor of [first, second]) {
        // VS Code in a browser does not learn that a page of an extension lost the focus: the script has it then.
        await editor.openFile('train.js');
        await editor.blur();
      }
      project.write('finish', '');
      await poll('it ends', () => record().state === 'completed', 60_000);
      // Who looks before a window has noticed the end is told nothing: it is on the page.
      await poll('a window tells it', () => existsSync(path.join(runs().at(-1) ?? '', 'told-1')));
      const told: string[] = [];
      for (const editor of [first, second]) {
        // A window that is not on the screen draws no notification.
        await editor.focus();
        await new Promise((resolve) => setTimeout(resolve, 3_000));
        told.push(...(await editor.notifications.all()).map(({ message }) => message));
      }
      expect(told).toEqual([expect.stringMatching(/^Training train\.js is done: [\d,]+ updates in /)]);
      const pages: Frame[] = [];
      for (const editor of [first, second]) {
        await editor.command('Batch Planner: Open Run');
        const page = await editor.pageFrame();
        await state(page, /^Completed after/);
        pages.push(page);
      }
      [firstPage = firstPage, secondPage = secondPage] = pages;
    });

    it('goes on when one window is killed, and the other still shows it', async () => {
      project.remove('finish');
      await second.command('Batch Planner: Start Training');
      await poll('a second run', () => runs().length === 2);
      await state(firstPage, /^Training$/);
      const { supervisorPid } = record();
      await second.killWindow(secondHost);
      const before = updates();
      await poll('it goes on', () => updates() > before + 8);
      expect(record()).toMatchObject({ supervisorPid, state: 'training', attempts: 1 });
      await state(firstPage, /^Training$/);
      await first.command('Batch Planner: Stop');
      await state(firstPage, /^Stopped after update/);
      await poll('no training is left', () => first.processesOf('train.js').length === 0);
    });

    it('goes on when the editor itself is killed, to its end', async () => {
      await first.command('Batch Planner: Start Training');
      await poll('a third run', () => runs().length === 3);
      await state(firstPage, /^Training$/);
      const { supervisorPid } = record();
      await first.killEditor();
      const before = updates();
      await poll('it goes on', () => updates() > before + 8);
      expect(record()).toMatchObject({ supervisorPid, state: 'training', attempts: 1 });
      project.write('finish', '');
      await poll('it ends', () => record().state === 'completed', 60_000);
      await poll('nothing is left of it', () => first.processesOf('train.js').length === 0);
    });
  },
);
