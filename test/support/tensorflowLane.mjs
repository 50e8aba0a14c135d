// Sets up the real-TensorFlow lane of the tests with the product's own `setup tensorflow`.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { runNode } from './steps.mjs';

/** Exit code of the command where a part cannot be had (design.md: no usable backend). */
const cannotBeHad = 4;

/**
 * Makes test/.lanes/tensorflow, or checks the one that is there by a training step.
 * Resolves to `{ env, missing?, failure? }`: variables for the tests; why there is none; or that it was set up and does not work.
 */
export async function setUpTensorflowLane(root) {
  if (process.env.BATCH_PLANNER_TEST_TENSORFLOW) return { env: {} };
  const name = 'real TensorFlow (setup tensorflow)';
  const cli = path.join(root, 'dist/cli.js');
  if (!existsSync(cli)) return notHere('dist/cli.js was not built');
  console.log(`${name}:`);
  const folder = path.join(root, 'test/.lanes/tensorflow');
  const result = await runNode([cli, 'setup', 'tensorflow', '--folder', folder], { root, limitSeconds: 600 });
  if (result.code === 0) return { env: { BATCH_PLANNER_TEST_TENSORFLOW: folder } };
  const lastLine = result.output.trim().split('\n').at(-1) ?? '';
  const lane = notHere(lastLine);
  return result.code === cannotBeHad
    ? lane
    : { ...lane, failure: `${name}: exit ${result.code}: ${lastLine}` };
}

/** What the tests are told of a lane that is not there. */
function notHere(reason) {
  return { env: { BATCH_PLANNER_TEST_TENSORFLOW_MISSING: reason }, missing: reason };
}
