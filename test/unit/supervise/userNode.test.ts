// Which Node.js runs the user's scripts: the places of three platforms, and what is told of those that cannot be used.
import { describe, expect, it } from 'vitest';
import { nodeCandidates } from '../../../src/supervise/nodePlaces';
import type { NodeAnswer } from '../../../src/supervise/nodeQuestion';
import { findUserNode, UserNodeError, type UserNodeRequest } from '../../../src/supervise/userNode';

const answered = (version: string, arch = 'x64', platform = 'linux'): NodeAnswer => ({
  how: 'answered',
  output: `${JSON.stringify({ version, arch, platform })}\n`,
});

/** Finds a Node on a machine where these programs answer, and no other is there. */
function find(programs: Record<string, NodeAnswer>, request: Partial<UserNodeRequest> = {}) {
  const asked: string[] = [];
  const found = findUserNode({
    configured: null,
    environment: { PATH: '/a:/b', HOME: '/home/me' },
    platform: 'linux',
    arch: 'x64',
    run: (program) => {
      asked.push(program);
      return Promise.resolve(programs[program] ?? { how: 'notThere' });
    },
    listFolder: () => Promise.resolve([]),
    ...request,
  });
  return { found, asked };
}

async function problem(found: Promise<unknown>): Promise<UserNodeError> {
  const error = await found.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof UserNodeError)) throw new Error(`found, or failed otherwise: ${String(error)}`);
  expect(error.message).toMatch(/^[A-Z][^\n]*\.$/);
  return error;
}

describe('the Node.js of the user', () => {
  it('is the first of PATH that can be used', async () => {
    const { found, asked } = find({ '/a/node': answered('18.20.1'), '/b/node': answered('22.1.0') });
    expect(await found).toEqual({ nodePath: '/b/node', version: '22.1.0', arch: 'x64', platform: 'linux' });
    expect(asked).toEqual(['/a/node', '/b/node']);
  });

  it('is the one of a version manager where PATH has none, as in an editor started from a menu', async () => {
    const { found } = find({ '/home/me/.volta/bin/node': answered('20.0.0') });
    expect(await found).toMatchObject({ nodePath: '/home/me/.volta/bin/node' });
  });

  it('is the one of the setting, and no other, where there is one', async () => {
    const { found, asked } = find({ '/opt/node': answered('20.9.0') }, { configured: '/opt/node' });
    expect(await found).toMatchObject({ nodePath: '/opt/node' });
    expect(asked).toEqual(['/opt/node']);
    const other = find({ '/a/node': answered('20.9.0') }, { configured: '/gone/node' });
    const error = await problem(other.found);
    expect(error.kind).toBe('notThere');
    expect(error.message).toContain('There is no program /gone/node');
    expect(other.asked).toEqual(['/gone/node']);
  });

  it('answers after what a shim prints before', async () => {
    const answer = answered('20.0.0');
    const output = answer.how === 'answered' ? `notice: a newer version is there\n${answer.output}` : '';
    const { found } = find({ '/a/node': { how: 'answered', output } });
    expect(await found).toMatchObject({ version: '20.0.0' });
  });

  it.each<[UserNodeError['kind'], NodeAnswer, RegExp]>([
    [
      'tooOld',
      answered('18.20.1'),
      /\/a\/node.* is version 18\.20\.1, which is too old: install Node\.js 20/,
    ],
    ['tooOld', answered('8.0.0'), /version 8\.0\.0/],
    ['otherArchitecture', answered('22.0.0', 'arm64'), /is built for arm64, but this editor runs on x64/],
    ['broken', { how: 'answered', output: 'hello\n' }, /does not answer as Node\.js does \(hello\)/],
    ['broken', { how: 'answered', output: '{"version":"next"}' }, /does not answer/],
    ['broken', { how: 'answered', output: '' }, /does not answer/],
    ['broken', { how: 'failed', reason: 'permission denied' }, /does not work \(permission denied\)/],
  ])('that cannot be used is told as %s', async (kind, answer, message) => {
    for (const request of [{}, { configured: '/a/node' }]) {
      const error = await problem(find({ '/a/node': answer }, request).found);
      expect(error.kind).toBe(kind);
      expect(error.message).toMatch(message);
      expect(error.message).toContain('"batchPlanner.nodePath"');
    }
  });

  it('of several that cannot be used, the first is told of: it is the one that a shell takes', async () => {
    const { found } = find({ '/a/node': answered('18.0.0'), '/b/node': answered('22.0.0', 'arm64') });
    expect((await problem(found)).kind).toBe('tooOld');
  });

  it('that is nowhere is told so', async () => {
    expect((await problem(find({}).found)).kind).toBe('missing');
    expect((await problem(find({}, { environment: {} }).found)).kind).toBe('missing');
  });
});

