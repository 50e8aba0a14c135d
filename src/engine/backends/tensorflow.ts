// The TensorFlow.js that the script will use, before a backend is chosen for it: its own copy, else ours.
import type * as tfCore from '@tensorflow/tfjs-core';
import type { Tf } from '../contracts';
import { findFirst, loadPackage, sameMinor, type FoundPackage, type PackageSource } from './packages';

export type Core = typeof tfCore;

/** One loaded TensorFlow.js; the engine behind `core` is shared by every copy in the process. */
export interface LoadedTensorflow {
  /** What the script gets from `require('@tensorflow/tfjs')` (or from tfjs-node). */
  readonly tf: Tf;
  readonly core: Core;
  /** Version of tfjs-core. */
  readonly version: string;
  readonly found: FoundPackage;
}

/** Checks by a few functions that a loaded module is TensorFlow.js, so that a wrong one is told at once. */
export function isTensorflow(loaded: unknown): loaded is Tf {
  if (typeof loaded !== 'object' || loaded === null) return false;
  const wanted = ['engine', 'setBackend', 'getBackend', 'tidy', 'ready'];
  return wanted.every((name) => typeof Reflect.get(loaded, name) === 'function');
}

/** Version of tfjs-core inside a namespace. */
export function coreVersion(tf: Tf): string {
  const version: unknown = Reflect.get(tf.version, 'tfjs-core');
  return typeof version === 'string' ? version : tf.version_core;
}

/**
 * Loads the script's TensorFlow.js.
 * @throws Error where neither the user nor this product has one
 */
export function loadTensorflow(sources: readonly PackageSource[]): LoadedTensorflow {
  const found = findFirst('@tensorflow/tfjs', sources);
  if (found === null) throw new Error('@tensorflow/tfjs is not installed.');
  const tf = loadPackage(found);
  if (!isTensorflow(tf)) throw new Error(`${found.place} is not TensorFlow.js.`);
  // The very copy that the namespace re-exports: a backend package is loaded against it.
  const own = findFirst('@tensorflow/tfjs-core', [{ origin: found.origin, folder: found.place }]);
  const core = own === null ? tf : loadPackage(own);
  return { tf, core: core as Core, version: coreVersion(tf), found };
}

/**
 * What a backend package gets instead of copies of its own. Nothing where its version is another than the script's:
 * it then needs the helpers and names of its own core, and meets the script's only in the shared engine.
 */
export function sharedModules(
  { tf, core, version }: LoadedTensorflow,
  backendVersion: string,
): ReadonlyMap<string, unknown> {
  if (!sameMinor(version, backendVersion)) return new Map();
  return new Map<string, unknown>([
    ['@tensorflow/tfjs-core', core],
    ['@tensorflow/tfjs', tf],
  ]);
}
