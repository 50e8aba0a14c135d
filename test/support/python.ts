// Where the Python with the frameworks is that exported programs are for, and a way to run programs in it.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Lane } from './lanes';

const root = path.resolve(import.meta.dirname, '../..');

/** The Python of a venv that `npm test` makes. */
export function pythonLane(): Lane {
  const place = process.env.BATCH_PLANNER_TEST_PYTHON ?? path.join(root, 'test/.lanes/python/bin/python');
  return existsSync(place)
    ? { place }
    : {
        missing:
          process.env.BATCH_PLANNER_TEST_PYTHON_MISSING ??
          'Python frameworks were not set up (npm test does)',
      };
}

/** Runs a program to its end. */
export function runPython(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const quiet = { TF_CPP_MIN_LOG_LEVEL: '3', OMP_NUM_THREADS: '1', CUDA_VISIBLE_DEVICES: '' };
    const child = spawn(program, args, { env: { ...process.env, ...quiet, ...env }, timeout: 170_000 });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output: Buffer.concat(chunks).toString() }));
  });
}
