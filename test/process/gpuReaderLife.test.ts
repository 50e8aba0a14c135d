// How a GPU reader waits, hangs, dies and ends, as a real child process with fake tools in place of the hardware that is not there.
import { fork } from 'node:child_process';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { readDevices, type GpuMonitor } from '../../src/gpu/monitor';
import type { GpuProblem } from '../../src/gpu/types';
import { buildScript, fakesCannotRun, h100, h100OnTheBus, stillRunning } from '../support/fakeGpuTools';
import { useGpuReader } from '../support/gpuReaderTests';

const MiB = 1024 * 1024;
const reader = useGpuReader();

function pidOf(monitor: GpuMonitor): number {
  const pid = monitor.readerPid;
  if (pid === undefined) throw new Error('the reader has no process');
  return pid;
}

describe.skipIf(fakesCannotRun !== null)(
  `life of a GPU reader (${fakesCannotRun ?? 'with fake tools'})`,
  () => {
    test('an nvidia-smi that takes 3 s is waited for', async () => {
      reader.tools.nvidiaSmi({ gpus: [h100], delaySeconds: 3 });
      reader.tools.lspci([h100OnTheBus]);
      const { gpus, problems } = await readDevices(reader.options());
      expect(problems).toEqual([]);
      expect(gpus[0]?.memoryTotalBytes).toBe(81559 * MiB);
    });

    test('an nvidia-smi that hangs is ended with all that it started, told once, and not asked again at once', async () => {
      reader.tools.nvidiaSmi({ gpus: [h100], delaySeconds: 1000 });
      reader.tools.lspci([h100OnTheBus]);
      const told: GpuProblem[] = [];
      let clock = 1_700_000_000_000;
      const monitor = reader.monitorOf({
        toolTimeoutMs: 500,
        onProblem: (problem) => told.push(problem),
        now: () => clock,
      });
      const first = await monitor.read();
      expect(first.problems[0]?.kind).toBe('timeout');
      expect(first.systemMemory.totalBytes).toBeGreaterThan(0);
      expect(monitor.readerPid).toBeUndefined();
      const pids = reader.tools.startedPids();
      expect(pids.length).toBeGreaterThanOrEqual(2);
      expect(await stillRunning(pids)).toEqual([]);

      const second = await monitor.read();
      expect(second.problems[0]?.kind).toBe('timeout');
      expect(reader.tools.startedPids()).toEqual(pids);

      reader.tools.nvidiaSmi({ gpus: [h100] });
      clock += 5_000;
      const third = await monitor.read();
      expect(third.problems).toEqual([]);
      expect(third.gpus).toHaveLength(1);
      expect(told).toHaveLength(1);
    });

    test('a tool of systeminformation that hangs ends the reader after the time limit, with all that it started', async () => {
      reader.tools.nvidiaSmi({ gpus: [h100] });
      reader.tools.lspci([h100OnTheBus], 1000);
      const monitor = reader.monitorOf({ timeoutMs: 1_500 });
      const reading = monitor.read();
      const pid = pidOf(monitor);
      expect((await reading).problems[0]?.kind).toBe('timeout');
      expect(await stillRunning([pid, ...reader.tools.startedPids()])).toEqual([]);
    });

    test('later readings ask nvidia-smi alone, once, and share one request', async () => {
      reader.tools.nvidiaSmi({ gpus: [h100] });
      reader.tools.lspci([h100OnTheBus]);
      const monitor = reader.monitorOf();
      await monitor.read();
      const before = reader.tools.startedPids().length;
      await Promise.all([monitor.read(), monitor.read(), monitor.read()]);
      expect(reader.tools.startedPids().length - before).toBe(1);
    });

    test('a reader killed from outside is told and started again after a pause', async () => {
      reader.tools.nvidiaSmi({ gpus: [h100] });
      let clock = 1_700_000_000_000;
      const monitor = reader.monitorOf({ now: () => clock });
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
      const { problems } = await readDevices(
        reader.options({ readerPath: path.join(reader.folder, 'absent.js') }),
      );
      expect(problems[0]?.kind).toBe('readerDied');
      expect(problems[0]?.message).toContain('absent.js');
    });

    test('an aborted reading ends at once and leaves nothing running', async () => {
      reader.tools.nvidiaSmi({ gpus: [h100], delaySeconds: 1000 });
      const controller = new AbortController();
      const reading = readDevices({ ...reader.options(), signal: controller.signal });
      const outcome = reading.catch((error: unknown) => error);
      while (reader.tools.startedPids().length < 2) await sleep(20);
      controller.abort(new Error('enough'));
      expect(await outcome).toMatchObject({ message: 'enough' });
      expect(await stillRunning(reader.tools.startedPids())).toEqual([]);
    });

    test('a host that is killed takes along its reader and a tool that hangs', async () => {
      reader.tools.nvidiaSmi({ gpus: [h100], delaySeconds: 1000 });
      reader.tools.lspci([h100OnTheBus]);
      const script = await buildScript(
        `import { GpuMonitor } from './gpu/monitor';
       const monitor = new GpuMonitor(JSON.parse(process.env.OPTIONS ?? ''));
       void monitor.read();
       process.send?.(monitor.readerPid);`,
        reader.folder,
        'host.js',
      );
      const host = fork(script, [], { env: { ...process.env, OPTIONS: JSON.stringify(reader.options()) } });
      const readerPid = await new Promise<number>((resolve) =>
        host.once('message', (pid) => resolve(Number(pid))),
      );
      // Two direct children of the reader hang: its own call, and systeminformation's, which blocks a whole thread.
      while (reader.tools.startedPids().length < 5) await sleep(20);
      host.kill('SIGKILL');
      expect(await stillRunning([readerPid, ...reader.tools.startedPids()])).toEqual([]);
    });
  },
);
