// Runs that the page did not start show just the same: from tasks.json, from a terminal; and what ends a task.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
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
const cli = path.resolve(import.meta.dirname, '../../dist/cli.js');
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

describe.skipIf(lane.missing !== undefined)(
  `runs in a real VS Code${lane.missing === undefined ? '' : `: ${lane.missing}`}`,
  () => {
    let project: Project;
    let editor: Editor;
    let page: Frame;

    beforeAll(async () => {
      project = createProject({
        'train.js': patientScript({ epochs: 400 }),
        'train.accumulation.json': patientConfig,
        'again.accumulation.json': patientConfig,
        '.vscode/tasks.json': JSON.stringify({
          version: '2.0.0',
          tasks: [
            { type: 'batchPlanner', config: 'train.accumulation.json', label: 'my training' },
            {
              type: 'process',
              command: 'touch',
              args: ['after'],
              label: 'after',
              dependsOn: 'my training',
              // Without it one is asked for.
              problemMatcher: [],
            },
          ],
        }),
      });
      editor = await openEditor({ folder: project.folder });
      await editor.openFile('train.js');
      await editor.command('Batch Planner: Open Plan');
      page = await editor.pageFrame();
    });
    afterAll(async () => {
      await editor.dispose();
      project.remove();
    });

    const runs = (): string[] => runsOf(project);
    const record = (): RunRecord | null => {
      const file = path.join(runs().at(-1) ?? project.path('no-run'), 'run.json');
      return existsSync(file) ? runRecord.parse(JSON.parse(readFileSync(file, 'utf8'))) : null;
    };
    const state = (sentence: RegExp) => page.locator('.run-sentence', { hasText: sentence }).waitFor();

    it('a task of tasks.json trains, and the page shows it', async () => {
      await editor.command('Tasks: Run Task');
      await editor.quickInput.choose('my training');
      await state(/^Training$/);
      // The follower is a little behind the run.
      await poll('the terminal tells', async () => (await editor.terminalText()).includes('epoch'));
      await editor.screenshot('task');
    });

    it('is offered by the extension for each config', async () => {
      await editor.command('Tasks: Run Task');
      await editor.quickInput.filter('batchPlanner');
      await editor.quickInput.choose('batchPlanner');
      await poll('the task', async () =>
        (await editor.quickInput.labels()).some((label) => label.includes('train again')),
      );
      await editor.quickInput.close();
    });

    it('Terminate Task stops the run after its update, saved', async () => {
      await editor.command('Tasks: Terminate Task');
      await poll('one task is ended at once, or it is asked which', async () => {
        if (await editor.quickInput.isOpen()) await editor.quickInput.choose('my training');
        return record()?.state === 'stopped';
      });
      await state(/^Stopped after update/);
      expect(editor.processesOf('train.js')).toEqual([]);
    });

    it('Resume on the page goes on with it', async () => {
      await page.getByRole('button', { name: /^Resume from update/ }).click();
      // The script takes its pauses also in what is gone over, which may be much.
      await state(/^(Going over .*|Training)$/);
      expect(runs()).toHaveLength(1);
      expect(record()?.attempts).toBe(2);
    });

    it('Stop on the page ends it: its terminal shows no failure, and says how to go on here', async () => {
      await page.getByRole('button', { name: 'Show terminal' }).click();
      await poll('its terminal', async () => (await editor.terminalText()).includes('Going on from epoch'));
      await page.getByRole('button', { name: 'Stop', exact: true }).click();
      await state(/^Stopped after update/);
      const told = await poll('the end of the task', async () => {
        const text = await editor.terminalText();
        return text.includes('Run folder: ') && text;
      });
      expect(told).toContain('Go on with the command "Batch Planner: Resume".');
      expect(told).not.toContain('batch-planner train');
      await poll('the task has ended', () => editor.processesOf('--in-editor').length === 0);
      await editor.screenshot('task-stopped');
      expect(await editor.terminalText()).not.toContain('exit code');
    });

    it('a task that depends on a training starts when that has ended, also by a stop', async () => {
      await editor.command('Tasks: Run Task');
      await editor.quickInput.choose('after');
      await state(/^Training$/);
      expect(existsSync(project.path('after'))).toBe(false);
      await page.getByRole('button', { name: 'Stop', exact: true }).click();
      await poll('what comes after it', () => existsSync(project.path('after')));
    });

    it('a run from a terminal outside shows just the same, and Pause and Stop reach it', async () => {
      const outside = spawn(process.execPath, [cli, 'train', project.path('train.accumulation.json')], {
        cwd: project.folder,
        stdio: 'ignore',
      });
      const ended = new Promise<number | null>((resolve) => outside.once('exit', resolve));
      await poll('a run more', () => runs().length === 3);
      await state(/^Training$/);
      await editor.command('Batch Planner: Pause');
      await state(/^Paused after update/);
      await editor.command('Batch Planner: Stop');
      expect(await ended).toBe(130);
      await state(/^Stopped after update/);
      await page.getByText('Earlier runs').first().waitFor();
    });

    it('a run folder that is deleted while it runs: the page says so, and nothing goes on', async () => {
      await page.getByRole('button', { name: /^Resume from update/ }).click();
      await state(/^Training$/);
      rmSync(runs().at(-1) ?? project.path('no-run'), {
        recursive: true,
        maxRetries: 10,
      });
      await state(/folder was deleted/);
      await editor.screenshot('gone');
      await poll('no training is left', () => editor.processesOf('train.js').length === 0);
    });
  },
);
