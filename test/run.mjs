// What `npm test` does: build, typecheck, lint, set up the real parts, run the tests, say what was skipped and why.
// `npm test -- unit/planning` (any vitest filter or option) builds and runs only those tests, on the parts that are there.
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setUpEditorLane } from './support/editorLane.mjs';
import { setUpPythonLane } from './support/pythonLane.mjs';
import { setUpTensorflowLane } from './support/tensorflowLane.mjs';
import { runNode } from './support/steps.mjs';
import { summaryVariable } from './support/summaryReporter.mjs';

const root = path.resolve(import.meta.dirname, '..');
const summaryFile = path.join(root, 'test/.artifacts/summary.json');
const filters = process.argv.slice(2);
const everything = filters.length === 0;
const failed = [];
const skipped = [];
let passed = 0;

process.chdir(root);
mkdirSync(path.dirname(summaryFile), { recursive: true });

/** A step other than the tests counts as one test. */
async function step(name, args, options) {
  const result = await runNode(args, { root, quiet: true, ...options });
  const ended =
    result.code === 0 ? 'ok' : result.code === null ? 'killed or past its time' : `exit ${result.code}`;
  console.log(`${name}: ${ended} (${result.seconds.toFixed(1)} s)`);
  if (result.code === 0) passed += 1;
  else failed.push(name);
}

await step('build', ['esbuild.mjs'], { limitSeconds: 120 });
if (everything) {
  await step('typecheck', ['node_modules/typescript/bin/tsc', '--noEmit'], { limitSeconds: 300 });
  const webview = ['node_modules/typescript/bin/tsc', '--noEmit', '-p', 'webview'];
  await step('typecheck of the page', webview, { limitSeconds: 300 });
  await step('eslint', ['node_modules/eslint/bin/eslint.js', '.'], { limitSeconds: 300 });
  await step('prettier', ['node_modules/prettier/bin/prettier.cjs', '--check', '.'], { limitSeconds: 300 });
}
if (everything) await step('package', ['vsix.mjs', '--no-build'], { limitSeconds: 120 });
// The README's first command. CI proves it; a developer who runs the tests has no need to wait for it.
if (everything && process.env.CI) {
  await step('npm start', ['media/examples/run.mjs'], { quiet: false, limitSeconds: 300 });
}

const lanes = everything
  ? [
      { name: 'real TensorFlow', ...(await setUpTensorflowLane(root)) },
      { name: 'Python frameworks', ...(await setUpPythonLane(root)) },
      { name: 'real editor', ...(await setUpEditorLane(root)) },
    ]
  : [];
for (const { name, failure, missing } of lanes) {
  if (failure !== undefined) failed.push(failure);
  if (missing !== undefined) console.log(`${name}: not here: ${missing}`);
}
const laneEnvironment = Object.assign({}, ...lanes.map(({ env }) => env));

rmSync(summaryFile, { force: true });
const tests = await runNode(
  [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--reporter=default',
    '--reporter=./test/support/summaryReporter.mjs',
    ...filters,
  ],
  { root, env: { ...laneEnvironment, [summaryVariable]: summaryFile }, limitSeconds: 60 * 60 },
);
if (existsSync(summaryFile)) {
  const summary = JSON.parse(readFileSync(summaryFile, 'utf8'));
  passed += summary.passed;
  failed.push(...summary.failed);
  skipped.push(...summary.skipped);
}
if (tests.code !== 0 && !existsSync(summaryFile)) failed.push('vitest ended without a summary');
else if (tests.code !== 0 && failed.length === 0) failed.push(`vitest ended with exit code ${tests.code}`);

console.log('');
for (const { name, reason } of skipped) console.log(`skipped: ${name}: ${reason}`);
for (const name of failed) console.log(`failed: ${name}`);
const counts = [`${passed} passed`, `${failed.length} failed`];
if (skipped.length > 0) counts.push(`${skipped.length} skipped`);
console.log(counts.join(', '));
process.exitCode = failed.length > 0 ? 1 : 0;
