// Says once that a training ended: where nobody looked, or where it took long.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as vscode from 'vscode';
import { formatCounted, formatDuration } from '../planning/units';
import type { RunView } from '../protocol/page';
import type { EntrySession } from './entrySession';
import { commandNames } from './names';
import type { Sessions } from './sessions';

/** A training that took less is over before one looks away, in ms. */
const longTraining = 60_000;

export class EndNotice implements vscode.Disposable {
  readonly #subscription: vscode.Disposable;
  /** Runs that this window saw training. */
  readonly #seen = new Set<string>();

  constructor(
    sessions: Sessions,
    private readonly log: vscode.LogOutputChannel,
  ) {
    this.#subscription = sessions.onDidChange((session) => this.#look(session));
  }

  dispose(): void {
    this.#subscription.dispose();
  }

  #look(session: EntrySession): void {
    const run = session.runs.shown?.view() ?? null;
    if (run === null) return;
    if (session.runs.isActive) this.#seen.add(run.folder);
    else if (this.#seen.delete(run.folder)) {
      this.#tell(session, run).catch((error: unknown) => this.log.error(String(error)));
    }
  }

  async #tell(session: EntrySession, run: RunView): Promise<void> {
    const ms = Date.parse(run.endedAt ?? new Date().toISOString()) - Date.parse(run.startedAt);
    const isFailure = run.state === 'failed' || run.state === 'interrupted';
    if (run.state === 'gone' || run.state === 'stopped') return;
    if (vscode.window.state.focused && ms < longTraining && !isFailure) return;
    if (!(await isFirst(run))) return;
    const open = vscode.l10n.t('Open Run');
    const resume = vscode.l10n.t('Resume');
    const answer = isFailure
      ? await vscode.window.showErrorMessage(failureText(session, run), open, resume)
      : await vscode.window.showInformationMessage(
          vscode.l10n.t(
            'Training {0} is done: {1} in {2}.',
            session.name,
            formatCounted(run.updates, 'update'),
            formatDuration(ms),
          ),
          open,
        );
    const argument = { entry: session.entry };
    if (answer === open) await vscode.commands.executeCommand(commandNames.openRun, argument);
    else if (answer === resume) await vscode.commands.executeCommand(commandNames.resume, argument);
  }
}

function failureText(session: EntrySession, run: RunView): string {
  return run.state === 'interrupted'
    ? vscode.l10n.t('Training {0} was interrupted: its process is gone.', session.name)
    : vscode.l10n.t('Training {0} failed: {1}', session.name, run.failure?.message ?? '');
}

/** Of several windows that watch one run, one tells of each end: the one that leaves its mark in the folder first. */
async function isFirst({ folder, attempts }: RunView): Promise<boolean> {
  try {
    await writeFile(path.join(folder, `told-${attempts}`), '', { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    // There already: told. No folder, or none that can be written: better told twice than never.
    return (error as NodeJS.ErrnoException).code !== 'EEXIST';
  }
}
