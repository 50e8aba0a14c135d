// The packaged extension in a real VS Code: it becomes active, its commands are in the palette, its page opens.
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import texts from '../../package.nls.json' with { type: 'json' };
import type { Editor } from '../support/editor/editor';
import { editorLane } from '../support/editor/lane';
import { openEditor } from '../support/editor/openEditor';
import { poll } from '../support/editor/poll';

const { missing } = editorLane();
const digits = path.resolve(import.meta.dirname, '../../media/examples/digits');

describe.skipIf(missing !== undefined)(
  `the packaged extension in VS Code${missing ? `: ${missing}` : ''}`,
  () => {
    let folder: string;
    let editor: Editor;

    beforeAll(async () => {
      folder = mkdtempSync(path.join(tmpdir(), 'bp-smoke-'));
      cpSync(digits, folder, { recursive: true });
      editor = await openEditor({ folder });
    });

    afterAll(async () => {
      await editor?.dispose();
      rmSync(folder, { recursive: true });
    });

    it('has every command in the palette but those that need a training', async () => {
      const hidden = packageJson.contributes.menus.commandPalette.map(({ command }) => command);
      const expected = packageJson.contributes.commands
        .filter(({ command, enablement }) => !hidden.includes(command) && !enablement?.includes('.training'))
        .map(({ title }) => `Batch Planner: ${Reflect.get(texts, title.slice(1, -1))}`);
      expect((await editor.commandTitles('Batch Planner:')).sort()).toEqual(expected.sort());
    });

    it('stands above a training call though the script lost the focus as soon as it was shown', async () => {
      await editor.openFile('train.js');
      // VS Code cancels its question of what stands there when the text loses the focus.
      await editor.page.keyboard.press('Control+Shift+E');
      await poll('a CodeLens', async () => (await editor.codeLenses()).includes('Plan batch size'));
      expect(await editor.page.locator('.editor-instance .monaco-editor.focused').count()).toBe(0);
      await editor.command('View: Close All Editors');
    });

    it('opens the page of a script that was never planned', async () => {
      await editor.openFile('train.js');
      await editor.command('Batch Planner: Open Plan');
      const page = await editor.pageFrame();
      expect(await page.locator('main#batch-planner').innerText()).toContain('train.js');
      await editor.screenshot('smoke-page');
    });
  },
);
