// Gets the stock native part with the package's own install script, and mends what that script leaves wrong on Windows.
import { copyFileSync, existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { lastWords, type RunCommand } from './command';
import { nativePartPath } from './state';
import { SetupError, type TensorflowPackageName } from './types';

/** What the script is run with. */
export interface StockTools {
  readonly run: RunCommand;
  readonly signal: AbortSignal;
  readonly nodePath: string;
  readonly platform: NodeJS.Platform;
}

/** The library alone is 0.5 GB for GPUs; the script has no limit of its own and waits for ever on a host that does not answer. */
const limitMs = 20 * 60_000;

/**
 * Runs the install script in `packageFolder`, which lies in `modules`.
 * @throws SetupError (unavailable) where the download fails
 */
export async function installStock(
  packageName: TensorflowPackageName,
  packageFolder: string,
  modules: string,
  tools: StockTools,
): Promise<void> {
  const kind = packageName === '@tensorflow/tfjs-node-gpu' ? 'gpu' : 'cpu';
  // The script calls node-pre-gyp by name, as npm lets it.
  const PATH = [path.join(modules, '.bin'), process.env['PATH'] ?? process.env['Path'] ?? ''].join(
    path.delimiter,
  );
  const result = await tools.run(tools.nodePath, [path.join('scripts', 'install.js'), kind, 'download'], {
    cwd: packageFolder,
    env: { ...process.env, PATH },
    signal: tools.signal,
    limitMs,
  });
  const nativePart = nativePartPath(packageFolder);
  if (result.code !== 0 || !existsSync(nativePart)) {
    const why = result.timedOut
      ? 'it took longer than 20 minutes'
      : (reasonOf(result.stderr) ?? lastWords(result, 1));
    throw new SetupError('unavailable', `The stock binary could not be downloaded: ${why}`);
  }
  if (tools.platform === 'win32') placeWindowsLibraries(packageFolder, path.dirname(nativePart));
}

/** The line of a Node.js stack trace that says what is wrong. */
function reasonOf(stderr: string): string | undefined {
  return stderr.split('\n').find((line) => /^\w*Error: /.test(line));
}

/**
 * Windows looks for tensorflow.dll beside the native part. The package's script puts it into the folder of the newest Node-API version
 * that Node has, while the native part lies in that of the newest version the package knows (tfjs issues 8542, 8579).
 */
export function placeWindowsLibraries(packageFolder: string, nativeFolder: string): void {
  const libraries = path.join(packageFolder, 'deps', 'lib');
  for (const name of readdirSync(libraries).filter((file) => file.toLowerCase().endsWith('.dll'))) {
    const target = path.join(nativeFolder, name);
    if (!existsSync(target)) copyFileSync(path.join(libraries, name), target);
  }
}
