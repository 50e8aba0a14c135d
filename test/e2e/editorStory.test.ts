// What a user does, from the first plan to the end of a training, in a real VS Code with the packaged extension.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Frame } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readConfig } from '../../src/planning/readConfig';
import { parseRunEvent, runRecord, type RunEvent, type RunRecord } from '../../src/protocol/runEvents';
import type { Editor } from '../support/editor/editor';
import { editorLane } from '../support/editor/lane';
import { openEditor } from '../support/editor/openEditor';
import { poll } from '../support/editor/poll';
import { createProject, patientScript, type Project } from '../support/editor/project';

const lane = editorLane();
// A window that starts anew takes long on a busy machine.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

describe.skipIf(lane.missing !== undefined)(
  `a user in a real VS Code${lane.missing ? `: ${lane.missing}` : ''}`,
  () => {
    let project: Project;
    let editor: Editor;
    let page: Frame;

    beforeAll(async () => {
      project = createProject({ 'train.js': patientScript() });
      editor = await openEditor({ folder: project.folder });
    });
    afterAll(async () => {
      await editor.dispose();
      project.remove();
    });

    const config = (): string => project.path('train.accumulation.json');
    const button = (name: string | RegExp) => page.getByRole('button', { name });
    const text = async (): Promise<string> => page.locator('main#batch-planner').innerText();
    const runFolder = (): string => {
      const runs = project.path('.batch-planner/runs');
      const names = existsSync(runs) ? readdirSync(runs).sort() : [];
      return path.join(runs, names.at(-1) ?? 'none yet');
    };
    const textOf = (name: string): string => {
      const file = path.join(runFolder(), name);
      return existsSync(file) ? readFileSync(file, 'utf8') : '';
    };
    const record = (): RunRecord => runRecord.parse(JSON.parse(textOf('run.json')));
    const events = (): RunEvent[] =>
      textOf('events.ndjson')
        .split('\n')
        .map(parseRunEvent)
        .filter((event) => event !== null);
    const updates = (): number => events().filter(({ type }) => type === 'update').length;

    it('sees what can be planned above the call of fit', async () => {
      await editor.openFile('train.js');
      await poll('a CodeLens', async () => (await editor.codeLenses()).includes('Plan batch size'));
    });

    it('cancels a planning: no process is left and nothing is written', async () => {
      await editor.command('Batch Planner: Plan Batch Size');
      expect(await editor.quickInput.question()).toContain('Plan Batch Size: train.js');
      expect(await editor.quickInput.value()).toBe('256');
      await editor.quickInput.answer('1024');
      await editor.notifications.one('Planning train.js');
      await editor.notifications.press('Planning train.js', 'Cancel');
      await poll('no planning is left', () => editor.processesOf('--stream').length === 0);
      await poll('the notification goes', async () => {
        const shown = await editor.notifications.all();
        return shown.every(({ message }) => !message.includes('Planning'));
      });
      expect(existsSync(config())).toBe(false);
      expect(readdirSync(project.folder)).toEqual(['train.js']);
    });

    it('plans from the palette, and sees the answer on a page', async () => {
      await editor.command('Batch Planner: Plan Batch Size');
      await editor.quickInput.answer('1024');
      const told = await editor.notifications.one('Largest microbatch', 90_000);
      expect(told.buttons).toEqual(['Start Training', 'Open Config']);
      page = await editor.pageFrame();
      await page.locator('.equation:visible', { hasText: '1,024' }).waitFor();
      const reading = readConfig(readFileSync(config(), 'utf8'));
      expect(reading.config?.targetBatchSize).toBe(1024);
      await editor.screenshot('planned');
      await editor.notifications.clear();
    });

    it('asks what if the batch were another one: an estimate at once, or why it cannot be', async () => {
      const target = page.getByRole('textbox', { name: 'Target batch size', exact: true });
      await target.fill('100000');
      await target.press('Enter');
      await page
        .getByText('There are 1,024 training examples, and an update can have no more')
        .first()
        .waitFor();
      await target.fill('600');
      await target.press('Enter');
      await page.locator('.equation:visible', { hasText: '600' }).waitFor();
      expect((await text()).toLowerCase()).toContain('estimate');
      await editor.screenshot('what-if');
      await button('Reset').click();
      await page.locator('.equation:visible', { hasText: '1,024' }).waitFor();
    });

    it('lowers the microbatch in the config, and starts the training', async () => {
      const { config: planned } = readConfig(readFileSync(config(), 'utf8'));
      expect(planned?.microbatchSize).toBe(1024);
      project.write(
        'train.accumulation.json',
        readFileSync(config(), 'utf8').replace('"microbatchSize": 1024', '"microbatchSize": 300'),
      );
      await poll('the page has the new size', async () => (await text()).includes('256'));
      await button('Start training').click();
      await poll('updates come in', () => updates() > 8, 60_000);
      await page.locator('.run-sentence', { hasText: 'Training' }).waitFor();
      await editor.screenshot('training');
      await poll('the status bar tells', async () =>
        /\d+ %/.test((await editor.statusBar.own())?.text ?? ''),
      );
    });

    it('pauses it', async () => {
      await editor.command('Batch Planner: Pause');
      await poll('it is paused', () => record().state === 'paused');
      const before = updates();
      await new Promise((resolve) => setTimeout(resolve, 1500));
      expect(updates()).toBe(before);
    });

    it('reloads the window: the run is still there with all its history, and goes on', async () => {
      const before = updates();
      const { supervisorPid } = record();
      await editor.reload();
      page = await editor.pageFrame();
      await page.locator('.run-sentence', { hasText: 'Paused after update' }).waitFor();
      expect(record().supervisorPid).toBe(supervisorPid);
      await editor.command('Batch Planner: Resume');
      await poll('it trains again', () => updates() > before);
    });

    it('closes the window and opens it again: the run went on meanwhile', async () => {
      const before = updates();
      await editor.closeWindow();
      await poll('the run goes on without a window', () => updates() > before + 4);
      await editor.openAgain();
      page = await editor.pageFrame();
      await poll('the page has the run', async () => /epoch/i.test(await text()));
    });

    it('sees its end: every update once, and the script has done what it does after fit', async () => {
      await poll('it ends', () => record().state === 'completed', 120_000);
      await page.locator('.run-sentence', { hasText: 'Completed after' }).waitFor();
      const positions = events().flatMap((event) => (event.type === 'update' ? [event.update] : []));
      expect(positions).toEqual(positions.map((_, index) => index));
      expect(textOf('trainer.log')).toContain('the script is done');
      await page.locator('summary', { hasText: 'Output' }).click();
      await poll('its output', async () => (await text()).includes('the script is done'));
      await editor.screenshot('completed');
      await poll('no process is left', () => editor.processesOf('train.js').length === 0);
    });

    it('makes a mistake in the config, and is shown where', async () => {
      await editor.openFile('train.accumulation.json');
      project.write(
        'train.accumulation.json',
        readFileSync(config(), 'utf8').replace(/"microbatchSize": \d+/, '"microbatchSize": "many"'),
      );
      const problems = await poll('a problem', async () => {
        const found = await editor.problems();
        return found.some((line) => line.includes('microbatchSize')) && found;
      });
      expect(problems.join('\n')).toContain('"microbatchSize" must be a whole number');
      await editor.screenshot('problem');
    });
  },
);