describe('the places where it may be', () => {
  const files: Record<string, string> = { '/home/me/.nvm/alias/default': 'v20.1\n' };
  const folders: Record<string, readonly string[]> = {
    '/home/me/.nvm/versions/node': ['v9.11.2', 'v20.1.0', 'v20.10.0', 'v20.1.3', 'v22.0.0'],
  };
  const listFolder = (folder: string): Promise<readonly string[]> => Promise.resolve(folders[folder] ?? []);
  const readText = (file: string): Promise<string | null> => Promise.resolve(files[file] ?? null);

  it('on Linux: PATH, nvm with its default first and its newest next, the others', async () => {
    const environment = { PATH: '/a:relative::/b:/a', HOME: '/home/me', VOLTA_HOME: '/opt/volta' };
    const found = await nodeCandidates({ environment, platform: 'linux', listFolder, readText });
    expect(found.slice(0, 7)).toEqual([
      '/a/node',
      '/b/node',
      ...['v20.1.3', 'v20.1.0', 'v22.0.0', 'v20.10.0', 'v9.11.2'].map(
        (version) => `/home/me/.nvm/versions/node/${version}/bin/node`,
      ),
    ]);
    expect(found).toContain('/opt/volta/bin/node');
    expect(found).toContain('/home/me/.local/share/fnm/aliases/default/bin/node');
    expect(found).toContain('/usr/local/bin/node');
    expect(new Set(found).size).toBe(found.length);
  });

  it('on macOS also Homebrew’s, and fnm’s own folder', async () => {
    const environment = { PATH: '/usr/bin:/bin', HOME: '/Users/me' };
    const found = await nodeCandidates({ environment, platform: 'darwin', listFolder, readText });
    expect(found).toContain('/opt/homebrew/bin/node');
    expect(found).toContain('/Users/me/Library/Application Support/fnm/aliases/default/bin/node');
    expect(found[0]).toBe('/usr/bin/node');
  });

  it('on Windows: Path whatever its letters, programs only and no .cmd, Program Files', async () => {
    const environment = {
      Path: 'C:\\Tools;D:\\bin',
      USERPROFILE: 'C:\\Users\\me',
      APPDATA: 'C:\\Users\\me\\AppData\\Roaming',
      LOCALAPPDATA: 'C:\\Users\\me\\AppData\\Local',
      ProgramFiles: 'C:\\Program Files',
      NVM_SYMLINK: 'C:\\nvm4w\\nodejs',
    };
    const found = await nodeCandidates({ environment, platform: 'win32', listFolder, readText });
    expect(found).toEqual([
      'C:\\Tools\\node.exe',
      'D:\\bin\\node.exe',
      'C:\\nvm4w\\nodejs\\node.exe',
      'C:\\Users\\me\\AppData\\Roaming\\fnm\\aliases\\default\\node.exe',
      'C:\\Users\\me\\AppData\\Local\\Volta\\bin\\node.exe',
      'C:\\Program Files\\nodejs\\node.exe',
      'C:\\Users\\me\\AppData\\Local\\Programs\\nodejs\\node.exe',
    ]);
    const usable: NodeAnswer = answered('20.0.0', 'x64', 'win32');
    const { found: node } = find(
      { 'C:\\Program Files\\nodejs\\node.exe': usable },
      { environment, platform: 'win32' },
    );
    expect(await node).toMatchObject({ nodePath: 'C:\\Program Files\\nodejs\\node.exe', platform: 'win32' });
  });
});
