// Gets the package and its dependencies with npm into the staging folder, and lays them out for the user's folder.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { lastWords, type RunCommand } from './command';
import { SetupError } from './types';

/** What npm is run with. */
export interface NpmTools {
  readonly run: RunCommand;
  readonly signal: AbortSignal;
  /** The running Node's executable, and npm's own script. */
  readonly nodePath: string;
  readonly npmScript: string;
}

/**
 * Installs `name@version` under `staging` without running any install script. The .npmrc of `folder` counts, for the sake of its registry.
 * @throws SetupError (unavailable) with npm's own words
 */
export async function installWithNpm(
  name: string,
  version: string,
  staging: string,
  folder: string,
  tools: NpmTools,
): Promise<void> {
  // A project of its own, or npm would look for one in the folders above and install there.
  const manifest = { name: projectName(folder), private: true, dependencies: { [name]: version } };
  mkdirSync(staging, { recursive: true });
  writeFileSync(path.join(staging, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  const settings = path.join(folder, '.npmrc');
  if (existsSync(settings)) copyFileSync(settings, path.join(staging, '.npmrc'));
  const flags = [
    '--ignore-scripts',
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    '--prefix',
    staging,
  ];
  const result = await tools.run(tools.nodePath, [tools.npmScript, 'install', ...flags], {
    cwd: staging,
    signal: tools.signal,
    limitMs: 10 * 60_000,
  });
  if (result.code !== 0) {
    throw new SetupError('unavailable', `npm could not get ${name} ${version}: ${lastWords(result)}`);
  }
}

/** A name that npm accepts, from the folder's. */
function projectName(folder: string): string {
  const name = path
    .basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+|-+$/g, '');
  return name === '' || name === 'node-modules' ? 'project' : name;
}

/**
 * Puts all packages beside `packageName` into that package's own node_modules, so that it can be moved as one folder. A dependency of
 * which the user's node_modules has the same version is left out: what needs it finds the user's, so that both share one copy.
 */
export function gatherDependencies(stagedModules: string, packageName: string, usersModules: string): void {
  const home = path.join(stagedModules, packageName, 'node_modules');
  if (existsSync(home))
    throw new SetupError('broken', `npm laid out ${packageName} in a way that is not understood (${home}).`);
  for (const name of packageNames(stagedModules)) {
    if (name === packageName) continue;
    const staged = path.join(stagedModules, name);
    if (versionOf(staged) === versionOf(path.join(usersModules, name))) {
      rmSync(staged, { recursive: true });
      continue;
    }
    mkdirSync(path.dirname(path.join(home, name)), { recursive: true });
    renameSync(staged, path.join(home, name));
  }
}

function packageNames(modules: string): string[] {
  return readdirSync(modules)
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) =>
      name.startsWith('@')
        ? readdirSync(path.join(modules, name)).map((inner) => `${name}/${inner}`)
        : [name],
    );
}

const withVersion = z.object({ version: z.string() });

/** Version of the package in `folder`; null where there is none that can be read. */
function versionOf(folder: string): string | null {
  const file = path.join(folder, 'package.json');
  if (!existsSync(file)) return null;
  const parsed = withVersion.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  return parsed.success ? parsed.data.version : null;
}
