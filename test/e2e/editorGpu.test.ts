// The status bar in a real VS Code, with a replayed nvidia-smi on PATH: text, tooltip, choice, and GPUs that go away.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Editor } from '../support/editor/editor';
import { editorLane } from '../support/editor/lane';
import { openEditor } from '../support/editor/openEditor';
import { poll } from '../support/editor/poll';
import { FakeGpuTools, h100, stillRunning } from '../support/fakeGpuTools';

const { missing } = editorLane();

/** Two cards of one name, as they are in many machines; amounts in MiB. */
function card(index: 0 | 1, usedMegabytes: number): Readonly<Record<string, string>> {
  const free = 8192 - usedMegabytes;
  return {
    ...h100,
    index: String(index),
    uuid: `GPU-0000000${index}-7d33-41f6-9a80-1c2d3e4f5061`,
    'pci.bus_id': index === 0 ? '00000000:17:00.0' : '00000000:65:00.0',
    name: 'NVIDIA GeForce RTX 3070',
    'memory.total': '8192',
    'memory.used': String(usedMegabytes),
    'memory.free': String(free),
    'memory.reserved': '0',
    'utilization.gpu': index === 0 ? '37' : '0',
    'mig.mode.current': '[N/A]',
  };
}

describe.skipIf(missing !== undefined)(
  `GPU memory in VS Code's status bar${missing ? `: ${missing}` : ''}`,
  () => {
    let folder: string;
    let tools: FakeGpuTools;
    let editor: Editor;
    let pollSeconds = 5;

    beforeAll(async () => {
      folder = mkdtempSync(path.join(tmpdir(), 'bp-gpu-'));
      tools = new FakeGpuTools();
      tools.nvidiaSmi({ gpus: [card(0, 3277), card(1, 100)] });
      tools.lspci([]);
      editor = await openEditor({ folder, environment: { PATH: `${tools.folder}:${process.env['PATH']}` } });
    });
    afterAll(async () => {
      await editor?.dispose();
      expect(await stillRunning(tools.startedPids())).toEqual([]);
      tools.dispose();
      rmSync(folder, { recursive: true });
    });

    /** Polling rests while nothing changes; a changed pause is taken over at once, with a reading. */
    function readAgain(): void {
      pollSeconds = pollSeconds === 5 ? 6 : 5;
      editor.setSettings({ 'batchPlanner.statusBar.pollSeconds': pollSeconds });
    }

    async function shows(text: string): Promise<void> {
      let last = '';
      await poll(`the status bar shows ${text}`, async () => {
        last = (await editor.statusBar.own())?.text ?? 'nothing';
        return last === text;
      }).catch((error: unknown) => {
        throw new Error(`it shows ${last}`, { cause: error });
      });
    }

    it('shows used and total memory of the card with the most free memory', async () => {
      await shows('GPU 1: 0.1/8.0 GB');
      expect((await editor.statusBar.own())?.label).toContain(
        'NVIDIA GeForce RTX 3070 memory: 0.1/8.0 GB used',
      );
      expect(await editor.statusBar.isWarning()).toBe(false);
    });

    it('has a table of all cards in its tooltip', async () => {
      const rows = (await editor.statusBar.tooltip()).split('\n').map((row) => row.trim());
      const words = rows.join(' ').replace(/\s+/g, ' ');
      expect(words).toContain('0: NVIDIA GeForce RTX 3070 0000:17:00.0');
      expect(words).toContain('1: NVIDIA GeForce RTX 3070 0000:65:00.0');
      expect(words).toContain('37 %');
      expect(words).toMatch(/Plan Batch Size · Select GPU · Settings/);
      await editor.screenshot('gpu-tooltip');
    });

    it('lets a person choose between two cards of one name, and keeps the choice for this machine', async () => {
      await editor.statusBar.clickInTooltip('Select GPU');
      expect(await editor.quickInput.question()).toContain('Select GPU');
      const choices = await editor.quickInput.choices();
      expect(choices).toHaveLength(3);
      expect(choices[1]).toContain('0000:17:00.0 · 3.2/8.0 GB');
      await editor.screenshot('gpu-choices');
      await editor.quickInput.choose('0: NVIDIA GeForce RTX 3070');
      await shows('GPU 0: 3.2/8.0 GB');
      expect(editor.server.machineSettings()).toMatchObject({ 'batchPlanner.device': '0000:17:00.0' });
    });

    it('warns by its colour, and follows the memory', async () => {
      tools.nvidiaSmi({ gpus: [card(0, 8000), card(1, 100)] });
      readAgain();
      await shows('GPU 0: 7.8/8.0 GB');
      expect(await editor.statusBar.isWarning()).toBe(true);
      await editor.screenshot('gpu-low');
      tools.nvidiaSmi({ gpus: [card(0, 4096), card(1, 100)] });
      readAgain();
      await shows('GPU 0: 4.0/8.0 GB');
      expect(await editor.statusBar.isWarning()).toBe(false);
    });

    it('shows the other card when the chosen one disappears, and the chosen one when it is back', async () => {
      tools.nvidiaSmi({ gpus: [card(1, 100)] });
      readAgain();
      await shows('0.1/8.0 GB');
      tools.nvidiaSmi({ gpus: [card(0, 1024), card(1, 100)] });
      readAgain();
      await shows('GPU 0: 1.0/8.0 GB');
    });

    it('reads nothing while the window has no focus, and again at once when it has', async () => {
      await editor.blur();
      const before = tools.startedPids().length;
      tools.nvidiaSmi({ gpus: [card(0, 2048), card(1, 100)] });
      readAgain();
      // Longer than the pause between two readings, which a changed setting would cut short.
      await editor.page.waitForTimeout(7_000);
      expect(tools.startedPids()).toHaveLength(before);
      expect((await editor.statusBar.own())?.text).toBe('GPU 0: 1.0/8.0 GB');
      await editor.focus();
      await shows('GPU 0: 2.0/8.0 GB');
    });

    it('says what is wrong when the driver stops answering', async () => {
      tools.nvidiaSmi({
        message: 'Unable to determine the device handle for GPU0000:17:00.0: Unknown Error',
        exitCode: 15,
      });
      readAgain();
      await shows('GPU —');
      expect(await editor.statusBar.tooltip()).toContain('Unable to determine the device handle');
      await editor.screenshot('gpu-lost');
    });

    it('hides where there is no GPU, and shows the memory of the computer where that is wanted', async () => {
      tools.remove('nvidia-smi');
      readAgain();
      await poll('the item hides', async () => (await editor.statusBar.own()) === null);
      await editor.command('Batch Planner: Select GPU');
      await editor.notifications.one('There is no GPU to select.');
      await editor.notifications.clear();
      editor.setSettings({ 'batchPlanner.statusBar.show': 'always' });
      await poll(
        'RAM is shown',
        async () => (await editor.statusBar.own())?.text.startsWith('RAM ') ?? false,
      );
    });
  },
);
