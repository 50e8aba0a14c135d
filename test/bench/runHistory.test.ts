// How long the editor takes to read a long run, and how long its thread is held by it: told and not asserted.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runPaths, type RunPaths } from '../../src/supervise/runs/runFolder';
import { RunHistory } from '../../src/supervise/runs/runHistory';
import { RunWatcher } from '../../src/supervise/runs/runWatcher';
import { runRecordOf } from '../support/runRecordOf';

const updates = 100_000;
const start = Date.parse('2026-11-22T17:00:00Z');
let folder: string;
let paths: RunPaths;

beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'batch-planner-long-run-'));
  paths = runPaths(folder);
  const time = new Date(start).toISOString();
  const record = runRecordOf({ name: paths.name, startedAt: time, endedAt: time, state: 'completed' });
  writeFileSync(paths.record, JSON.stringify(record));
  writeFileSync(paths.events, `${lines().join('\n')}\n`);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function lines(): string[] {
  return Array.from({ length: updates }, (_, update) => {
    const place = { call: 0, epoch: Math.floor(update / 240), update };
    const figures = { examples: 2048, microbatches: 94, ms: 41.25, loss: 1 / (update + 1) };
    const metrics = { acc: 1 - 1 / (update + 2), precision: 0.5 };
    const time = new Date(start + update * 42).toISOString();
    return JSON.stringify({
      type: 'update',
      ...place,
      ...figures,
      metrics,
      memoryBytes: 6.3e9 + update,
      time,
    });
  });
}

async function median(work: () => Promise<number>): Promise<number> {
  const measured: number[] = [];
  for (let index = 0; index < 3; index++) measured.push(await work());
  return measured.sort((a, b) => a - b)[1] ?? NaN;
}

/** Wall time of the work in ms, and the longest that anything else had to wait for the thread. */
async function timed(work: () => unknown): Promise<{ ms: number; held: number }> {
  // The histogram's own clock ticks each ms, and counts that one in.
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  delay.reset();
  // What is counted begins with the second tick.
  await new Promise((resolve) => setTimeout(resolve, 20));
  const begun = performance.now();
  await work();
  const ms = performance.now() - begun;
  await new Promise((resolve) => setTimeout(resolve, 5));
  delay.disable();
  return { ms, held: delay.max / 1e6 };
}

function list(times: readonly number[]): string {
  return `${times.map((ms) => ms.toFixed(1)).join(', ')} ms`;
}

it('measures 100,000 updates read by a watcher, and given to a page', { timeout: 180_000 }, async () => {
  const bare = (): void => {
    for (const line of readFileSync(paths.events, 'utf8').split('\n')) if (line !== '') JSON.parse(line);
  };
  const held: number[] = [];
  const bareHeld: number[] = [];
  let history = new RunHistory('', 0);
  const bareTime = await median(async () => {
    const { ms, held: longest } = await timed(bare);
    bareHeld.push(longest);
    return ms;
  });
  const idle: number[] = [];
  const watched = await median(async () => {
    const watcher = new RunWatcher(paths, { onChange: () => undefined });
    const { ms, held: longest } = await timed(() => watcher.look());
    held.push(longest);
    // What a thread that has nothing to do waits on this machine, as busy as it is.
    idle.push((await timed(() => new Promise((resolve) => setTimeout(resolve, ms)))).held);
    ({ history } = watcher);
    await watcher.dispose();
    return ms;
  });
  expect(history.length).toBe(updates);
  const memoryBefore = process.memoryUsage();
  const pages = await timed(() => [...history.parts(0)]);
  console.table({
    'size of the events': `${(readFileSync(paths.events).length / 2 ** 20).toFixed(1)} MB`,
    'read and parsed, bare': `${bareTime.toFixed(0)} ms`,
    'read by the watcher': `${watched.toFixed(0)} ms = ${(watched / bareTime).toFixed(1)} × bare`,
    'longest wait for the thread, bare': list(bareHeld),
    'longest wait for the thread, watcher': list(held),
    'longest wait for the thread, nothing to do': list(idle),
    'all parts for a page': `${pages.ms.toFixed(0)} ms`,
    'arrays in memory': `${(memoryBefore.arrayBuffers / 2 ** 20).toFixed(0)} MB`,
  });
});
