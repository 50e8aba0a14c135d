// How a GPU reader waits, hangs, dies and ends, as a real child process with fake tools in place of the hardware that is not there.
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { GpuMonitor, readDevices, type GpuMonitorOptions } from '../../src/gpu/monitor';
import type { GpuProblem } from '../../src/gpu/types';
import {
  buildGpuReader,
  buildScript,
  FakeGpuTools,
  fakesCannotRun,
  h100,
  h100OnTheBus,
  stillRunning,
} from '../support/fakeGpuTools';

const MiB = 1024 * 1024;
const built = mkdtempSync(path.join(tmpdir(), 'batch-planner-reader-'));
let readerPath = '';
let tools: FakeGpuTools;
let monitors: GpuMonitor[];

beforeAll(async () => {
  readerPath = await buildGpuReader(built);
});
afterAll(() => rmSync(built, { recursive: true, force: true }));
beforeEach(() => {
  tools = new FakeGpuTools();
  monitors = [];
});
afterEach(() => {
  for (const monitor of monitors) monitor.dispose();
  tools.dispose();
});

function options(more: GpuMonitorOptions = {}): GpuMonitorOptions {
  const locations = { nvidiaSmi: ['nvidia-smi'], drm: null };
  return { readerPath, environment: tools.environment, locations, ...more };
}

function monitorOf(more: GpuMonitorOptions = {}): GpuMonitor {
  const monitor = new GpuMonitor(options(more));
  monitors.push(monitor);
  return monitor;
}

function pidOf(monitor: GpuMonitor): number {
  const pid = monitor.readerPid;
  if (pid === undefined) throw new Error('the reader has no process');
  return pid;
}

describe.skipIf(fakesCannotRun !== null)(
  `life of a GPU reader (${fakesCannotRun ?? 'with fake tools'})`,
  () => {
    test('an nvidia-smi that takes 3 s is waited for', async () => {
      tools.nvidiaSmi({ gpus: [h100], delaySeconds: 3 });
      tools.lspci([h100OnTheBus]);
      const { gpus, problems } = await readDevices(options());
      expect(problems).toEqual([]);
      expect(gpus[0]?.memoryTotalBytes).toBe(81559 * MiB);
    });

    test('an nvidia-smi that hangs is ended with all that it started, told once, and not asked again at once', async () => {
      tools.nvidiaSmi({ gpus: [h100], delaySeconds: 1000 });
      tools.lspci([h100OnTheBus]);
      const told: GpuProblem[] = [];
      let clock = 1_700_000_000_000;
      const monitor = monitorOf({
        toolTimeoutMs: 500,
        onProblem: (problem) => told.push(problem),
        now: () => clock,
      });
      const first = await monitor.read();
      expect(first.problems[0]?.kind).toBe('timeout');
      expect(first.systemMemory.totalBytes).toBeGreaterThan(0);
      expect(monitor.readerPid).toBeUndefined();
      const pids = tools.startedPids();
      expect(pids.length).toBeGreaterThanOrEqual(2);
      expect(await stillRunning(pids)).toEqual([]);

      const second = await monitor.read();
      expect(second.problems[0]?.kind).toBe('timeout');
      expect(tools.startedPids()).toEqual(pids);

      tools.nvidiaSmi({ gpus: [h100] });
      clock += 5_000;
      const third = await monitor.read();
      expect(third.problems).toEqual([]);
      expect(third.gpus).toHaveLength(1);
      expect(told).toHaveLength(1);
    });

    test('a tool of systeminformation that hangs ends the reader after the time limit, with all that it started', async () => {
      tools.nvidiaSmi({ gpus: [h100] });
      tools.lspci([h100OnTheBus], 1000);
      const monitor = monitorOf({ timeoutMs: 1_500 });
      const reading = monitor.read();
      const pid = pidOf(monitor);
      expect((await reading).problems[0]?.kind).toBe('timeout');
      expect(await stillRunning([pid, ...tools.startedPids()])).toEqual([]);
    });

    test('later readings ask nvidia-smi alone, once, and share one request', async () => {
      tools.nvidiaSmi({ gpus: [h100] });
      tools.lspci([h100OnTheBus]);
      const monitor = monitorOf();
      await monitor.read();
      const before = tools.startedPids().length;
      await Promise.all([monitor.read(), monitor.read(), monitor.read()]);
      expect(tools.startedPids().length - before).toBe(1);
    });

    test('a reader killed from outside is told and started again after a pause', async () => {
      tools.nvidiaSmi({ gpus: [h100] });
      let clock = 1_700_000_000_000;
      const monitor = monitorOf({ now: () => clock });
      await monitor.read();
      process.kill(pidOf(monitor), 'SIGKILL');
      await stillRunning([pidOf(monitor)]);
      const after = await monitor.read();
      expect(after.gpus).toEqual([]);
      expect(after.problems[0]?.message).toMatch(/ended by itself \(signal SIGKILL\)/);
      clock += 5_000;
      expect((await monitor.read()).gpus).toHaveLength(1);
    });

    test('a reader that is not there is told with its path', async () => {
      const { problems } = await readDevices(options({ readerPath: path.join(built, 'absent.js') }));
      expect(problems[0]?.kind).toBe('readerDied');
      expect(problems[0]?.message).toContain('absent.js');
    });

    test('an aborted reading ends at once and leaves nothing running', async () => {
      tools.nvidiaSmi({ gpus: [h100], delaySeconds: 1000 });
      const controller = new AbortController();
      const reading = readDevices({ ...options(), signal: controller.signal });
      const outcome = reading.catch((error: unknown) => error);
      while (tools.startedPids().length < 2) await sleep(20);
      controller.abort(new Error('enough'));
      expect(await outcome).toMatchObject({ message: 'enough' });
      expect(await stillRunning(tools.startedPids())).toEqual([]);
    });

    test('a host that is killed takes along its reader and a tool that hangs', async () => {
      tools.nvidiaSmi({ gpus: [h100], delaySeconds: 1000 });
      tools.lspci([h100OnTheBus]);
      const script = await buildScript(
        `import { GpuMonitor } from './gpu/monitor';
       const monitor = new GpuMonitor(JSON.parse(process.env.OPTIONS ?? ''));
       void monitor.read();
       process.send?.(monitor.readerPid);`,
        built,
        'host.js',
      );
      const host = fork(script, [], { env: { ...process.env, OPTIONS: JSON.stringify(options()) } });
      const readerPid = await new Promise<number>((resolve) =>
        host.once('message', (pid) => resolve(Number(pid))),
      );
      // Two direct children of the reader hang: its own call, and systeminformation's, which blocks a whole thread.
      while (tools.startedPids().length < 5) await sleep(20);
      host.kill('SIGKILL');
      expect(await stillRunning([readerPid, ...tools.startedPids()])).toEqual([]);
    });
  },
);
