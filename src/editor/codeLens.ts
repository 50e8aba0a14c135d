// What stands above the training calls of a script: plan it, what was planned, start it.
import * as vscode from 'vscode';
import type { AccumulationConfig } from '../planning/configSchema';
import { splitBatch } from '../planning/microbatches';
import { formatCount } from '../planning/units';
import { configOfEntry, readSoundConfig } from './configFiles';
import { messageOf } from './log';
import { commandNames } from './names';
import { changes, setting } from './settings';
import { findTrainingCalls } from './trainingCalls';

export class TrainingCodeLens implements vscode.CodeLensProvider, vscode.Disposable {
  readonly #changed = new vscode.EventEmitter<void>();
  readonly onDidChangeCodeLenses = this.#changed.event;
  readonly #subscription: vscode.Disposable;

  constructor(private readonly log: vscode.LogOutputChannel) {
    this.#subscription = vscode.workspace.onDidChangeConfiguration((event) => {
      if (changes(event, 'codeLens')) this.#changed.fire();
    });
  }

  /** A config was written, changed or removed. */
  refresh(): void {
    this.#changed.fire();
  }

  async provideCodeLenses(
    document: vscode.TextDocument,
    token: vscode.CancellationToken,
  ): Promise<vscode.CodeLens[]> {
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

  dispose(): void {
    this.#subscription.dispose();
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
