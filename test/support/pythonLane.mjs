// Sets up the Python lane of the tests: a venv with the frameworks that exported programs are for.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { findOnPath } from './steps.mjs';

/** What pip is asked for, by the name under which tests ask whether it is there. */
const frameworks = {
  torch: 'torch==2.13.*',
  tensorflow: 'tensorflow-cpu==2.21.*',
  keras: 'keras==3.*',
  jax: 'jax',
  accelerate: 'accelerate',
  black: 'black',
};
const patience = ['--retries', '1', '--timeout', '10'];
const windows = process.platform === 'win32';
const pythonNames = windows ? ['python.exe', 'python3.exe'] : ['python3', 'python'];

/** The interpreter of a venv. */
export function venvPython(folder) {
  return path.join(folder, windows ? 'Scripts/python.exe' : 'bin/python');
}

/**
 * Makes test/.lanes/python, or takes the one that was made whole.
 * Resolves to `{ env, missing? }`: variables for the tests; which frameworks pip could not get, and why.
 */
export async function setUpPythonLane(root) {
  if (process.env.BATCH_PLANNER_TEST_PYTHON) return { env: {} };
  const folder = path.join(root, 'test/.lanes/python');
  const python = venvPython(folder);
  const whole = path.join(folder, 'whole');
  const wanted = JSON.stringify(frameworks);
  const isWhole = existsSync(whole) && readFileSync(whole, 'utf8') === wanted;
  if (isWhole) return { env: { BATCH_PLANNER_TEST_PYTHON: python } };
  const base = pythonNames.map(findOnPath).find((found) => found !== null);
  const noneFor = (reason) => notHere(Object.keys(frameworks).map((name) => [name, reason]));
  if (base === undefined) return noneFor('there is no Python 3');
  console.log('Python frameworks (pip):');
  mkdirSync(path.dirname(folder), { recursive: true });
  const made = run(base, ['-m', 'venv', '--clear', folder]);
  if (made !== null) return noneFor(made);
  const install = (packages) => run(python, ['-m', 'pip', 'install', '--quiet', ...patience, ...packages]);
  if (install(Object.values(frameworks)) === null) {
    writeFileSync(whole, wanted);
    return { env: { BATCH_PLANNER_TEST_PYTHON: python } };
  }
  // One by one, so that what cannot be had takes only its own tests with it.
  const reasons = Object.entries(frameworks).map(([name, wish]) => [name, install([wish])]);
  const { env, missing } = notHere(reasons.filter(([, reason]) => reason !== null));
  return { env: { ...env, BATCH_PLANNER_TEST_PYTHON: python }, missing };
}

/** Null where the program did its work, else why not. */
function run(program, args) {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8', timeout: 300_000 });
  if (status === 0) return null;
  return error?.message ?? ((stderr ?? '').trim().split('\n').at(-1) || `${program} ended with ${status}`);
}

/** What the tests are told of frameworks that are not there: pairs of name and reason. */
function notHere(without) {
  return {
    env: { BATCH_PLANNER_TEST_PYTHON_WITHOUT: JSON.stringify(Object.fromEntries(without)) },
    missing: without.map(([name, reason]) => `${name} (${reason})`).join(', ') || undefined,
  };
}
