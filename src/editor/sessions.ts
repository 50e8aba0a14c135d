// All entries that the window knows of, each once; kept in step with the configs on disk.
import path from 'node:path';
import * as vscode from 'vscode';
import { configSuffix, entryOfConfig, readSoundConfig } from './configFiles';
import { EntrySession, type SessionTools } from './entrySession';
import { messageOf } from './log';
import { configPattern, excludedPattern } from './names';

export class Sessions implements vscode.Disposable {
  readonly #sessions = new Map<string, EntrySession>();
  readonly #changed = new vscode.EventEmitter<EntrySession>();
  readonly #configsChanged = new vscode.EventEmitter<void>();
  readonly #subscriptions: vscode.Disposable[];
  /** A session changed: its plan, its planning or its runs. */
  readonly onDidChange = this.#changed.event;
  /** A config was written, changed or removed. */
  readonly onDidChangeConfigs = this.#configsChanged.event;

  constructor(private readonly tools: SessionTools) {
    const configs = vscode.workspace.createFileSystemWatcher(configPattern);
    const runs = vscode.workspace.createFileSystemWatcher('**/.batch-planner/runs/*/run.json');
    const config = (uri: vscode.Uri): void => void this.#configChanged(uri);
    const run = (uri: vscode.Uri): void => this.#runChanged(uri);
    this.#subscriptions = [
      this.#changed,
      this.#configsChanged,
      configs,
      runs,
      configs.onDidCreate(config),
      configs.onDidChange(config),
      configs.onDidDelete(config),
      runs.onDidCreate(run),
      runs.onDidChange(run),
      runs.onDidDelete(run),
    ];
  }

  get all(): EntrySession[] {
    return [...this.#sessions.values()];
  }

  /** Opens a session for each config of the workspace, so that runs that go on are shown. */
  async openAll(): Promise<void> {
    const configs = await vscode.workspace.findFiles(configPattern, excludedPattern);
    await Promise.all(configs.map((uri) => this.#configChanged(uri)));
  }

  /** The session of an entry, opened where there is none. */
  async of(uri: vscode.Uri): Promise<EntrySession> {
    const entry = await this.#entryOf(uri);
    const open = this.#sessions.get(entry);
    if (open !== undefined) return open;
    const session = new EntrySession(entry, this.tools);
    this.#sessions.set(entry, session);
    session.onDidChange(() => this.#changed.fire(session));
    await session.readConfig();
    await session.runs.look();
    return session;
  }

  dispose(): void {
    for (const session of this.#sessions.values()) session.dispose();
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  /** A config stands for its entry. */
  async #entryOf(uri: vscode.Uri): Promise<string> {
    if (!uri.path.endsWith(configSuffix)) return uri.fsPath;
    const known = this.all.find(({ configPath }) => configPath === uri.fsPath);
    if (known !== undefined) return known.entry;
    const config = await readSoundConfig(uri.fsPath);
    return config === null ? uri.fsPath : entryOfConfig(uri.fsPath, config);
  }

  async #configChanged(uri: vscode.Uri): Promise<void> {
    try {
      const known = this.all.find(({ configPath }) => configPath === uri.fsPath);
      if (known !== undefined) await known.readConfig();
      else if ((await readSoundConfig(uri.fsPath)) !== null) await this.of(uri);
    } catch (error) {
      this.tools.log.error(`${uri.fsPath}: ${messageOf(error)}`);
    }
    this.#configsChanged.fire();
  }

  /** Some run beside a config was started, went on, ended or was deleted. */
  #runChanged(uri: vscode.Uri): void {
    const folder = path.resolve(uri.fsPath, '../../../..');
    for (const session of this.#sessions.values()) {
      if (path.dirname(session.configPath) === folder) void session.runs.look();
    }
  }
}
