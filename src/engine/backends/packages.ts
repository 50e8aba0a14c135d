// Finds and loads TensorFlow.js packages: the user's own from the entry's folder, ours from beside this product.
import { readFileSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import path from 'node:path';
import * as z from 'zod';

/** Where a package is looked for. */
export interface PackageSource {
  readonly origin: 'user' | 'own';
  /** Node's resolution starts in this folder. */
  readonly folder: string;
}

/** An installed package. */
export interface FoundPackage extends PackageSource {
  readonly name: string;
  readonly version: string;
  /** The package's own folder. */
  readonly place: string;
  /** The file that `require` would load. */
  readonly main: string;
}

const packageJson = z.looseObject({ version: z.string() });

function requireFrom(folder: string): NodeJS.Require {
  return createRequire(path.join(folder, 'noop.js'));
}

/** The package as a script in `source.folder` would find it; null where it would not. */
export function findPackage(name: string, source: PackageSource): FoundPackage | null {
  const require = requireFrom(source.folder);
  let main: string;
  let manifest: string;
  try {
    manifest = require.resolve(`${name}/package.json`);
    main = require.resolve(name);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'MODULE_NOT_FOUND' || code === 'ERR_PACKAGE_PATH_NOT_EXPORTED') return null;
    throw error;
  }
  const { version } = packageJson.parse(JSON.parse(readFileSync(manifest, 'utf8')));
  return { ...source, name, version, place: path.dirname(manifest), main };
}

/** First of several places that has the package. */
export function findFirst(name: string, sources: readonly PackageSource[]): FoundPackage | null {
  for (const source of sources) {
    const found = findPackage(name, source);
    if (found !== null) return found;
  }
  return null;
}

/** The hook below replaces Node's untyped loader; this is its shape. */
interface ModuleLoader {
  _load(request: string, parent: unknown, isMain: boolean): unknown;
}

/**
 * Loads a CommonJS package. `shared` names modules that it and what it loads get instead of their own copies:
 * so our backend package works inside the user's copy of TensorFlow.js, and no second copy is loaded beside it.
 */
export function loadPackage(found: FoundPackage, shared: ReadonlyMap<string, unknown> = new Map()): unknown {
  const load = () => withoutCopyWarnings(() => requireFrom(found.place)(found.main) as unknown);
  if (shared.size === 0) return load();
  const loader = Module as unknown as ModuleLoader;
  const original = loader._load;
  loader._load = function (this: unknown, request, parent, isMain) {
    return shared.has(request) ? shared.get(request) : original.call(this, request, parent, isMain);
  };
  try {
    return load();
  } finally {
    loader._load = original;
  }
}

/**
 * A second copy of TensorFlow.js warns that the first has done its work already; that two copies share one engine is
 * what is wanted here. Every other warning goes through.
 */
function withoutCopyWarnings<T>(load: () => T): T {
  const { warn } = console;
  console.warn = (...texts: unknown[]) => {
    if (!/^Platform node has already been set|(?:is|was) already registered/.test(String(texts[0])))
      warn(...texts);
  };
  try {
    return load();
  } finally {
    console.warn = warn;
  }
}

/** Major and minor of a version text; patch and pre-release do not matter here. */
function majorMinor(version: string): readonly [number, number] {
  const [major, minor] = version.split('.').map((part) => Number.parseInt(part, 10));
  return [major ?? 0, minor ?? 0];
}

/** Whether two versions differ in the patch only. */
export function sameMinor(one: string, other: string): boolean {
  return majorMinor(one).join() === majorMinor(other).join();
}

/**
 * Whether a backend package of version `backend` works inside TensorFlow.js of version `core`.
 * The contract between the two last changed between 3.0 and 3.21; 3.21, 4.10 and 4.22 were measured to work with
 * 4.22's backends, 3.0 and 2.8 not.
 */
export function canMix(core: string, backend: string): boolean {
  const sameContract = (version: string) => {
    const [major, minor] = majorMinor(version);
    return major === 4 || (major === 3 && minor >= 21);
  };
  return sameMinor(core, backend) || (sameContract(core) && sameContract(backend));
}
