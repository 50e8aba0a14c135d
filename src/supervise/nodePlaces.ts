// Where Node.js may be: on PATH, and where version managers and installers put it. An editor that was started from a
// dock or a menu does not have the PATH of the user's shell.
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

/** Names in a folder; empty where it is not there. */
export type ListFolder = (folder: string) => Promise<readonly string[]>;

export interface PlacesRequest {
  readonly environment: Readonly<NodeJS.ProcessEnv>;
  readonly platform: NodeJS.Platform;
  readonly listFolder?: ListFolder | undefined;
  /** A small file's text; null where it is not there. */
  readonly readText?: (file: string) => Promise<string | null>;
}

type Variables = Readonly<NodeJS.ProcessEnv>;

/** What differs by platform. Each place is a folder with the program in it; undefined where its variable is not set. */
interface Platform {
  readonly program: string;
  readonly path: typeof path.posix;
  readonly home: (variables: Variables) => string | undefined;
  readonly nvm: (variables: Variables, home: string | undefined) => string | undefined;
  readonly places: (variables: Variables, home: string | undefined) => readonly (string | undefined)[];
}

const inside = (folder: string | undefined, ...names: string[]): string | undefined =>
  folder === undefined || folder === '' ? undefined : path.posix.join(folder, ...names);
const insideWindows = (folder: string | undefined, ...names: string[]): string | undefined =>
  folder === undefined || folder === '' ? undefined : path.win32.join(folder, ...names);

const posix: Platform = {
  program: 'node',
  path: path.posix,
  home: ({ HOME }) => HOME,
  nvm: ({ NVM_DIR }, home) => NVM_DIR ?? inside(home, '.nvm'),
  places: ({ NVM_BIN, FNM_DIR, VOLTA_HOME, N_PREFIX, ASDF_DATA_DIR, XDG_DATA_HOME }, home) => [
    NVM_BIN,
    inside(FNM_DIR, 'aliases', 'default', 'bin'),
    inside(XDG_DATA_HOME ?? inside(home, '.local', 'share'), 'fnm', 'aliases', 'default', 'bin'),
    inside(home, '.fnm', 'aliases', 'default', 'bin'),
    inside(VOLTA_HOME ?? inside(home, '.volta'), 'bin'),
    inside(ASDF_DATA_DIR ?? inside(home, '.asdf'), 'shims'),
    inside(N_PREFIX, 'bin'),
    '/usr/local/bin',
    '/usr/bin',
  ],
};

const platforms: Readonly<Partial<Record<NodeJS.Platform, Platform>>> = {
  darwin: {
    ...posix,
    places: (variables, home) => [
      '/opt/homebrew/bin',
      inside(home, 'Library', 'Application Support', 'fnm', 'aliases', 'default', 'bin'),
      ...posix.places(variables, home),
      '/opt/local/bin',
    ],
  },
  win32: {
    // A .cmd of a version manager cannot be started without a shell, which would read the arguments its own way.
    program: 'node.exe',
    path: path.win32,
    home: ({ USERPROFILE }) => USERPROFILE,
    // nvm for Windows keeps a link to the current version and no default of its own.
    nvm: () => undefined,
    places: ({ NVM_SYMLINK, FNM_DIR, VOLTA_HOME, APPDATA, LOCALAPPDATA, ProgramFiles }) => [
      NVM_SYMLINK,
      insideWindows(FNM_DIR, 'aliases', 'default'),
      insideWindows(APPDATA, 'fnm', 'aliases', 'default'),
      insideWindows(VOLTA_HOME ?? insideWindows(LOCALAPPDATA, 'Volta'), 'bin'),
      insideWindows(ProgramFiles, 'nodejs'),
      insideWindows(LOCALAPPDATA, 'Programs', 'nodejs'),
    ],
  },
};

/** Programs to ask, in order and each once: PATH first, as a shell would. Most of them are not there. */
export async function nodeCandidates(request: PlacesRequest): Promise<string[]> {
  const { environment, platform } = request;
  const { program, path: paths, ...of } = platforms[platform] ?? posix;
  const home = of.home(environment);
  const folders = [
    ...pathOf(environment).split(paths.delimiter),
    ...(await nvmFolders(of.nvm(environment, home), request)),
    ...of.places(environment, home),
  ];
  const programs = folders.flatMap((folder) =>
    // A folder relative to whatever the current one is says nothing of the user's Node.js.
    folder === undefined || !paths.isAbsolute(folder) ? [] : [paths.join(folder, program)],
  );
  return [...new Set(programs)];
}

/** On Windows its name may be written Path. */
function pathOf(environment: Variables): string {
  const name = Object.keys(environment).find((key) => key.toUpperCase() === 'PATH');
  return (name === undefined ? undefined : environment[name]) ?? '';
}

/** nvm's default version, which its alias names wholly or by its beginning (`20`, `v20.1`); else its newest. */
async function nvmFolders(
  nvm: string | undefined,
  { listFolder = listOrNone, readText = readOrNull }: PlacesRequest,
): Promise<string[]> {
  if (nvm === undefined) return [];
  const versions = path.posix.join(nvm, 'versions', 'node');
  const newestFirst = [...(await listFolder(versions))].sort(byVersion).reverse();
  const alias = (await readText(path.posix.join(nvm, 'alias', 'default')))?.trim().replace(/^v/, '');
  const isDefault = (version: string): boolean =>
    alias !== undefined && alias !== '' && `${version}.`.startsWith(`v${alias}.`);
  return [...newestFirst.filter(isDefault), ...newestFirst].map((version) =>
    path.posix.join(versions, version, 'bin'),
  );
}

function byVersion(one: string, other: string): number {
  return one.localeCompare(other, 'en', { numeric: true });
}

async function listOrNone(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => unlessMissing(error, []));
}

async function readOrNull(file: string): Promise<string | null> {
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => unlessMissing(error, null));
}

/** What is not there, or not to be read by this user, is no place of theirs. */
function unlessMissing<T>(error: NodeJS.ErrnoException, value: T): T {
  if (['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM'].includes(error.code ?? '')) return value;
  throw error;
}
