// The runs of one config as the window shows them: the newest or the chosen one, one to compare with, and the others.
import path from 'node:path';
import * as vscode from 'vscode';
import type { EarlierRun } from '../protocol/page';
import { RunList, watchRuns } from '../supervise/runs/entryRuns';
import { runPaths, runsFolder } from '../supervise/runs/runFolder';
import { RunWatcher } from '../supervise/runs/runWatcher';
import { isActive } from '../supervise/runs/runWatcherState';
import { messageOf } from './log';

export class RunFollower implements vscode.Disposable {
  readonly #list: RunList;
  readonly #subscription: vscode.Disposable;
  #shown: RunWatcher | null = null;
  #compared: RunWatcher | null = null;
  #runs: readonly EarlierRun[] = [];
  /** A person chose a run to look at: a new one does not push it away, unless they started it. */
  #isChosen = false;
  #isVisible = false;
  /** Polls for new runs while the page is shown: the system's watchers miss some disks of other machines. */
  #newRuns: vscode.Disposable | null = null;
  #looking: Promise<void> | null = null;

  constructor(
    private readonly configPath: string,
    private readonly onChange: () => void,
    private readonly log: vscode.LogOutputChannel,
  ) {
    this.#list = new RunList(configPath);
    this.#subscription = vscode.window.onDidChangeWindowState(() => this.#pace());
  }

  get shown(): RunWatcher | null {
    return this.#shown;
  }

  get compared(): RunWatcher | null {
    return this.#compared;
  }

  /** Every run but the shown one, newest first. */
  get earlier(): readonly EarlierRun[] {
    return this.#runs.filter(({ name }) => name !== this.#shown?.paths.name);
  }

  get watchers(): readonly RunWatcher[] {
    return [this.#shown, this.#compared].filter((watcher) => watcher !== null);
  }

  /** A process of the shown run is there. */
  get isActive(): boolean {
    const view = this.#shown?.view() ?? null;
    return view !== null && isActive(view.state);
  }

  /** Looks at the disk now: new runs, and how far the shown one is. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  /** The person started a run: it is shown as soon as it is there. */
  expectNewRun(): void {
    this.#isChosen = false;
    void this.look();
  }

  async show(name: string): Promise<void> {
    if (!this.#runs.some((run) => run.name === name)) return;
    this.#isChosen = this.#runs[0]?.name !== name;
    if (this.#compared?.paths.name === name) await this.compare(null);
    await this.#watch(name);
  }

  async compare(name: string | null): Promise<void> {
    if (name !== null && !this.#runs.some((run) => run.name === name)) return;
    const before = this.#compared;
    this.#compared = name === null ? null : this.#watcher(name);
    await before?.dispose();
    await this.#compared?.look();
    this.onChange();
  }

  /** A page shows the runs, or no more. */
  setVisible(isVisible: boolean): void {
    this.#isVisible = isVisible;
    this.#pace();
    if (isVisible) void this.look();
  }

  dispose(): void {
    this.#subscription.dispose();
    this.#newRuns?.dispose();
    for (const watcher of this.watchers) void watcher.dispose();
    this.#shown = null;
    this.#compared = null;
  }

  async #look(): Promise<void> {
    try {
      this.#runs = await this.#list.read();
      const newest = this.#runs[0]?.name;
      const isGone = this.#shown !== null && !this.#runs.some(({ name }) => name === this.#shown?.paths.name);
      if (newest !== undefined && (this.#shown === null || (!this.#isChosen && !isGone))) {
        if (this.#shown?.paths.name !== newest) await this.#watch(newest);
      }
      await this.#shown?.look();
      this.onChange();
    } catch (error) {
      this.#cannotRead(error);
    }
  }

  #cannotRead(error: unknown): void {
    this.log.error(`The runs of ${this.configPath} cannot be read: ${messageOf(error)}`);
  }

  async #watch(name: string): Promise<void> {
    const before = this.#shown;
    this.#shown = this.#watcher(name);
    this.#pace();
    await before?.dispose();
    await this.#shown.look();
    this.onChange();
  }

  #watcher(name: string): RunWatcher {
    const paths = runPaths(path.join(runsFolder(path.dirname(this.configPath)), name));
    const watcher = new RunWatcher(paths, {
      onChange: this.onChange,
      onError: (error) => this.#cannotRead(error),
    });
    watcher.setActive(this.#isWatching);
    return watcher;
  }

  /** Nothing is polled while nobody looks: then changes of run.json alone are noticed, which the system tells. */
  get #isWatching(): boolean {
    return vscode.window.state.focused;
  }

  #pace(): void {
    for (const watcher of this.watchers) watcher.setActive(this.#isWatching);
    const isLooking = this.#isWatching && this.#isVisible;
    if (isLooking) {
      this.#newRuns ??= watchRuns(this.configPath, {
        onChange: () => void this.look(),
        onError: (error) => this.#cannotRead(error),
      });
    } else {
      this.#newRuns?.dispose();
      this.#newRuns = null;
    }
  }
}
