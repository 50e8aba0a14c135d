// Starts many processes that want the lock of one run folder in the same moment, and tells what became of each.
import { build } from 'esbuild';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { until } from './trainProgram';

export interface LockRace {
  readonly folder: string;
  readonly lock: string;
  /** @returns what each process said: `won`, or why not */
  run(count: number, nodeOptions?: readonly string[]): Promise<string[]>;
  remove(): void;
}

export async function openLockRace(): Promise<LockRace> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'batch-planner-race-'));
  const program = path.join(folder, 'main.cjs');
  await build({
    bundle: true,
    platform: 'node',
    target: 'node20',
    logLevel: 'error',
    entryPoints: [path.join(import.meta.dirname, 'faultsLockMain.ts')],
    outfile: program,
  });
  const lock = path.join(folder, 'run.lock');
  const starter = path.join(folder, 'start');
  const children: ChildProcess[] = [];
  return {
    folder,
    lock,
    run: async (count, nodeOptions = []) => {
      const said: string[][] = [];
      for (let i = 0; i < count; i++) {
        const child = spawn(process.execPath, [...nodeOptions, program, lock, starter], {
          stdio: ['ignore', 'pipe', 'inherit'],
          env: { ...process.env, NODE_OPTIONS: '' },
        });
        children.push(child);
        const lines: string[] = [];
        said.push(lines);
        child.stdout.on('data', (piece: Buffer) => lines.push(...piece.toString().trim().split('\n')));
        // One after the other: those that wait take a core each.
        await until(() => lines.includes('ready'), 'a process', 30_000);
        process.kill(child.pid ?? Number.NaN, 'SIGSTOP');
      }
      writeFileSync(starter, '');
      for (const { pid } of children) process.kill(pid ?? Number.NaN, 'SIGCONT');
      await until(() => said.every(({ length }) => length >= 2), 'the end of the race', 30_000);
      return said.map((lines) => lines[1] ?? '');
    },
    remove: () => {
      for (const child of children) child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
