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
 * Runs in a thread of its own: a script in an endless loop, or a long step of TensorFlow, blocks the main thread. It is
 * text, as a thread cannot load a part of a bundle; what it asks is what `processIsAlive` does.
 * SIGKILL, because no handler of the script may stop it.
 */
const watcher = `
const { readFileSync } = require('node:fs');
const { parentPort, workerData } = require('node:worker_threads');
const { parentPid, graceMs } = workerData;
function isAlive() {
  try {
    process.kill(parentPid, 0);
  } catch (error) {
    if (error.code !== 'EPERM') return false;
  }
  try {
    const stat = readFileSync('/proc/' + parentPid + '/stat', 'latin1');
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return true;
  }
}
const timer = setInterval(() => {
  if (isAlive()) return;
  clearInterval(timer);
  parentPort.postMessage('gone');
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), graceMs);
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
