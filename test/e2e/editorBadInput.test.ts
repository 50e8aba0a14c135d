// What goes wrong for users, in a real VS Code: one sentence each, with what mends it as a button, and nothing left behind.
import { chmodSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Editor } from '../support/editor/editor';
import { editorLane } from '../support/editor/lane';
import { openEditor } from '../support/editor/openEditor';
import { poll } from '../support/editor/poll';
import { createProject, type Project } from '../support/editor/project';

const lane = editorLane();
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

/** A program that answers as a Node of this version and architecture would. */
const fakeNode = (version: string, arch: string): string =>
  `#!/bin/sh\necho '{"version":"${version}","arch":"${arch}","platform":"linux"}'\n`;

describe.skipIf(lane.missing !== undefined)(
  `mistakes in a real VS Code${lane.missing === undefined ? '' : `: ${lane.missing}`}`,
  () => {
    let project: Project;
    let editor: Editor;

    beforeAll(async () => {
      project = createProject({
        'prepare.js': "const tf = require('@tensorflow/tfjs');\nconsole.log(tf.zeros([2]).shape);\n",
        'broken.js':
          "const tf = require('@tensorflow/tfjs');\nconst model = tf.sequential();\nmodel.add(nothing);\nmodel.fit(1, 2);\n",
        'module.mjs': "import * as tf from '@tensorflow/tfjs';\ntf.sequential().fit(1, 2);\n",
        'old-node': fakeNode('16.20.2', process.arch),
        'other-node': fakeNode('22.11.0', process.arch === 'x64' ? 'arm64' : 'x64'),
      });
      for (const name of ['old-node', 'other-node']) chmodSync(project.path(name), 0o755);
      editor = await openEditor({ folder: project.folder });
    });
    afterEach(async () => {
      editor.setSettings({ 'batchPlanner.nodePath': undefined });
      await editor.notifications.clear();
      expect(editor.processesOf('--stream')).toEqual([]);
      expect(readdirSync(project.folder).filter((name) => name.includes('accumulation'))).toEqual([]);
    });
    afterAll(async () => {
      await editor.dispose();
      project.remove();
    });

    /** Plans a file that is given in the explorer's way, as its own menu does. */
    async function plan(file: string): Promise<void> {
      await editor.openFile(file);
      await editor.command('Batch Planner: Plan Batch Size');
      await editor.quickInput.answer('');
    }

    it('a script that never calls fit is told so', async () => {
      await editor.openFile('prepare.js');
      const row = editor.page.locator('.explorer-folders-view .monaco-list-row', { hasText: 'prepare.js' });
      await row.click({ button: 'right' });
      await editor.page.locator('.monaco-menu .action-label', { hasText: 'Plan Batch Size' }).click();
      await editor.quickInput.answer('');
      const told = await editor.notifications.one(/without calling fit/, 90_000);
      expect(told.severity).toBe('error');
      expect(told.buttons).toContain('Show Log');
      const page = await editor.pageFrame();
      await page
        .getByText(/without calling fit/)
        .first()
        .waitFor();
      await editor.screenshot('never-fits');
    });

    it('a config that cannot be read takes nothing away from its script', async () => {
      mkdirSync(project.path('broken.accumulation.json'));
      try {
        await editor.openFile('broken.js');
        await poll('a CodeLens', async () => (await editor.codeLenses()).includes('Plan batch size'));
        expect(editor.server.channelLog('Batch Planner')).toContain(
          'broken.accumulation.json cannot be read',
        );
      } finally {
        rmdirSync(project.path('broken.accumulation.json'));
      }
    });

    it('a script with an error is shown at its line', async () => {
      await plan('broken.js');
      const told = await editor.notifications.one(/nothing is not defined/, 90_000);
      expect(told.buttons).toContain('Open broken.js:3');
      await editor.notifications.press(/nothing is not defined/, 'Open broken.js:3');
      await poll('the line', async () =>
        (await editor.statusBar.texts()).some(({ text }) => text.startsWith('Ln 3')),
      );
    });

    it('a module whose TensorFlow.js is not installed: the command that mends it is offered', async () => {
      await plan('module.mjs');
      const told = await editor.notifications.one(/@tensorflow\/tfjs/, 90_000);
      expect(told.buttons).toContain('Install TensorFlow.js…');
      await editor.notifications.press(/@tensorflow\/tfjs/, 'Install TensorFlow.js…');
      await poll('the command waits in a terminal', async () =>
        (await editor.terminalText()).includes('npm install @tensorflow/tfjs'),
      );
    });

    it.each([
      ['that is not there', 'no-node', /no-node/],
      ['too old', 'old-node', /16\.20\.2/],
      ['of another architecture', 'other-node', /arm64|x64/],
    ])('a Node.js %s: what is wrong, and a button to choose another', async (_, name, words) => {
      editor.setSettings({ 'batchPlanner.nodePath': project.path(name) });
      await poll('the setting is read', async () => {
        await plan('broken.js');
        const shown = await editor.notifications.all();
        return shown.some(
          ({ message, buttons }) => words.test(message) && buttons.includes('Choose Node.js…'),
        );
      });
    });

    it('the log and the diagnostics say what a report needs', async () => {
      await editor.command('Batch Planner: Copy Diagnostics');
      await editor.notifications.one('on the clipboard');
      const text = String(await editor.page.evaluate('navigator.clipboard.readText()'));
      expect(text).toMatch(/^Batch Planner \d+\.\d+\.\d+, VS Code 1\./);
      expect(text).toContain('## Memory');
      expect(text).not.toContain(project.folder);
      await editor.command('Batch Planner: Show Log');
      const line = editor.page.locator('.part.panel .view-line', { hasText: /\[(?:info|error)\]/ });
      await line.first().waitFor();
    });
  },
);

describe.skipIf(lane.missing !== undefined)('a folder without a model', () => {
  it('is told what to open, and is given the example', async () => {
    const project = createProject({ 'notes.txt': 'nothing to train\n' });
    const editor = await openEditor({ folder: project.folder });
    try {
      await editor.command('Batch Planner: Plan Batch Size');
      const told = await editor.notifications.one('There is no training script');
      expect(told.buttons).toEqual(['Open Example Project']);
      await editor.notifications.press('There is no training script', 'Open Example Project');
      await editor.quickInput.answerPath(`${project.folder}/`);
      await poll('the example', () => readdirSync(project.folder).includes('batch-planner-digits'));
      await poll('it is opened', async () => (await editor.tabs()).includes('train.js'));
      await poll('it can be planned', async () => (await editor.codeLenses()).includes('Plan batch size'));
      await editor.screenshot('example');
    } finally {
      await editor.dispose();
      project.remove();
    }
  });
});
