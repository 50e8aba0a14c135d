// Compiles the package's own binding against a TensorFlow in its `deps` folder: two files, so a compiler is all it takes.
import { mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { lastWords, type RunCommand } from './command';
import { nativePartPath } from './state';
import { SetupError } from './types';

/** What the compiler is run with. */
export interface CompileTools {
  readonly run: RunCommand;
  readonly signal: AbortSignal;
  readonly compiler: string;
  /** Folder with node_api.h. Node-API is the same for every version of Node, so what is built runs on the others too. */
  readonly nodeHeaders: string;
}

/**
 * Compiles `binding/*.cc` of `packageFolder` into the file that the package loads. `cudaFolders`: folders under `deps` with CUDA's libraries.
 * @throws SetupError (broken) with the compiler's first error
 */
export async function compileBinding(
  packageFolder: string,
  cudaFolders: readonly string[],
  tools: CompileTools,
): Promise<void> {
  const target = nativePartPath(packageFolder);
  mkdirSync(path.dirname(target), { recursive: true });
  const result = await tools.run(
    tools.compiler,
    compilerArguments(packageFolder, target, cudaFolders, tools.nodeHeaders),
    {
      cwd: packageFolder,
      signal: tools.signal,
    },
  );
  if (result.code === 0) return;
  const firstError = result.stderr.split('\n').find((line) => /\berror\b/.test(line)) ?? lastWords(result, 1);
  throw new SetupError('broken', `The package's binding could not be compiled: ${firstError}`);
}

/** Arguments of the compiler and linker. */
export function compilerArguments(
  packageFolder: string,
  target: string,
  cudaFolders: readonly string[],
  nodeHeaders: string,
): string[] {
  const binding = path.join(packageFolder, 'binding');
  const sources = readdirSync(binding).filter((name) => name.endsWith('.cc'));
  const deps = path.join(packageFolder, 'deps');
  const napiVersion = /napi-v(\d+)/.exec(target)?.[1] ?? '8';
  const fromTarget = (folder: string) => `$ORIGIN/${path.relative(path.dirname(target), folder)}`;
  const runPath = [path.join(deps, 'lib'), ...cudaFolders].map(fromTarget).join(':');
  return [
    '-std=c++17',
    '-O2',
    '-fPIC',
    '-shared',
    `-DNAPI_VERSION=${napiVersion}`,
    `-I${path.join(deps, 'include')}`,
    `-I${nodeHeaders}`,
    ...sources.map((name) => path.join(binding, name)),
    `-L${path.join(deps, 'lib')}`,
    '-ltensorflow',
    '-ltensorflow_framework',
    ...cudaLibraries(cudaFolders),
    // The older kind of run path also serves the libraries that libtensorflow opens by itself.
    '-Wl,--disable-new-dtags',
    `-Wl,-rpath,${runPath}`,
    '-o',
    target,
  ];
}

/** Libraries that TensorFlow opens by name when it looks for a GPU, and those that they need. */
const openedByTensorflow =
  /^lib(cudart|nvJitLink|cublasLt|cublas|cufft|curand|cusparse|cusolver|cudnn|nvrtc|cupti|nccl)\.so\.\d+(\.\d+)?$/;

/**
 * CUDA's libraries as needed ones of the binding: they are then loaded from `deps` together with it, and a library that is loaded
 * already is what TensorFlow gets when it opens one of that name, wherever its own run path points.
 */
function cudaLibraries(cudaFolders: readonly string[]): string[] {
  const files = cudaFolders.flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => openedByTensorflow.test(name))
      .map((name) => path.join(folder, name)),
  );
  return files.length === 0 ? [] : ['-Wl,--no-as-needed', ...files];
}
