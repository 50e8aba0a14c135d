// Looks at the machine and the folder: everything that the plan of the setup depends on.
import { accessSync, constants, existsSync, readFileSync, statfsSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { toolLocationsFor } from '../../gpu/toolLocations';
import { lastWords, type RunCommand } from './command';
import { findNpmScript, findOnPath, type Surroundings } from './executables';
import type { TensorflowState } from './state';
import { SetupError, type FolderFacts, type SetupFacts, type SetupGpu } from './types';

/** A tool that says nothing for this long is taken as not there. */
const toolLimitMs = 20_000;

/** Gathers the facts; `present` was found before. */
export async function gatherFacts(
  folder: string,
  present: TensorflowState,
  tools: { readonly run: RunCommand; readonly surroundings: Surroundings; readonly signal: AbortSignal },
): Promise<SetupFacts> {
  const { surroundings, run, signal } = tools;
  const ask: RunCommand = (program, args, options) =>
    run(program, args, { limitMs: toolLimitMs, signal, ...options });
  return {
    platform: surroundings.platform,
    arch: process.arch,
    glibc: surroundings.platform === 'linux' ? glibcVersion() : null,
    gpus: await findGpus(surroundings, ask),
    cuda11: await hasCuda11(surroundings, ask),
    npm: findNpmScript(surroundings) !== null,
    python: await findPython(surroundings, ask),
    compiler: await findCompiler(surroundings, ask),
    folder: folderFacts(folder),
    present,
  };
}

const manifest = z.object({
  dependencies: z.record(z.string(), z.string()).default({}),
  devDependencies: z.record(z.string(), z.string()).default({}),
});

/** Facts of a folder that may not exist yet. @throws SetupError (usage) on a package.json that cannot be read */
export function folderFacts(folder: string): FolderFacts {
  const packageJson = path.join(folder, 'package.json');
  const hasPackageJson = existsSync(packageJson);
  let needsPackages = false;
  if (hasPackageJson) {
    const { dependencies, devDependencies } = readManifest(packageJson);
    needsPackages = Object.keys({ ...dependencies, ...devDependencies }).length > 0;
  }
  // The disk and the rights of a folder that is not there yet are those of its nearest ancestor.
  let nearest = folder;
  while (!existsSync(nearest)) nearest = path.dirname(nearest);
  const disk = statfsSync(nearest);
  return {
    path: folder,
    writable: isWritable(nearest),
    hasPackageJson,
    needsPackages,
    hasNodeModules: existsSync(path.join(folder, 'node_modules')),
    plugAndPlay: ['.pnp.cjs', '.pnp.js'].some((name) => existsSync(path.join(folder, name))),
    freeBytes: disk.bavail * disk.bsize,
  };
}

function readManifest(file: string): z.infer<typeof manifest> {
  try {
    return manifest.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    throw new SetupError('usage', `${file} cannot be read as a package.json; correct it first`, {
      cause: error,
    });
  }
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch (error) {
    if (['EACCES', 'EPERM', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}

const processReport = z.object({ header: z.object({ glibcVersionRuntime: z.string().optional() }) });

function glibcVersion(): string | null {
  return processReport.parse(process.report.getReport()).header.glibcVersionRuntime ?? null;
}

async function findPython(surroundings: Surroundings, ask: RunCommand): Promise<SetupFacts['python']> {
  for (const name of ['python3', 'python']) {
    const command = findOnPath([name], surroundings);
    if (command === null) continue;
    const version = await ask(command, ['-c', 'import sys; print(sys.version_info[0])']);
    if (version.code !== 0 || version.stdout.trim() !== '3') continue;
    return { command, pip: (await ask(command, ['-m', 'pip', '--version'])).code === 0 };
  }
  return null;
}

/** TensorFlow's headers are C++17; a compiler is tried on a line of it. */
const sample = '#include <string_view>\nstd::string_view text = "x";\n';

async function findCompiler(surroundings: Surroundings, ask: RunCommand): Promise<SetupFacts['compiler']> {
  if (surroundings.platform !== 'linux') return null;
  const own = surroundings.env['CXX'];
  const command = findOnPath([...(own ? [own] : []), 'g++', 'c++', 'clang++'], surroundings);
  if (command === null) return null;
  const result = await ask(command, ['-std=c++17', '-x', 'c++', '-fsyntax-only', '-'], { input: sample });
  return { command, problem: result.code === 0 ? null : lastWords(result, 1) };
}

async function findGpus(surroundings: Surroundings, ask: RunCommand): Promise<SetupGpu[]> {
  for (const program of toolLocationsFor(surroundings.platform, surroundings.env).nvidiaSmi) {
    const found = path.isAbsolute(program)
      ? existsSync(program)
        ? program
        : null
      : findOnPath([program], surroundings);
    if (found === null) continue;
    const full = await ask(found, ['--query-gpu=compute_cap,name', '--format=csv,noheader']);
    if (full.code === 0) return parseGpus(full.stdout);
    // Drivers before R510 do not know compute_cap and refuse the query.
    const names = await ask(found, ['--query-gpu=name', '--format=csv,noheader']);
    if (names.code === 0) return parseGpus(names.stdout.replace(/^(?=.)/gm, '?, '));
  }
  return [];
}

/** Lines such as "8.6, NVIDIA GeForce RTX 3080"; a capability that is not told is null. */
export function parseGpus(csv: string): SetupGpu[] {
  return csv.split('\n').flatMap((line) => {
    const [, capability, name] = /^\s*([^,]*),\s*(.+?)\s*$/.exec(line) ?? [];
    if (name === undefined) return [];
    const number = Number(capability);
    return [{ name, computeCapability: Number.isFinite(number) && number > 0 ? number : null }];
  });
}

/** The libraries that TensorFlow 2.9 opens for a GPU: the newest two names tell CUDA 11 and cuDNN 8 apart from others. */
async function hasCuda11(surroundings: Surroundings, ask: RunCommand): Promise<boolean> {
  if (surroundings.platform === 'win32') {
    const libraries = ['cudart64_110.dll', 'cudnn64_8.dll'];
    return libraries.every(
      (name) => findOnPath([name], { ...surroundings, env: { ...surroundings.env, PATHEXT: '' } }) !== null,
    );
  }
  if (surroundings.platform !== 'linux') return false;
  const cache = findOnPath(['ldconfig'], surroundings) ?? '/sbin/ldconfig';
  const listed = existsSync(cache) ? (await ask(cache, ['-p'])).stdout : '';
  const extra = (surroundings.env['LD_LIBRARY_PATH'] ?? '').split(':').filter((folder) => folder !== '');
  return ['libcudart.so.11.0', 'libcudnn.so.8'].every(
    (name) => listed.includes(name) || extra.some((folder) => existsSync(path.join(folder, name))),
  );
}
