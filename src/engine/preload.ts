// The file that NODE_OPTIONS puts before the user's script in each process of a job; it does nothing without a job.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { engineJob, jobVariable } from '../protocol/job';
import { chooseBackend, NoBackendError, substituteModule } from './backends/choose';
import { startEngine } from './engine';
import { installFitHook } from './fitHook';
import { createMeasurer } from './measure/measure';
import { createTrainer } from './train/trainMode';

/** What the ES module that follows this file (supervise/scriptCommand) awaits before the script's first line. */
const readyKey = Symbol.for('batch-planner.ready');

const jobFile = process.env[jobVariable];
// Loader threads (tsx) and workers of the script inherit the hook; training is looked for in the main thread.
if (jobFile !== undefined && isMainThread) {
  const job = engineJob.parse(JSON.parse(readFileSync(jobFile, 'utf8')));
  const ready = startEngine(job, {
    chooseBackend: ({ entry, backend, passOver }) =>
      chooseBackend({ entryFolder: path.dirname(entry), requested: backend, passOver }),
    isNoBackend: (error) => error instanceof NoBackendError,
    substitute: substituteModule,
    installFitHook,
    createMode: (each, context) =>
      each.mode === 'measure' ? createMeasurer(each, context) : createTrainer(each, context),
  });
  Object.defineProperty(globalThis, readyKey, { value: ready });
}
