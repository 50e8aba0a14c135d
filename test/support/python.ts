// Where the Python with the frameworks is that exported programs are for, and a way to run programs in it.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { venvPython } from './pythonLane.mjs';

const lane = path.resolve(import.meta.dirname, '../.lanes/python');
/** The Python of a venv that `npm test` makes. */
export const python = process.env.BATCH_PLANNER_TEST_PYTHON ?? venvPython(lane);

const reasons = z.record(z.string(), z.string());
const without = reasons.parse(JSON.parse(process.env.BATCH_PLANNER_TEST_PYTHON_WITHOUT ?? '{}'));

/** Why tests that need all these frameworks cannot be run; undefined where they can. */
export function whyWithout(...frameworks: string[]): string | undefined {
  const missing = frameworks.filter((name) => without[name] !== undefined);
  if (missing.length > 0) return missing.map((name) => `${name}: ${without[name]}`).join(', ');
  return existsSync(python) ? undefined : 'Python frameworks were not set up (npm test does)';
}

/** Runs a program to its end. */
export function runPython(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const quiet = { TF_CPP_MIN_LOG_LEVEL: '3', OMP_NUM_THREADS: '1', CUDA_VISIBLE_DEVICES: '' };
    const child = spawn(python, args, { env: { ...process.env, ...quiet, ...env }, timeout: 500_000 });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output: Buffer.concat(chunks).toString() }));
  });
}
