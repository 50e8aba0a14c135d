// How the user's script is started: their Node, their arguments and folder, with the hook put in front of it.
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { engineEnvironment } from '../protocol/engineEnvironment';
import { exitCodes } from '../protocol/exitCodes';
import { jobVariable } from '../protocol/job';

/** The script cannot be started as it is; the message says why and what helps. */
export class ScriptCommandError extends Error {
  override readonly name = 'ScriptCommandError';
  readonly exitCode = exitCodes.usage;
}

export interface ScriptRequest {
  /** Absolute path of the file that Node runs: the entry, or the product's runner of a model.json. */
  readonly main: string;
  /** The script's own arguments. */
  readonly arguments: readonly string[];
  /** Absolute path of the folder it runs in. */
  readonly folder: string;
  /** Arguments for Node itself, such as `--max-old-space-size=8192`. */
  readonly nodeArguments: readonly string[];
  /** Absolute path of the job that the hook reads. */
  readonly jobFile: string;
  /** Absolute path of dist/preload.cjs. */
  readonly preloadFile: string;
  /** The environment that the script would have; nothing of it is dropped. */
  readonly environment: Readonly<NodeJS.ProcessEnv>;
}

/** What is known of the Node that runs the script. */
export interface NodeFacts {
  readonly nodePath: string;
  /** Such as `20.20.2`. */
  readonly nodeVersion: string;
  /** The file that a package name stands for when it is imported from a folder; null where it is not installed. */
  resolve(packageName: string, folder: string): string | null;
}

/** A command to spawn. */
export interface ScriptCommand {
  readonly command: string;
  readonly arguments: readonly string[];
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
}

/** The Node that runs this very process, and the packages that it sees. */
export const thisNode: NodeFacts = {
  nodePath: process.execPath,
  nodeVersion: process.versions.node,
  resolve: (packageName, folder) => {
    try {
      return createRequire(path.join(folder, 'noop.js')).resolve(packageName);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'MODULE_NOT_FOUND' || code === 'ERR_PACKAGE_PATH_NOT_EXPORTED') return null;
      throw error;
    }
  },
};

/** Runs before every module of the script: waits for what the preloaded file prepares, and for nothing without it. */
const waitForEngine = `data:text/javascript,${encodeURIComponent(
  "await globalThis[Symbol.for('batch-planner.ready')]?.()",
)}`;

/**
 * The command that runs a script under the hook. The hook travels in NODE_OPTIONS, so that it reaches the process
 * that trains also through npm scripts, shells and other launchers; in all others it does nothing.
 * @throws ScriptCommandError for TypeScript that nothing here can run.
 */
export function scriptCommand(request: ScriptRequest, node: NodeFacts = thisNode): ScriptCommand {
  const { main, folder, environment } = request;
  const ours = `--require ${quoteOption(request.preloadFile)} --import ${quoteOption(waitForEngine)}`;
  const theirs = environment.NODE_OPTIONS?.trim() ?? '';
  return {
    command: node.nodePath,
    arguments: [...request.nodeArguments, ...typescriptArguments(request, node), main, ...request.arguments],
    folder,
    environment: {
      ...environment,
      ...engineEnvironment(environment),
      NODE_OPTIONS: theirs === '' ? ours : `${theirs} ${ours}`,
      [jobVariable]: request.jobFile,
    },
  };
}

/** Quotes one value for NODE_OPTIONS: Node splits at blanks and takes a backslash inside quotes as an escape. */
export function quoteOption(value: string): string {
  return `"${value.replace(/[\\"]/g, '\\$&')}"`;
}

/** What Node needs to run a TypeScript file: the project's own tsx, or nothing where Node strips types itself. */
function typescriptArguments({ main, nodeArguments }: ScriptRequest, node: NodeFacts): string[] {
  if (!/\.[cm]?tsx?$/i.test(main)) return [];
  if (
    nodeArguments.some((argument) =>
      /^(?:--import|--loader|--experimental-loader|--require|-r)\b/.test(argument),
    )
  ) {
    return [];
  }
  const tsx = node.resolve('tsx', path.dirname(main));
  if (tsx !== null) return ['--import', pathToFileURL(tsx).href];
  const [major = 0, minor = 0] = node.nodeVersion.split('.').map(Number);
  const strips = major > 23 || (major === 23 && minor >= 6) || (major === 22 && minor >= 18);
  const stripsWhenAsked = (major === 22 && minor >= 6) || major === 23;
  if (!/\.tsx$/i.test(main)) {
    if (strips) return [];
    if (stripsWhenAsked) return ['--experimental-strip-types'];
  }
  throw new ScriptCommandError(
    `${path.basename(main)} is TypeScript, which Node ${node.nodeVersion} does not run by itself: ` +
      'install tsx in its project (npm install --save-dev tsx), or use Node 22.18 or newer.',
  );
}
