// Children that die, hang or are interrupted while they are measured: what is concluded, and that nothing stays behind.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openWorkshop, problemOf, type Workshop } from '../support/engineWorkshop';
import { stillRunning } from '../support/fakeGpuTools';

let workshop: Workshop;
beforeAll(async () => {
  workshop = await openWorkshop();
});
afterAll(() => workshop.remove());
afterEach(() => expect(workshop.leftovers()).toEqual([]));

const posix = process.platform !== 'win32';

/** A training of 8 whose loss does something from a number of rows on; `tf`, `rows` and `fs` are in scope there. */
function trap(name: string, action: string, from = 3): string {
  return workshop.write(
    name,
    `const tf = require('@tensorflow/tfjs');
     const fs = require('node:fs');
     fs.appendFileSync('${name}.pids', process.pid + '\\n');
     const loss = (truth, prediction) => {
       const rows = truth.shape[0];
       if (rows >= ${from}) { ${action} }
       return tf.losses.meanSquaredError(truth, prediction);
     };
     const model = tf.sequential({ layers: [tf.layers.dense({ units: 2, inputShape: [4] })] });
     model.compile({ optimizer: 'sgd', loss });
     model.fit(tf.ones([8, 4]), tf.ones([8, 2]), { batchSize: 8, verbose: 0 });`,
  );
}

function pidsOf(name: string): number[] {
  return readFileSync(path.join(workshop.folder, `${name}.pids`), 'utf8')
    .trim()
    .split('\n')
    .map(Number);
}

test('a child that is ended at the report of its last trial has told before what larger sizes will follow', async () => {
  const entry = workshop.write(
    'descheduled.cjs',
    `const tf = require('@tensorflow/tfjs');
     const fs = require('node:fs');
     const { writeSync } = fs;
     // A busy machine: right after the last report the process gets no processor for a while.
     fs.writeSync = (file, line) => {
       const written = writeSync(file, line);
       const report = JSON.parse(line);
       if (report.type === 'trialFits' && report.measurement.microbatch === 2) {
         fs.writeFileSync('descheduled', '');
         Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 30_000);
         fs.writeFileSync('scheduled', '');
       }
       return written;
     };
     const model = tf.sequential({ layers: [tf.layers.dense({ units: 2, inputShape: [4] })] });
     model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
     model.fit(tf.ones([8, 4]), tf.ones([8, 2]), { batchSize: 8, verbose: 0 });`,
  );
  const { reports, end } = await workshop.measure(entry, { trials: [1, 2] });
  const lies = (name: string) => existsSync(path.join(workshop.folder, name));
  expect([lies('descheduled'), lies('scheduled')]).toEqual([true, false]);
  expect(end).toEqual({ how: 'reported' });
  expect(reports.map(({ type }) => type)).toContain('gradientLine');
});

test.skipIf(!posix)('a child killed by an outsider has failed; it has not run out of memory', async () => {
  const entry = trap('killed.cjs', `process.kill(process.pid, 'SIGKILL'); for (;;);`);
  const problem = await problemOf(workshop.profile({ entry, backend: 'cpu' }));
  expect(problem.problem).toBe('failed');
  expect(problem.message).toContain('killed from outside (SIGKILL)');
});

test.skipIf(!posix)('a segmentation fault without a sign of memory is a failure', async () => {
  const entry = trap('segfault.cjs', `process.kill(process.pid, 'SIGSEGV'); for (;;);`);
  const problem = await problemOf(workshop.profile({ entry, backend: 'cpu' }));
  expect(problem.message).toContain('SIGSEGV');
});

test.skipIf(!posix)('an abort for want of memory is an out-of-memory of that size', async () => {
  const entry = trap(
    'abort.cjs',
    `fs.writeSync(2, "terminate called after throwing an instance of 'std::bad_alloc'\\n"); process.abort();`,
  );
  const { search } = await workshop.profile({ entry, backend: 'cpu' });
  expect(search).toMatchObject({ largest: 2, proof: 'outOfMemory' });
});

test('a JavaScript heap that is really full is an out-of-memory of that size', async () => {
  const entry = trap('heap.cjs', `const kept = []; for (;;) kept.push(new Array(1e5).fill(rows));`);
  const { search } = await workshop.profile({
    entry,
    backend: 'cpu',
    nodeArguments: ['--max-old-space-size=128'],
  });
  expect(search).toMatchObject({ largest: 2, proof: 'outOfMemory' });
});

