// Brings back the `util.is…` functions that Node 23 removed and that tfjs-node 4.22 still calls.
import { createRequire } from 'node:module';
import path from 'node:path';

/** What tfjs-node 4.22 calls of them (nodejs_kernel_backend.js, kernels/TopK.js). */
const removed: Record<string, (value: unknown) => boolean> = {
  isNullOrUndefined: (value) => value === null || value === undefined,
  isArray: Array.isArray,
};

/** Node's own `util`, the object that a CommonJS package gets. */
function nodeUtil(): object {
  const loaded: unknown = createRequire(path.join(process.cwd(), 'noop.js'))('node:util');
  if (typeof loaded !== 'object' || loaded === null) throw new TypeError('node:util is not an object');
  return loaded;
}

/** Defines those that are missing and leaves the others; to be called before tfjs-node is loaded. */
export function restoreRemovedUtil(util: object = nodeUtil()): void {
  for (const [name, value] of Object.entries(removed)) {
    if (!(name in util)) Object.defineProperty(util, name, { value, configurable: true, writable: true });
  }
}
