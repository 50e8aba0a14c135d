// Sees every copy of TensorFlow.js that the script loads, whether by require, import or a TypeScript loader.
import Module, { createRequire } from 'node:module';
import type { Core } from './backends/tensorflow';
import type { Layers } from './fitHook/innerModel';

/** One loaded copy of tfjs-layers with the core it works on. */
export interface LayersCopy {
  readonly core: Core;
  readonly layers: Layers;
}

export interface ModuleHookHandlers {
  /** A copy of tfjs-core is there; before any of its tensors. */
  coreLoaded(core: Core): void;
  /** Somebody asked for a copy of tfjs-core, whether it was there already or not. */
  coreAsked(): void;
  /** A copy of tfjs-layers is there; before any of its models. */
  layersLoaded(copy: LayersCopy): void;
  /** tfjs-node or tfjs-node-gpu was loaded by the script; it makes itself the active backend. */
  nativeLoaded(core: Core): void;
  /** Stands in for a package that could not be loaded, or is not there; undefined: the script gets the error. */
  substitute(request: string, error: unknown): unknown;
}

/** Node's own loader functions: not typed, but used by every tool that hooks require; checked below. */
interface ModuleInternals {
  _load(request: string, parent: unknown, isMain: boolean): unknown;
  _resolveFilename(request: string, parent: unknown, isMain: boolean): string;
  readonly _cache: Readonly<Record<string, { exports: unknown } | undefined>>;
}

/** What a request must contain to be looked at: everything else passes with one comparison. */
const marker = 'tfjs';
/** A request for a native package itself, by name or (from an ES module's import) by its main file. */
const native = /@tensorflow[\\/](tfjs-node(?:-gpu)?)(?:[\\/]dist[\\/]index(?:\.js)?)?$/;
/** Packages that are lent to a script that has none of its own. */
const lent = new Set(['@tensorflow/tfjs', '@tensorflow/tfjs-core', '@tensorflow/tfjs-layers']);

/**
 * Wraps `Module._load`. ES modules that import a CommonJS package go through it too, and all tfjs packages are
 * CommonJS in Node (verified on Node 20 and 24 for .cjs, .mjs, tsx and type stripping).
 */
export function installModuleHook(handlers: ModuleHookHandlers): void {
  const internals = Module as unknown as Partial<ModuleInternals>;
  const { _load: load, _resolveFilename: resolve } = internals;
  if (typeof load !== 'function' || typeof resolve !== 'function') {
    throw new Error(`Node ${process.version} has no Module._load: scripts cannot be hooked.`);
  }
  const seen = new WeakSet<object>();

  internals._load = function (this: unknown, request: string, parent: unknown, isMain: boolean): unknown {
    if (typeof request !== 'string' || !request.includes(marker)) {
      return load.call(this, request, parent, isMain);
    }
    const nativePackage = native.exec(request)?.[1];
    // An ES module's import reads the exports of this object, made beforehand, and not what this function returns.
    const imported = nativePackage === undefined ? undefined : internals._cache?.[request];
    let loaded: unknown;
    try {
      loaded = load.call(this, request, parent, isMain);
    } catch (error) {
      const wanted = nativePackage === undefined ? missing(request, error) : `@tensorflow/${nativePackage}`;
      const substitute = wanted === null ? undefined : handlers.substitute(wanted, error);
      if (substitute === undefined) throw error;
      if (isNamespace(substitute) && isCore(substitute)) handlers.coreAsked();
      if (imported !== undefined) imported.exports = substitute;
      return substitute;
    }
    if (!isNamespace(loaded)) return loaded;
    if (isCore(loaded)) handlers.coreAsked();
    if (!seen.has(loaded)) {
      if (isCore(loaded)) {
        seen.add(loaded);
        handlers.coreLoaded(loaded);
      }
      if (isLayers(loaded)) {
        seen.add(loaded);
        // A union package (`@tensorflow/tfjs`) is core and layers at once.
        const core = isCore(loaded) ? loaded : coreBeside(resolve.call(this, request, parent, isMain));
        handlers.layersLoaded({ core, layers: loaded });
      }
    }
    if (nativePackage !== undefined && isCore(loaded)) handlers.nativeLoaded(loaded);
    return loaded;
  };
}

/** The request, where it is for a package to lend that is not installed: not for one that is there and broken. */
function missing(request: string, error: unknown): string | null {
  const isMissing =
    error instanceof Error &&
    'code' in error &&
    error.code === 'MODULE_NOT_FOUND' &&
    error.message.startsWith(`Cannot find module '${request}'`);
  return isMissing && lent.has(request) ? request : null;
}

/** The tfjs-core that a file of tfjs-layers requires. */
function coreBeside(layersFile: string): Core {
  const core: unknown = createRequire(layersFile)('@tensorflow/tfjs-core');
  if (!isNamespace(core) || !isCore(core)) throw new Error(`No usable tfjs-core beside ${layersFile}.`);
  return core;
}

function isNamespace(loaded: unknown): loaded is Record<string, unknown> {
  return typeof loaded === 'object' && loaded !== null;
}

/** By what it can do, not by its name: copies are renamed, nested and re-exported. */
function isCore(loaded: object): loaded is Core & Record<string, unknown> {
  const candidate = loaded as Record<string, unknown>;
  return (
    typeof candidate.engine === 'function' &&
    typeof candidate.tidy === 'function' &&
    typeof candidate.registerBackend === 'function'
  );
}

function isLayers(loaded: object): loaded is Layers {
  const model = Reflect.get(loaded, 'LayersModel') as
    { prototype?: { makeTrainFunction?: unknown } } | undefined;
  return typeof model?.prototype?.makeTrainFunction === 'function';
}
