// Sets up the Python lane of the tests: a venv with the frameworks that exported programs are for.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { findOnPath } from './steps.mjs';

const packages = ['torch', 'tensorflow-cpu==2.21.*', 'keras>=3', 'accelerate', 'black'];
const patience = ['--retries', '0', '--timeout', '5'];

/**
 * Makes test/.lanes/python, or takes the one that was made whole.
 * Resolves to `{ env, missing? }`: variables for the tests; why there is none.
 */
export async function setUpPythonLane(root) {
  if (process.env.BATCH_PLANNER_TEST_PYTHON) return { env: {} };
  const folder = path.join(root, 'test/.lanes/python');
  const python = path.join(folder, 'bin/python');
  const whole = path.join(folder, 'whole');
  if (existsSync(whole)) return { env: { BATCH_PLANNER_TEST_PYTHON: python } };
  const base = findOnPath('python3');
  if (base === null) return notHere('there is no python3');
  console.log('Python frameworks (pip):');
  mkdirSync(path.dirname(folder), { recursive: true });
  const steps = [
    [base, ['-m', 'venv', '--clear', folder]],
    [python, ['-m', 'pip', 'install', '--quiet', ...patience, ...packages]],
  ];
  for (const [program, args] of steps) {
    const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8', timeout: 300_000 });
    const lastLine = (stderr ?? '').trim().split('\n').at(-1);
    if (status !== 0) return notHere(error?.message ?? (lastLine || `${program} ended with ${status}`));
  }
  writeFileSync(whole, `${packages.join('\n')}\n`);
  return { env: { BATCH_PLANNER_TEST_PYTHON: python } };
}

/** What the tests are told of a lane that is not there. */
function notHere(reason) {
  return { env: { BATCH_PLANNER_TEST_PYTHON_MISSING: reason }, missing: reason };
}
