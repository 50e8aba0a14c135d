// A real VS Code server of a test's own: temporary folders, a free port, an environment; ended with all that it started.
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse as parseJson } from 'jsonc-parser';
import { z } from 'zod';
import { editorPrograms, listeningUrl } from '../editorLane.mjs';
import { installedExtensions } from './extensions';
import { editorLane } from './lane';
import { endProcesses, processesWith, type RunningProcess } from './processes';

/** Every process of a server inherits this variable, however far it goes from it. */
const markVariable = 'BATCH_PLANNER_TEST_EDITOR_MARK';

export interface ServerOptions {
  /** The .vsix to install; null for none. */
  readonly extension: string | null;
  /** Whether folders are trusted without asking; else the window opens in Restricted Mode. */
  readonly trusted: boolean;
  /** Added to this process's environment; undefined takes a variable away. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly settings: Readonly<Record<string, unknown>>;
}

export class EditorServer {
  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
    /** The server's own folder: user data, logs, home. Removed at the end. */
    readonly home: string,
    private readonly mark: string,
    /** The Node that only the server and its own processes run in. */
    private readonly program: string,
  ) {}

  /** @throws Error where the machine has no editor (see editorLane) or the server does not start */
  static async start(options: ServerOptions): Promise<EditorServer> {
    const lane = editorLane();
    if (lane.place === undefined) throw new Error(`no editor: ${lane.missing}`);
    const { node, server } = editorPrograms(lane.place);
    // Short: sockets lie in it, whose paths may have 107 characters.
    const home = mkdtempSync(path.join(tmpdir(), 'bp-e2e-'));
    const extensions = path.join(home, 'extensions');
    if (options.extension === null) mkdirSync(extensions);
    else cpSync(await installedExtensions(lane.place, options.extension), extensions, { recursive: true });
    const data = path.join(home, 'data');
    writeSettings(data, 'User', options.settings);
    writeSettings(data, 'Machine', {});
    const mark = randomUUID();
    const child = spawn(
      node,
      [
        server,
        ...['--auth', 'none', '--bind-addr', '127.0.0.1:0', '--config', path.join(home, 'config.yaml')],
        ...['--user-data-dir', data, '--extensions-dir', extensions],
        ...['--disable-telemetry', '--disable-update-check', '--disable-getting-started-override'],
        // A window that was closed is gone after this many seconds, and its extension host with it.
        ...['--reconnection-grace-time', '5'],
        // The environment is the test's, not that of a login shell.
        ...['--vscode-option', 'force-disable-user-env'],
        ...(options.trusted ? ['--disable-workspace-trust'] : []),
      ],
      {
        env: environment(home, mark, options.environment),
        cwd: home,
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
      },
    );
    try {
      return new EditorServer(child, await listeningUrl(child), home, mark, node);
    } catch (error) {
      await endProcesses(() => processesWith(`${markVariable}=${mark}`));
      rmSync(home, { recursive: true, force: true });
      throw error;
    }
  }

  /** Adds to the machine's settings, which go before the user's; open windows take them over by themselves. */
  addMachineSettings(settings: Readonly<Record<string, unknown>>): void {
    writeSettings(path.join(this.home, 'data'), 'Machine', { ...this.machineSettings(), ...settings });
  }

  /** The machine's settings: those that a test added, and those that the extension keeps for this machine. */
  machineSettings(): Readonly<Record<string, unknown>> {
    const text = readFileSync(path.join(this.home, 'data/Machine/settings.json'), 'utf8');
    return z.record(z.string(), z.unknown()).parse(parseJson(text));
  }

  /** All that runs because of this server and has `words` in its command line. */
  processesOf(words: string): RunningProcess[] {
    return processesWith(`${markVariable}=${this.mark}`).filter(({ command }) => command.includes(words));
  }

  /** What the extension hosts have logged, all windows together. */
  extensionHostLog(): string {
    return readLogs(path.join(this.home, 'data/logs'), /^remoteexthost.*\.log$/);
  }

  /** What the server tells of its connections. */
  agentLog(): string {
    return readLogs(path.join(this.home, 'data/logs'), /^remoteagent\.log$/);
  }

  /** What an extension has written to its output channel of this name, all windows together. */
  channelLog(name: string): string {
    return readLogs(path.join(this.home, 'data/logs'), new RegExp(`${name}\\.log$`));
  }

  /** Kills the server and all of VS Code's own processes, at once; what they started for a user is left to itself. */
  async kill(): Promise<void> {
    await endProcesses(() => this.processesOf(this.program));
  }

  /** Kills the server with everything that it ever started, and removes its folder. */
  async dispose(): Promise<void> {
    await endProcesses(() => processesWith(`${markVariable}=${this.mark}`));
    this.child.unref();
    rmSync(this.home, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

function writeSettings(
  data: string,
  owner: 'User' | 'Machine',
  settings: Readonly<Record<string, unknown>>,
): void {
  mkdirSync(path.join(data, owner), { recursive: true });
  writeFileSync(path.join(data, owner, 'settings.json'), JSON.stringify(settings, null, 2));
}

function environment(
  home: string,
  mark: string,
  added: Readonly<Record<string, string | undefined>>,
): NodeJS.ProcessEnv {
  const folders = { HOME: home, XDG_CONFIG_HOME: home, XDG_DATA_HOME: home, XDG_CACHE_HOME: home };
  const env: NodeJS.ProcessEnv = { ...process.env, ...folders, ...added, [markVariable]: mark };
  for (const name of Object.keys(env)) {
    // What npm and vitest set for this process is not what a user's editor has.
    if (/^(?:npm_|VITEST|NODE_OPTIONS$|TEST$|CI$|NODE_ENV$)/.test(name) && !(name in added))
      Reflect.deleteProperty(env, name);
  }
  return env;
}

function readLogs(folder: string, name: RegExp): string {
  let logs: string[];
  try {
    logs = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  } catch (error) {
    // The server makes the folder with its first window.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
  return logs
    .filter((log) => name.test(path.basename(log)))
    .map((log) => readFileSync(path.join(folder, log), 'utf8'))
    .join('');
}
