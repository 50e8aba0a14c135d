// `npm start`: the main job on the digits example, as a user would do it, on a copy in a folder of its own.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../..');
const cli = path.join(root, 'dist/cli.js');
// Below the repository, so that the copy finds its TensorFlow.js; the example itself stays as it is.
const folder = path.join(root, 'media/examples/trained/digits');
const script = path.relative(process.cwd(), path.join(folder, 'train.js'));
const config = path.relative(process.cwd(), path.join(folder, 'train.accumulation.json'));

/** Runs the command line before the reader's eyes; ends with its exit code if it fails. */
function batchPlanner(...options) {
  console.log(`\n$ batch-planner ${options.join(' ')}\n`);
  const { status, signal } = spawnSync(process.execPath, [cli, ...options], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? (signal === null ? 1 : 130));
}

// A Ctrl-C reaches the child too, and what to do about it is the child's to say.
process.on('SIGINT', () => undefined);

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
cpSync(path.join(root, 'media/examples/digits'), folder, { recursive: true });

console.log('First, with all the memory there is:');
batchPlanner('plan', script, '--target-batch', '256');

// How much memory a process takes by itself differs between machines; the example needs room for about 150 images.
const { memory } = JSON.parse(readFileSync(config, 'utf8')).measured;
const budget = Math.ceil((memory.fixedBytes + 150 * memory.bytesPerExample) / 2 ** 20);
console.log(`\nNow as if there were only ${budget} MB, and then the training:`);
batchPlanner('plan', script, '--target-batch', '256', '--budget', `${budget}MB`);
batchPlanner('train', config);