test('a buffer that cannot be allocated is an out-of-memory of that size', async () => {
  const entry = trap('buffer.cjs', `new ArrayBuffer(2 ** 52);`);
  const { search } = await workshop.profile({ entry, backend: 'cpu' });
  expect(search).toMatchObject({ largest: 2, proof: 'outOfMemory' });
});

test('a bug in the middle of a trial stops the search and is shown as it is', async () => {
  const entry = trap('bug.cjs', `undefined.size;`);
  const problem = await problemOf(workshop.profile({ entry, backend: 'cpu' }));
  expect(problem.failure).toMatchObject({ file: entry, line: 6 });
});

test('a NaN loss is not a failure', async () => {
  const entry = trap('nan.cjs', `return tf.mul(tf.losses.meanSquaredError(truth, prediction), NaN);`);
  const { search } = await workshop.profile({ entry, backend: 'cpu' });
  expect(search).toMatchObject({ largest: 8, proof: 'cap' });
});

test('a child that hangs in a trial is ended, and that is a failure', async () => {
  const entry = trap('hang.cjs', `for (;;);`, 8);
  const problem = await problemOf(
    workshop.profile({ entry, backend: 'cpu' }, { timeouts: { trialMs: 2_000 } }),
  );
  expect(problem.message).toContain('took longer than');
  expect(await stillRunning(pidsOf('hang.cjs'))).toEqual([]);
});

test('an abort ends everything at once, processes that the script started in groups of their own included', async () => {
  const entry = workshop.write(
    'family.cjs',
    `const { spawn } = require('node:child_process');
     const fs = require('node:fs');
     const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore', env: {} });
     fs.writeFileSync('family.cjs.pids', process.pid + '\\n' + child.pid + '\\n');
     setInterval(() => {}, 1000);`,
  );
  const controller = new AbortController();
  const work = workshop.profile({ entry, backend: 'cpu' }, { signal: controller.signal });
  const ended = work.catch((error: unknown) => error);
  await expect
    .poll(() => existsSync(path.join(workshop.folder, 'family.cjs.pids')), { timeout: 20_000 })
    .toBe(true);
  const reason = new Error('interrupted');
  controller.abort(reason);
  expect(await ended).toBe(reason);
  expect(await stillRunning(pidsOf('family.cjs'))).toEqual([]);
});

test('when its supervisor is killed a child is gone within seconds, even in an endless loop', async () => {
  const entry = trap('orphan.cjs', `fs.writeFileSync('orphan.looping', ''); for (;;);`, 4);
  const program = path.join(workshop.folder, 'supervisor.cjs');
  await build({
    stdin: {
      contents: `import { runMeasure } from './src/supervise/profile/engineProcess';
        const [entry, preloadFile, folder, temporaryFolder] = process.argv.slice(2);
        void runMeasure({
          job: { mode: 'measure', entry, backend: 'cpu', passOver: [], targetBatchSize: null, trials: [4], selfCheck: false },
          script: { main: entry, arguments: [], folder, nodeArguments: [], preloadFile, environment: process.env },
          timeouts: { startupMs: 60_000, trialMs: 60_000 }, availableBytes: null, temporaryFolder,
        });`,
      resolveDir: path.resolve(import.meta.dirname, '../..'),
      loader: 'ts',
    },
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    logLevel: 'silent',
  });
  const orphanFolder = workshop.write('orphaned/.keep', '');
  const environment = { ...process.env };
  delete environment.NODE_OPTIONS;
  const supervisor = spawn(
    process.execPath,
    [program, entry, workshop.preloadFile, workshop.folder, path.dirname(orphanFolder)],
    { stdio: 'ignore', env: environment },
  );
  await expect
    .poll(() => existsSync(path.join(workshop.folder, 'orphan.looping')), { timeout: 30_000 })
    .toBe(true);
  supervisor.kill('SIGKILL');
  await once(supervisor, 'exit');
  expect(await stillRunning(pidsOf('orphan.cjs'), 10_000)).toEqual([]);
});
