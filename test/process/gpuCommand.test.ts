// `batch-planner gpu` as a process of its own, with fake tools in place of the hardware that is not there.
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { deviceReading } from '../../src/gpu/types';
import {
  buildGpuReader,
  buildScript,
  FakeGpuTools,
  fakesCannotRun,
  h100,
  h100OnTheBus,
  stillRunning,
} from '../support/fakeGpuTools';

const built = mkdtempSync(path.join(tmpdir(), 'batch-planner-gpu-command-'));
const document = deviceReading.extend({ version: z.literal(1) });
let script = '';
let tools: FakeGpuTools;

beforeAll(async () => {
  // The reader is found beside the command, as in the built product.
  await buildGpuReader(built);
  script = await buildScript(
    `import { runGpuCommand } from './supervise/gpuCommand';
     import { createGpuView } from './terminal/gpuView';
     const watch = process.argv.includes('--watch');
     void runGpuCommand({
       json: process.argv.includes('--json'), watch, out: process.stdout, err: process.stderr,
       view: createGpuView(process.stdout, { watch }), intervalMs: 100,
     }).then((code) => { process.exitCode = code; });`,
    built,
    'gpu.js',
  );
});
afterAll(() => rmSync(built, { recursive: true, force: true }));
beforeEach(() => {
  tools = new FakeGpuTools();
});
afterEach(() => tools.dispose());

type Run = ChildProcessByStdio<null, Readable, Readable>;

function start(...args: string[]): Run {
  return spawn(process.execPath, [script, ...args], {
    env: tools.environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function outcomeOf(run: Run): Promise<{ code: number | null; out: string; err: string }> {
  let out = '';
  let err = '';
  run.stdout.on('data', (text: Buffer) => (out += text.toString()));
  run.stderr.on('data', (text: Buffer) => (err += text.toString()));
  const code = await new Promise<number | null>((resolve) => run.on('close', resolve));
  return { code, out, err };
}

/** Waits until the command has written this many lines. */
function lines(run: Run, count: number): Promise<void> {
  return new Promise((resolve) => {
    let seen = 0;
    run.stdout.on('data', (text: Buffer) => {
      seen += text.toString().split('\n').length - 1;
      if (seen >= count) resolve();
    });
  });
}

describe.skipIf(fakesCannotRun !== null)(`gpu command (${fakesCannotRun ?? 'with fake tools'})`, () => {
  test('--json prints one document on stdout and nothing else', async () => {
    tools.nvidiaSmi({ gpus: [h100] });
    tools.lspci([h100OnTheBus]);
    const { code, out, err } = await outcomeOf(start('--json'));
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(document.parse(JSON.parse(out)).gpus[0]).toMatchObject({
      memoryUsedBytes: 0,
      busId: '0000:17:00.0',
    });
    expect(await stillRunning(tools.startedPids())).toEqual([]);
  });

  test('--json with a problem still prints one document; the problem is in it and on stderr', async () => {
    tools.nvidiaSmi({ message: 'Failed to initialize NVML: Driver/library version mismatch', exitCode: 18 });
    const { code, out, err } = await outcomeOf(start('--json'));
    expect(code).toBe(0);
    const { gpus, problems } = document.parse(JSON.parse(out));
    expect({ gpus, kinds: problems.map((problem) => problem.kind) }).toEqual({
      gpus: [],
      kinds: ['driverMismatch'],
    });
    expect(err).toBe(`${problems[0]?.message}\n`);
  });

  test('without a GPU it says so, gives system memory, and that is no failure', async () => {
    const { code, out, err } = await outcomeOf(start());
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^No GPU was found on this machine\.\nSystem memory.*: .* available\.\n$/);
  });

  test('for people it prints a table', async () => {
    tools.nvidiaSmi({ gpus: [h100] });
    const { code, out } = await outcomeOf(start());
    expect(code).toBe(0);
    expect(out).toMatch(
      /^0 +NVIDIA H100 80GB HBM3 +0000:17:00\.0 +0 bytes +79\.2 GB +79\.6 GB +0 % +580\.159\.04$/m,
    );
  });

  test('--watch --json prints a document a line until Ctrl-C, which leaves nothing running', async () => {
    tools.nvidiaSmi({ gpus: [h100] });
    const run = start('--watch', '--json');
    const outcome = outcomeOf(run);
    await lines(run, 3);
    run.kill('SIGINT');
    const { code, out } = await outcome;
    expect(code).toBe(130);
    for (const line of out.trim().split('\n')) expect(document.parse(JSON.parse(line)).gpus).toHaveLength(1);
    expect(await stillRunning(tools.startedPids())).toEqual([]);
  });

  test('Ctrl-C while nvidia-smi hangs ends it at once, with all that it started', async () => {
    tools.nvidiaSmi({ gpus: [h100], delaySeconds: 1000 });
    const run = start();
    const outcome = outcomeOf(run);
    while (tools.startedPids().length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
    run.kill('SIGINT');
    expect((await outcome).code).toBe(130);
    expect(await stillRunning(tools.startedPids())).toEqual([]);
  });

  test('--watch ends quietly when nobody reads any more', async () => {
    const run = start('--watch');
    const outcome = outcomeOf(run);
    await lines(run, 1);
    run.stdout.destroy();
    expect(await outcome).toMatchObject({ code: 0, err: '' });
  });
});
