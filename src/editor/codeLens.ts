// What stands above the training calls of a script: plan it, what was planned, start it.
import * as vscode from 'vscode';
import type { AccumulationConfig } from '../planning/configSchema';
import { splitBatch } from '../planning/microbatches';
import { formatCount } from '../planning/units';
import { configOfEntry, readSoundConfig } from './configFiles';
import { messageOf } from './log';
import { commandNames, scriptSelector } from './names';
import { changes, setting } from './settings';
import { findTrainingCalls } from './trainingCalls';

/** How long VS Code may take to ask of a script that it shows, in ms, and how often it is reminded. */
const reminder = { afterMs: 1_000, times: 5 };

export class TrainingCodeLens implements vscode.CodeLensProvider, vscode.Disposable {
  readonly #changed = new vscode.EventEmitter<void>();
  readonly onDidChangeCodeLenses = this.#changed.event;
  readonly #subscriptions: vscode.Disposable[];
  /** Documents that VS Code has asked of. */
  readonly #asked = new WeakSet<vscode.TextDocument>();
  #timer: NodeJS.Timeout | null = null;

  constructor(private readonly log: vscode.LogOutputChannel) {
    this.#subscriptions = [
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (changes(event, 'codeLens')) this.#changed.fire();
      }),
      vscode.window.onDidChangeVisibleTextEditors(() => this.#remind(reminder.times)),
    ];
    this.#remind(reminder.times);
  }

  /** A config was written, changed or removed. */
  refresh(): void {
    this.#changed.fire();
  }

  async provideCodeLenses(
    document: vscode.TextDocument,
    token: vscode.CancellationToken,
  ): Promise<vscode.CodeLens[]> {
    this.#asked.add(document);
    if (!setting('codeLens', document.uri) || !vscode.workspace.isTrusted) return [];
    const calls = findTrainingCalls(document.getText());
    if (calls.length === 0) return [];
    const config = await this.#configOf(document.uri.fsPath);
    if (token.isCancellationRequested) return [];
    const argument = { entry: document.uri.fsPath };
    const commands: vscode.Command[] = [
      { command: commandNames.plan, title: vscode.l10n.t('Plan batch size'), arguments: [argument] },
    ];
    if (config?.measured !== undefined) {
      commands.push(
        {
          command: commandNames.openPlan,
          title: plannedText(config.targetBatchSize, config.microbatchSize, config.measured),
          arguments: [argument],
        },
        { command: commandNames.train, title: vscode.l10n.t('Start training'), arguments: [argument] },
      );
    }
    return calls.flatMap(({ line }) =>
      commands.map((command) => new vscode.CodeLens(new vscode.Range(line, 0, line, 0), command)),
    );
  }

  /** A config that cannot be read takes nothing away but what would be told of it. */
  async #configOf(entry: string): Promise<AccumulationConfig | null> {
    const file = configOfEntry(entry);
    try {
      return await readSoundConfig(file);
    } catch (error) {
      this.log.error(`${file} cannot be read: ${messageOf(error)}`);
      return null;
    }
  }

  /**
   * VS Code asks a moment after it shows a script, and not at all where that loses the focus meanwhile: nothing would stand
   * there until a person clicks into the text.
   */
  #remind(times: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const isMissed = vscode.window.visibleTextEditors.some(
        ({ document }) => vscode.languages.match(scriptSelector, document) > 0 && !this.#asked.has(document),
      );
      if (!isMissed) return;
      this.#changed.fire();
      if (times > 1) this.#remind(times - 1);
    }, reminder.afterMs);
  }

  dispose(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const subscription of this.#subscriptions) subscription.dispose();
    this.#changed.dispose();
  }
}

/** `2,048 = 94 × ≤ 22 · planned today on RTX 3070` */
function plannedText(
  target: number,
  microbatch: number,
  {
    plannedAt,
    device,
    backend,
  }: { plannedAt: string; device: { name: string } | null; backend: { name: string } },
): string {
  const steps = splitBatch(target, microbatch).length;
  const sizes =
    steps === 1
      ? vscode.l10n.t('{0} at once', formatCount(target))
      : vscode.l10n.t('{0} = {1} × ≤ {2}', formatCount(target), formatCount(steps), formatCount(microbatch));
  const where = device?.name.replace(/^NVIDIA (?:GeForce )?/, '') ?? backend.name;
  return vscode.l10n.t('{0} · planned {1} on {2}', sizes, dayOf(new Date(plannedAt), new Date()), where);
}

/** `today`, `yesterday`, `3 days ago`, in the editor's language. */
export function dayOf(time: Date, now: Date): string {
  const midnight = (of: Date): number => new Date(of.getFullYear(), of.getMonth(), of.getDate()).getTime();
  const days = Math.round((midnight(time) - midnight(now)) / 86_400_000);
  return new Intl.RelativeTimeFormat(vscode.env.language, { numeric: 'auto' }).format(days, 'day');
}
