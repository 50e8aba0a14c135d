// Finds programs: on PATH, npm's own script, and Node's headers. What differs by platform is here.
import { existsSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';

/** What the search depends on; injected in tests. */
export interface Surroundings {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The running Node's executable. */
  readonly nodePath: string;
}

/** This process's own. */
export function ownSurroundings(): Surroundings {
  return { platform: process.platform, env: process.env, nodePath: process.execPath };
}

/**
 * Absolute path of the first of `names` that is on PATH; null where none is.
 * @param kind `batch` takes what only a shell of Windows could run, too
 */
export function findOnPath(
  names: readonly string[],
  { platform, env }: Surroundings,
  kind: 'program' | 'batch' = 'program',
): string | null {
  const windows = platform === 'win32';
  // Windows keeps the variable as Path; process.env finds it under either name, a copy of it does not.
  const folders = (env['PATH'] ?? env['Path'] ?? '')
    .split(windows ? ';' : ':')
    // What is relative to whatever the current folder is may be anyone's.
    .filter((folder) => path.isAbsolute(folder));
  const endings = (windows ? (env['PATHEXT'] ?? '.EXE;.CMD;.BAT').split(';') : ['']).filter(
    (ending) => kind === 'batch' || !/^\.(cmd|bat)$/i.test(ending),
  );
  for (const name of names) {
    for (const folder of folders) {
      for (const ending of endings) {
        const candidate = path.join(folder, name + ending);
        if (statSync(candidate, { throwIfNoEntry: false })?.isFile()) return candidate;
      }
    }
  }
  return null;
}

/**
 * Path of npm's own script, to be run by Node itself: npm on Windows is a batch file, which cannot be started without a shell.
 * Null where there is no npm.
 */
export function findNpmScript(surroundings: Surroundings): string | null {
  const { platform, nodePath } = surroundings;
  const beside = path.dirname(nodePath);
  const script = path.join('node_modules', 'npm', 'bin', 'npm-cli.js');
  const candidates = [path.join(beside, platform === 'win32' ? '' : '../lib', script)];
  const onPath = findOnPath(['npm'], surroundings, 'batch');
  if (onPath !== null) {
    // The npm on PATH, which a user may have renewed, before the one that came with Node.
    const real = realpathSync(onPath);
    candidates.unshift(real.endsWith('npm-cli.js') ? real : path.join(path.dirname(real), script));
  }
  return candidates.find((candidate) => existsSync(candidate)) ?? null;
}

/** Folder of the running Node's own `node_api.h`; null where the headers were not installed with it. */
export function findNodeHeaders({ nodePath, env }: Surroundings): string | null {
  const prefixes = [env['npm_config_nodedir'], path.join(path.dirname(realpathSync(nodePath)), '..')];
  for (const prefix of prefixes) {
    if (prefix === undefined) continue;
    const folder = path.join(prefix, 'include', 'node');
    if (existsSync(path.join(folder, 'node_api.h'))) return folder;
  }
  return null;
}
