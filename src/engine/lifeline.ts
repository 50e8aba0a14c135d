// Ends the child when its supervisor is gone, even while the script keeps the main thread busy.
import { Worker } from 'node:worker_threads';

export interface LifelineOptions {
  /** Process that must be alive. */
  readonly parentPid: number;
  /** Time in ms between the parent's death and this process's, for what `parentGone` starts. */
  readonly graceMs: number;
  /** Called in the main thread, as soon as it is free, after the parent died. */
  readonly parentGone?: () => void;
}

/** How often the parent is looked for, in ms. */
const intervalMs = 500;

/**
 * Runs in a thread of its own: a script in an endless loop, or a long step of TensorFlow, blocks the main thread.
 * EPERM means that the process is there under another user. SIGKILL, because no handler of the script may stop it.
 */
const watcher = `
const { parentPort, workerData } = require('node:worker_threads');
const timer = setInterval(() => {
  try {
    process.kill(workerData.parentPid, 0);
  } catch (error) {
    if (error.code === 'EPERM') return;
    clearInterval(timer);
    parentPort.postMessage('gone');
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), workerData.graceMs);
  }
}, ${intervalMs});
`;

/** Starts watching. Keeps nothing alive: a script that is done ends as it would without it. */
export function startLifeline(options: LifelineOptions): void {
  // Without NODE_OPTIONS: the hook is not to be preloaded into its own watcher.
  const environment = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => name !== 'NODE_OPTIONS'),
  );
  const worker = new Worker(watcher, {
    eval: true,
    env: environment,
    execArgv: [],
    workerData: { parentPid: options.parentPid, graceMs: options.graceMs },
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4, stackSizeMb: 1 },
  });
  worker.on('message', () => options.parentGone?.());
  worker.unref();
}
