// Gets TensorFlow with pip: its shared libraries, the headers that the binding needs, and for CUDA the libraries that it names.
import { mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { lastWords, type CommandResult, type RunCommand } from './command';
import { SetupError, type PipPackage } from './types';
import { extractWheel } from './wheel';

/** The version that was tried with the binding; where an index lacks it, the newest that it has. */
const knownGood = '2.21.0';
const anyVersion = '>=2.16,<3';

/** What pip is run with. */
export interface PipTools {
  readonly run: RunCommand;
  readonly signal: AbortSignal;
  readonly python: string;
  /** A folder for what is downloaded; it may vanish afterwards. */
  readonly downloads: string;
  readonly arch: string;
  readonly say: (line: string) => void;
}

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
  const wheel = await download([`${pipPackage}==${knownGood}`], tools).catch((error: unknown) => {
    if (!(error instanceof SetupError) || !/no matching distribution[^(]*$/i.test(error.message)) throw error;
    tools.say(`pip has no ${pipPackage} ${knownGood} for this machine; taking the newest that it has.`);
    return download([`${pipPackage}${anyVersion}`], tools);
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
    const wheel = await download([requirement], tools);
    // The layout of the wheels is kept: the libraries find each other by paths relative to their own.
    await extractWheel(wheel, [['(nvidia/[^/]+/lib/[^/]+\\.so[^/]*)', path.join(deps, '\\1')]], tools);
    rmSync(wheel);
  }
  const home = path.join(deps, 'nvidia');
  mkdirSync(home, { recursive: true });
  return readdirSync(home).map((part) => path.join(home, part, 'lib'));
}

/** Python versions whose wheels are asked for where there is none for the Python at hand: no Python code of theirs is run. */
const otherPythons = ['3.13', '3.12', '3.11', '3.10'];

/** Downloads one wheel and gives its path. */
async function download(requirement: readonly string[], tools: PipTools): Promise<string> {
  let result = await pipDownload([], requirement, tools);
  for (const version of otherPythons) {
    if (!lacksWheel(result)) break;
    const processor = tools.arch === 'arm64' ? 'aarch64' : 'x86_64';
    const platforms = ['2_27', '2_28', '2_17', '2_31', '2_34'].map(
      (glibc) => `--platform=manylinux_${glibc}_${processor}`,
    );
    const abi = `cp${version.replace('.', '')}`;
    const target = [
      `--python-version=${version}`,
      '--implementation=cp',
      `--abi=${abi}`,
      `--abi=abi3`,
      '--abi=none',
    ];
    result = await pipDownload(
      [...target, ...platforms, `--platform=manylinux2014_${processor}`],
      requirement,
      tools,
    );
  }
  const wheel = readdirSync(tools.downloads).find((name) => name.endsWith('.whl'));
  if (result.code === 0 && wheel !== undefined) return path.join(tools.downloads, wheel);
  const said = `${lastWords(result, 1)}${isUnreachable(result) ? ' (its package index cannot be reached)' : ''}`;
  throw new SetupError('unavailable', `pip could not get ${requirement.join(' ')}: ${said}`);
}

/** The index answered, and has no wheel for the Python that asked. An index that does not answer gives the same last line. */
function lacksWheel(result: CommandResult): boolean {
  return result.code !== 0 && /no matching distribution/i.test(result.stderr) && !isUnreachable(result);
}

function isUnreachable({ stdout, stderr }: CommandResult): boolean {
  return /could not fetch url|connection (error|broken)|timed out|failed to establish|name resolution/i.test(
    stdout + stderr,
  );
}

function pipDownload(
  target: readonly string[],
  requirement: readonly string[],
  tools: PipTools,
): Promise<CommandResult> {
  mkdirSync(tools.downloads, { recursive: true });
  const flags = [
    '--no-deps',
    '--only-binary=:all:',
    '--progress-bar=off',
    '--no-input',
    '--disable-pip-version-check',
  ];
  // Where an index cannot be reached it is said at once, instead of after minutes of trying.
  const patience = ['--retries=0', '--timeout=5'];
  const args = [
    '-m',
    'pip',
    'download',
    ...flags,
    ...patience,
    ...target,
    '-d',
    tools.downloads,
    ...requirement,
  ];
  // pip's own temporary files go with the staging folder too.
  const env = { ...process.env, TMPDIR: tools.downloads };
  return tools.run(tools.python, args, { signal: tools.signal, env, limitMs: 30 * 60_000 });
}
