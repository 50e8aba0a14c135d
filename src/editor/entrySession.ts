// What the extension knows of one entry: its plan, a planning under way, and its runs. One for each entry; panels and
// status bar look at it.
import path from 'node:path';
import * as vscode from 'vscode';
import type { Objective } from '../planning/plan';
import type { PlanView } from '../protocol/page';
import type { PlanFailure, PlanStreamMessage } from '../protocol/planStream';
import { startPlanProcess, type PlanOutcome, type PlanProcess } from '../supervise/plan/planProcess';
import { configOfEntry, planViewOf } from './configFiles';
import { messageOf } from './log';
import { RunFollower } from './runFollower';
import { setting } from './settings';

/** What a planning is asked for; null is left to the script and the machine. */
export interface PlanRequest {
  readonly targetBatchSize: number | null;
  readonly budgetBytes: number | null;
  readonly objective: Objective;
}

export interface SessionTools {
  readonly cliFile: string;
  readonly log: vscode.LogOutputChannel;
}

type Planning = Extract<PlanView, { state: 'planning' }>;

export class EntrySession implements vscode.Disposable {
  readonly #changed = new vscode.EventEmitter<void>();
  /** Something that is shown changed: plan, planning or runs. */
  readonly onDidChange = this.#changed.event;
  readonly runs: RunFollower;
  readonly configPath: string;
  #plan: PlanView = { state: 'none' };
  #process: PlanProcess | null = null;
  #isDisposed = false;

  /** @param entry absolute path of the script or model.json */
  constructor(
    readonly entry: string,
    private readonly tools: SessionTools,
  ) {
    this.configPath = configOfEntry(entry);
    this.runs = new RunFollower(this.configPath, () => this.#changed.fire(), tools.log);
  }

  get name(): string {
    return path.basename(this.entry);
  }

  get plan(): PlanView {
    return this.#plan;
  }

  /** The size that is tried now; undefined while nothing is planned. */
  get trying(): number | null | undefined {
    return this.#plan.state === 'planning' ? this.#plan.trying : undefined;
  }

  /** Reads the config again, unless a planning shows its own state. */
  async readConfig(): Promise<void> {
    if (this.#process !== null) return;
    try {
      const view = await planViewOf(this.entry, this.configPath, (name) =>
        vscode.l10n.t('{0} was changed after it was planned.', name),
      );
      if (this.#process === null) this.#setPlan(view);
    } catch (error) {
      this.tools.log.error(`${this.configPath} cannot be read: ${messageOf(error)}`);
    }
  }

  /**
   * Plans the entry; a second call while one is under way gets the same.
   * @param onMessage called for each thing that happens
   */
  async planWith(
    request: PlanRequest,
    nodePath: string,
    onMessage: (message: PlanStreamMessage) => void,
  ): Promise<PlanOutcome> {
    if (this.#process !== null) return this.#process.done;
    const { log, cliFile } = this.tools;
    const scope = vscode.Uri.file(this.entry);
    const backend = setting('backend', scope);
    const device = setting('device', scope);
    const headroom = setting('headroomMegabytes', scope);
    this.#setPlan({
      state: 'planning',
      startedAt: new Date().toISOString(),
      trying: null,
      backend: null,
      inspection: null,
      budget: null,
      trials: [],
      isCancelling: false,
    });
    const process = startPlanProcess({
      nodePath,
      cliFile,
      entry: this.entry,
      ...request,
      headroomBytes: headroom === null ? null : headroom * 2 ** 20,
      backend: backend === 'auto' ? null : backend,
      device: device === '' ? null : device,
      cwd: path.dirname(this.entry),
      environment: hostEnvironment(),
      onMessage: (message) => {
        this.#follow(message);
        onMessage(message);
      },
      onOutput: (text) => log.trace(text.trimEnd()),
    });
    this.#process = process;
    const outcome = await process.done;
    this.#process = null;
    if (outcome.kind === 'failed') {
      log.error(`Planning ${this.entry} failed (${outcome.failure.kind}): ${outcome.failure.message}`);
      this.#setPlan({ state: 'failed', failure: outcome.failure });
    } else await this.readConfig();
    return outcome;
  }

  /** A planning that could not even start. */
  showFailure(failure: PlanFailure): void {
    this.#setPlan({ state: 'failed', failure });
  }

  async cancelPlanning(): Promise<void> {
    if (this.#process === null || this.#plan.state !== 'planning') return;
    this.#setPlan({ ...this.#plan, isCancelling: true });
    await this.#process.cancel();
  }

  dispose(): void {
    this.#isDisposed = true;
    // Not waited for: the planning ends by itself when this process lets go of it.
    void this.#process?.cancel();
    this.runs.dispose();
    this.#changed.dispose();
  }

  #setPlan(view: PlanView): void {
    this.#plan = view;
    if (!this.#isDisposed) this.#changed.fire();
  }

  #follow(message: PlanStreamMessage): void {
    if (this.#plan.state !== 'planning') return;
    const now: Planning = this.#plan;
    switch (message.type) {
      case 'backend':
        this.#setPlan({ ...now, backend: message.backend });
        break;
      case 'inspected':
        this.#setPlan({ ...now, inspection: message.inspection });
        break;
      case 'budget':
        this.#setPlan({ ...now, budget: message.budget });
        break;
      case 'trialStarted':
        this.#setPlan({ ...now, trying: message.microbatch });
        break;
      case 'trialEnded':
        this.#setPlan({ ...now, trying: null, trials: [...now.trials, message.trial] });
        break;
      default:
    }
  }
}

/** The environment for the user's processes: what VS Code added for its own is taken out. */
function hostEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(?:VSCODE|ELECTRON)_/.test(name)),
  );
}
