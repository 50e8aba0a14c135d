// What the extension does to the editor's own thread: how long it takes to start, what it reads synchronously, and that
// nothing is asked of the GPU while nobody looks.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import type { Editor } from '../support/editor/editor';
import { HostInspector } from '../support/editor/hostInspector';
import { editorLane } from '../support/editor/lane';
import { openEditor } from '../support/editor/openEditor';
import { poll } from '../support/editor/poll';
import { createProject, patientScript, type Project } from '../support/editor/project';

const lane = editorLane();
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

/** Counts synchronous calls of files and processes whose stack has the extension in it. */
const watchSynchronousCalls = `(() => {
  const calls = [];
  globalThis.batchPlannerCalls = calls;
  const watch = (name) => {
    const module = process.getBuiltinModule(name);
    for (const key of Object.keys(module)) {
      if (!key.endsWith('Sync') || typeof module[key] !== 'function') continue;
      const real = module[key];
      module[key] = function (...given) {
        const { stack = '' } = new Error();
        if (stack.includes('batch-planner')) calls.push(name + '.' + key);
        return real.apply(this, given);
      };
    }
  };
  watch('fs');
  watch('child_process');
  const delay = process.getBuiltinModule('perf_hooks').monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  globalThis.batchPlannerDelay = delay;
  return true;
})()`;

const seen = z.object({ calls: z.array(z.string()), longestMs: z.number(), p99Ms: z.number() });

describe.skipIf(lane.missing !== undefined)(
  `the extension host${lane.missing === undefined ? '' : `: ${lane.missing}`}`,
  () => {
    let project: Project;
    let editor: Editor;
    let inspector: HostInspector;

    beforeAll(async () => {
      project = createProject({ 'train.js': patientScript({ epochs: 30 }) });
      editor = await openEditor({
        folder: project.folder,
        settings: { 'batchPlanner.statusBar.show': 'always' },
        // The list of running extensions draws only the rows that are on the screen.
        viewport: { width: 1280, height: 3000 },
      });
      const [host] = editor.extensionHosts();
      inspector = await HostInspector.open(lane.place ?? '', host?.pid ?? 0);
    });
    afterAll(async () => {
      inspector.close();
      await editor.dispose();
      project.remove();
    });

    it('does no synchronous work for it while it polls, plans and trains', async () => {
      // Until then Node itself reads the extension's files.
      await poll('memory is shown', async () => (await editor.statusBar.own())?.text.includes('RAM'));
      expect(await inspector.evaluate(watchSynchronousCalls)).toBe(true);
      await editor.openFile('train.js');
      await editor.command('Batch Planner: Plan Batch Size');
      await editor.quickInput.answer('512');
      await editor.notifications.one('Largest microbatch', 120_000);
      await editor.notifications.press('Largest microbatch', 'Start Training');
      const page = await editor.pageFrame();
      await page.locator('.run-sentence', { hasText: 'Completed after' }).waitFor({ timeout: 120_000 });
      const { calls, longestMs, p99Ms } = seen.parse(
        await inspector.evaluate(
          `({ calls: batchPlannerCalls, longestMs: batchPlannerDelay.max / 1e6, p99Ms: batchPlannerDelay.percentile(99) / 1e6 })`,
        ),
      );
      console.log(
        `event loop delay while planning and training: 99 % under ${p99Ms.toFixed(1)} ms, longest ${longestMs.toFixed(0)} ms`,
      );
      expect(calls).toEqual([]);
    });

    it('would be caught by this test at synchronous work', async () => {
      const caught = await inspector.evaluate(
        `(() => { const before = batchPlannerCalls.length;
          const call = new Function("process.getBuiltinModule('fs').existsSync('/')\\n//# sourceURL=/x/batch-planner/y.js"); call();
          return batchPlannerCalls.length - before; })()`,
      );
      expect(caught).toBe(1);
    });

    it('tells VS Code how long it took to start', async () => {
      await editor.command('Developer: Show Running Extensions');
      const row = editor.page.locator('.runtime-extensions-editor .monaco-list-row', {
        hasText: 'Batch Planner',
      });
      const text = await row.innerText();
      const [, ms] =
        /Activation: (?:Startup )?(\d+)ms|Startup Activation: (\d+)ms/.exec(text)?.filter(Boolean) ?? [];
      console.log(`activation: ${text.replace(/\s+/g, ' ')}`);
      expect(Number(ms)).toBeGreaterThan(0);
    });
  },
);
