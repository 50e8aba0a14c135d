// Downloads one wheel with pip, for whatever Python, and tells an index that lacks it from one that cannot be reached.
import { mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { lastWords, type CommandResult, type RunCommand } from './command';
import { SetupError } from './types';

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

/** Python versions whose wheels are asked for where there is none for the Python at hand: no Python code of theirs is run. */
const otherPythons = ['3.13', '3.12', '3.11', '3.10'];

/**
 * Downloads one wheel and gives its path.
 * @throws NoWheelError; SetupError (unavailable) with pip's own words
 */
export async function download(requirement: string, tools: PipTools): Promise<string> {
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
  const said = result.stderr
    .split('\n')
    .findLast((line) => line.startsWith('ERROR: '))
    ?.slice('ERROR: '.length);
  const message = `pip could not get ${requirement}: ${unreachable(result) ?? said ?? lastWords(result, 1)}`;
  throw lacksWheel(result)
    ? new NoWheelError('unavailable', message)
    : new SetupError('unavailable', message);
}

/** The index answered, and has no such wheel. */
export class NoWheelError extends SetupError {}

/** An index that does not answer leads to the same last line as one that has no wheel. */
function lacksWheel(result: CommandResult): boolean {
  return result.code !== 0 && /no matching distribution/i.test(result.stderr) && unreachable(result) === null;
}

/** Why pip reached none of the places that it searches, as it tells at its highest verbosity; null where one answered. */
function unreachable({ stdout, stderr }: CommandResult): string | null {
  const said = stdout + stderr;
  const places = [...said.matchAll(/^\s*\* (\S+)$/gm)].map(([, place]) => place);
  const failures = new Map(
    [...said.matchAll(/Could not fetch URL (\S+): (.*)/g)].map(([, place, why]) => [place, why]),
  );
  if (places.length === 0 || !places.every((place) => failures.has(place))) return null;
  const why = failures.get(places[0]) ?? '';
  return `its package index cannot be reached (${/Caused by \w+\('?(?:<[^>]*>: )?([^'")]*)/.exec(why)?.[1] ?? why})`;
}

function pipDownload(
  target: readonly string[],
  requirement: string,
  tools: PipTools,
): Promise<CommandResult> {
  mkdirSync(tools.downloads, { recursive: true });
  // What could not be reached is told at this verbosity only.
  const flags = [
    '-vv',
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
    requirement,
  ];
  // pip's own temporary files go with the staging folder too.
  const env = { ...process.env, TMPDIR: tools.downloads };
  return tools.run(tools.python, args, { signal: tools.signal, env, limitMs: 30 * 60_000 });
}
