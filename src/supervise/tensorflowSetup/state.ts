// Which TensorFlow for Node.js a folder has, told from its files alone: nothing is loaded.
import { existsSync, readFileSync, readdirSync, realpathSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { SetupError, tensorflowPackages, type TensorflowPackageName } from './types';

/** A package that is there. */
export interface InstalledPackage {
  readonly packageName: TensorflowPackageName;
  readonly version: string;
  /** Absolute, links followed. */
  readonly packageFolder: string;
}

/**
 * `withoutNativePart`: npm installed the package but its install script did not run, so it cannot be loaded.
 * `broken`: it has a native part that does not work; `complete`: its files are all there (whether it works, only loading tells).
 */
export type TensorflowState =
  | { readonly state: 'absent' }
  | ({ readonly state: 'withoutNativePart' } & InstalledPackage)
  | ({ readonly state: 'broken'; readonly message: string } & InstalledPackage)
  | ({ readonly state: 'complete' } & InstalledPackage);

const manifest = z.object({
  version: z.string(),
  binary: z.object({ module_name: z.string(), module_path: z.string(), napi_versions: z.array(z.int()) }),
});

/**
 * Looks for the packages from `folder` upwards, as Node resolves them (`ancestors: false`: in `folder` only).
 * The state of the first package found, in the order of `names`.
 */
export function findTensorflow(
  folder: string,
  options: { ancestors?: boolean; names?: readonly TensorflowPackageName[]; napiVersion?: number } = {},
): TensorflowState {
  for (const packageName of options.names ?? tensorflowPackages) {
    const packageFolder = findPackage(folder, packageName, options.ancestors ?? true);
    if (packageFolder !== null) return examine(packageName, packageFolder, options.napiVersion);
  }
  return { state: 'absent' };
}

/** Path of the native part inside a package folder, for the Node-API version `napiVersion` (default: this process's). */
export function nativePartPath(packageFolder: string, napiVersion = Number(process.versions.napi)): string {
  const { binary } = readManifest(packageFolder);
  const known = binary.napi_versions.filter((version) => version <= napiVersion);
  const modulePath = binary.module_path.replace('{napi_build_version}', String(Math.max(...known)));
  return path.join(packageFolder, modulePath, `${binary.module_name}.node`);
}

function findPackage(folder: string, name: string, ancestors: boolean): string | null {
  for (let at = path.resolve(folder); ; at = path.dirname(at)) {
    const candidate = path.join(at, 'node_modules', name);
    if (existsSync(path.join(candidate, 'package.json'))) return realpathSync(candidate);
    if (!ancestors || at === path.dirname(at)) return null;
  }
}

function examine(
  packageName: TensorflowPackageName,
  packageFolder: string,
  napiVersion?: number,
): TensorflowState {
  const { version } = readManifest(packageFolder);
  const installed: InstalledPackage = { packageName, version, packageFolder };
  if (!existsSync(nativePartPath(packageFolder, napiVersion)))
    return { state: 'withoutNativePart', ...installed };
  const libraries = path.join(packageFolder, 'deps', 'lib');
  const hasTensorflow =
    existsSync(libraries) && readdirSync(libraries).some((name) => /^(lib)?tensorflow/.test(name));
  if (hasTensorflow) return { state: 'complete', ...installed };
  return { state: 'broken', message: `TensorFlow's library is missing from ${libraries}`, ...installed };
}

function readManifest(packageFolder: string): z.infer<typeof manifest> {
  const file = path.join(packageFolder, 'package.json');
  const parsed = manifest.safeParse(parseJson(readFileSync(file, 'utf8'), file));
  if (!parsed.success)
    throw new SetupError('usage', `${file} is not the package.json of a TensorFlow package`);
  return parsed.data;
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new SetupError('usage', `${file} is not valid JSON`, { cause: error });
  }
}
