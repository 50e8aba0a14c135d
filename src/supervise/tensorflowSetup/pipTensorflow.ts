// Gets TensorFlow with pip: its shared libraries, the headers that the binding needs, and for CUDA the libraries that it names.
// The CUDA way was never run on a GPU by us (none could be had); the training step at the end of the setup tells whether it works.
import { mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { download, NoWheelError, type PipTools } from './pipDownload';
import { SetupError, type PipPackage } from './types';
import { extractWheel } from './wheel';

/** The version that was tried with the binding; where an index lacks it, the newest that it has. */
const knownGood = '2.21.0';
const anyVersion = '>=2.16,<3';

/** A TensorFlow in a package's `deps` folder. */
export interface PipTensorflow {
  readonly version: string;
  /** Folders with CUDA's libraries under `deps`, empty without CUDA. */
  readonly cudaFolders: readonly string[];
}

/**
 * Fills `deps/lib` (libtensorflow_cc, libtensorflow_framework, and links under the names that the linker asks for), `deps/include`,
 * and with `withCuda` `deps/nvidia/<part>/lib`.
 * @throws SetupError (unavailable) with pip's own words
 */
export async function getTensorflow(
  pipPackage: PipPackage,
  withCuda: boolean,
  deps: string,
  tools: PipTools,
): Promise<PipTensorflow> {
  const wheel = await download(`${pipPackage}==${knownGood}`, tools).catch((error: unknown) => {
    if (!(error instanceof NoWheelError)) throw error;
    tools.say(`pip has no ${pipPackage} ${knownGood} for this machine; taking the newest that it has.`);
    return download(`${pipPackage}${anyVersion}`, tools);
  });
  const lib = path.join(deps, 'lib');
  const include = path.join(deps, 'include');
  const headers =
    '((tensorflow/(c|core/platform|core/public|tsl|compiler/xla/tsl)|tsl|xla/tsl|absl)/.*\\.(h|inc))';
  const taken = await extractWheel(
    wheel,
    [
      ['tensorflow/(libtensorflow_(cc|framework)\\.so\\.[0-9]+)', path.join(lib, '\\1')],
      [`tensorflow/include/${headers}`, path.join(include, '\\1')],
    ],
    tools,
  );
  rmSync(wheel);
  linkLibraries(lib, taken.version);
  return { version: taken.version, cudaFolders: withCuda ? await getCuda(taken.requires, deps, tools) : [] };
}

/** The names for the linker; the libraries themselves keep the names that they call each other by. */
function linkLibraries(lib: string, version: string): void {
  const libraries = readdirSync(lib);
  for (const [part, link] of [
    ['libtensorflow_cc', 'libtensorflow.so'],
    ['libtensorflow_framework', 'libtensorflow_framework.so'],
  ] as const) {
    const library = libraries.find((name) => name.startsWith(`${part}.so.`));
    if (library === undefined)
      throw new SetupError('broken', `TensorFlow ${version} from pip has no ${part}.`);
    symlinkSync(library, path.join(lib, link));
  }
}

/** Requirements such as `nvidia-cublas-cu12<13.0,>=12.5.3.2; extra == "and-cuda"`, as pip takes them; the compiler (nvcc) is not needed. */
export function cudaRequirements(requires: readonly string[]): string[] {
  return requires.flatMap((line) => {
    const [requirement = '', condition = ''] = line.split(';');
    if (
      !condition.includes('and-cuda') ||
      !/^nvidia-/.test(requirement) ||
      /^nvidia-cuda-nvcc/.test(requirement)
    )
      return [];
    return [requirement.replace(/[\s()]/g, '')];
  });
}

async function getCuda(requires: readonly string[], deps: string, tools: PipTools): Promise<string[]> {
  for (const requirement of cudaRequirements(requires)) {
    tools.say(`  ${requirement}`);
    const wheel = await download(requirement, tools);
    // The layout of the wheels is kept: the libraries find each other by paths relative to their own.
    await extractWheel(wheel, [['(nvidia/[^/]+/lib/[^/]+\\.so[^/]*)', path.join(deps, '\\1')]], tools);
    rmSync(wheel);
  }
  const home = path.join(deps, 'nvidia');
  mkdirSync(home, { recursive: true });
  return readdirSync(home).map((part) => path.join(home, part, 'lib'));
}
