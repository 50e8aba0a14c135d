// A real plan and a real run by the keyboard alone, looked at in all four themes, wide and narrow; the config with its
// completion and hover. The pictures are kept among the test's artefacts.
import axe from 'axe-core';
import type { Frame } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import type { Editor } from '../support/editor/editor';
import { editorLane } from '../support/editor/lane';
import { openEditor } from '../support/editor/openEditor';
import { poll } from '../support/editor/poll';
import { createProject, patientScript, type Project } from '../support/editor/project';
import type { ThemeName } from '../support/editor/themes';

const lane = editorLane();
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const findings = z.array(
  z.object({
    id: z.string(),
    impact: z.string().nullable(),
    help: z.string(),
    nodes: z.array(z.object({ html: z.string(), failureSummary: z.string().optional() })),
  }),
);

describe.skipIf(lane.missing !== undefined)(
  `the looks in a real VS Code${lane.missing === undefined ? '' : `: ${lane.missing}`}`,
  () => {
    let project: Project;
    let editor: Editor;
    let page: Frame;

    beforeAll(async () => {
      project = createProject({ 'train.js': patientScript({ epochs: 30, pauseMs: 40 }) });
      editor = await openEditor({ folder: project.folder, viewport: { width: 1500, height: 1000 } });
    });
    afterAll(async () => {
      await editor.dispose();
      project.remove();
    });

    /** Presses Tab until the page's focus is on a control of this name. */
    async function tabTo(name: RegExp): Promise<void> {
      await poll(`the focus is on ${String(name)}`, async () => {
        const focused = await page.evaluate<string>(`(() => {
          let at = document.activeElement;
          while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
          const host = at?.getRootNode().host ?? at;
          return (host?.getAttribute('aria-label') ?? host?.textContent ?? '').trim();
        })()`);
        if (name.test(focused)) return true;
        await editor.page.keyboard.press('Tab');
        return false;
      });
    }

    it('plans and trains by the keyboard alone', async () => {
      await editor.openFile('train.js');
      await editor.command('Batch Planner: Plan Batch Size');
      await editor.quickInput.answer('1000');
      await editor.notifications.one('Largest microbatch', 120_000);
      await editor.notifications.clear();
      await editor.command('Batch Planner: Open Plan');
      page = await editor.pageFrame();
      await page.locator('.equation:visible', { hasText: '1,000' }).waitFor();
      await tabTo(/^Target batch size$/);
      await editor.page.keyboard.press('Control+a');
      await editor.page.keyboard.type('900');
      await editor.page.keyboard.press('Enter');
      await page.locator('.equation:visible', { hasText: '900' }).waitFor();
      await tabTo(/^Reset to the plan$/);
      await editor.page.keyboard.press('Enter');
      await page.locator('.equation:visible', { hasText: '1,000' }).waitFor();
      await editor.page.keyboard.press('Shift+Tab');
      await tabTo(/^Start training$/);
      await editor.page.keyboard.press('Enter');
      await page.locator('.run-sentence', { hasText: 'Training' }).waitFor({ timeout: 60_000 });
      await page.locator('.run-sentence', { hasText: 'Completed' }).waitFor({ timeout: 120_000 });
    });

    it.each<ThemeName>(['dark', 'light', 'hc-black', 'hc-light'])(
      'has no serious problem of accessibility in the theme %s',
      async (theme) => {
        await editor.setTheme(theme);
        await editor.command('View: Focus Active Editor Group');
        await page.waitForTimeout(500);
        await page.evaluate('window.scrollTo(0, 0)');
        await editor.screenshot('looks-plan');
        await page.locator('.run-status').scrollIntoViewIfNeeded();
        await page.evaluate("document.querySelector('.run-host').scrollIntoView()");
        await page.waitForTimeout(300);
        await editor.screenshot('looks-run');
        await page.evaluate(axe.source);
        const found = findings.parse(
          await page.evaluate('axe.run(document).then(({ violations }) => violations)'),
        );
        const serious = found.filter(({ impact }) => impact === 'serious' || impact === 'critical');
        expect(
          serious.map(({ id, nodes }) => [id, ...nodes.map((node) => [node.html, node.failureSummary])]),
        ).toEqual([]);
      },
    );

    it('does not overflow beside a script, nor alone', async () => {
      const overflow = (): Promise<number> =>
        page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth');
      expect(await overflow()).toBeLessThanOrEqual(0);
      await editor.page.setViewportSize({ width: 1040, height: 800 });
      await page.waitForTimeout(500);
      expect(await overflow()).toBeLessThanOrEqual(0);
      await editor.screenshot('looks-narrow');
      await editor.page.setViewportSize({ width: 1500, height: 1000 });
    });

    it('completes the keys of a config, and explains them', async () => {
      await editor.setTheme('dark');
      await page.getByRole('button', { name: 'Open config' }).click();
      await editor.page.locator('.view-line', { hasText: 'targetBatchSize' }).first().click();
      await editor.page.keyboard.press('End');
      await editor.page.keyboard.press('Enter');
      await editor.page.keyboard.type('"');
      await editor.command('Trigger Suggest');
      const suggestions = editor.page.locator('.suggest-widget.visible .monaco-list-row');
      await suggestions.first().waitFor();
      expect((await suggestions.allTextContents()).join(' ')).toContain('$schema');
      await editor.page.keyboard.press('Escape');
      await editor.page.keyboard.press('Control+z');
      await editor.page.keyboard.press('Control+z');
      const key = editor.page.locator('.view-line > span > span', { hasText: /^"targetBatchSize"$/ });
      await key.first().click();
      await editor.command('Show or Focus Hover');
      await editor.page
        .locator('.monaco-hover:visible', { hasText: /update/ })
        .first()
        .waitFor();
    });
  },
);
