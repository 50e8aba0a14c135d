// What can be pressed on an entry's page, and what it does.
import * as vscode from 'vscode';
import type { PageMessage } from '../protocol/page';
import { copyAsCode } from './copyAsCode';
import type { EntrySession } from './entrySession';
import { commandNames } from './names';
import type { Planning } from './planning';
import { openPlace, type Remedies, remedyOf } from './remedies';
import type { Training } from './training';

export class EntryActions {
  constructor(
    private readonly planning: Planning,
    private readonly training: Training,
    private readonly remedies: Remedies,
  ) {}

  /** Does what a message of the page asks for. */
  async act(session: EntrySession, message: PageMessage): Promise<void> {
    if (message.type === 'manageTrust') {
      await vscode.commands.executeCommand('workbench.trust.manage');
      return;
    }
    if (startsSomething.has(message.type) && !(await isTrusted())) return;
    switch (message.type) {
      case 'plan': {
        const { targetBatchSize, budgetBytes, objective } = message;
        const request =
          targetBatchSize === null && session.plan.state === 'none'
            ? await this.planning.ask(session)
            : { targetBatchSize, budgetBytes, objective };
        if (request !== undefined) await this.planning.plan(session, request);
        break;
      }
      case 'cancelPlanning':
        await session.cancelPlanning();
        break;
      case 'startTraining':
        await this.training.start(session);
        break;
      case 'pauseRun':
        await this.training.pause(session);
        break;
      case 'resumeRun':
        await this.training.resume(session);
        break;
      case 'stopRun':
        await this.training.stop(session);
        break;
      case 'endRun':
        await this.training.end(session);
        break;
      case 'remedy': {
        const remedy = remedyOf(session.plan);
        if (remedy !== null) await this.remedies.apply(session, remedy);
        break;
      }
      case 'openConfig':
        await openPlace({ file: session.configPath, line: message.line });
        break;
      case 'copyAsCode':
        await copyAsCode(session);
        break;
      case 'openEntry':
        await openPlace({ file: session.entry, line: null });
        break;
      case 'openFailure': {
        const { plan } = session;
        const failure =
          session.runs.shown?.view()?.failure ?? (plan.state === 'failed' ? plan.failure : null);
        if (failure !== null) await openPlace(failure);
        break;
      }
      case 'openRunFolder': {
        const folder = session.runs.shown?.paths.folder;
        if (folder !== undefined) await revealFolder(folder);
        break;
      }
      case 'showRun':
        await session.runs.show(message.run);
        break;
      case 'compareRun':
        await session.runs.compare(message.run);
        break;
      case 'copyText':
        await vscode.env.clipboard.writeText(message.text);
        break;
      case 'showLog':
        await vscode.commands.executeCommand(commandNames.showLog);
        break;
      case 'showTerminal':
        this.training.showTerminal(session);
        break;
      case 'ready':
        break;
    }
  }
}

/** Messages that make code of the workspace run. */
const startsSomething: ReadonlySet<PageMessage['type']> = new Set([
  'plan',
  'startTraining',
  'resumeRun',
  'remedy',
]);

/** False in Restricted Mode, after a person was told how to leave it. */
export async function isTrusted(): Promise<boolean> {
  if (vscode.workspace.isTrusted) return true;
  const manage = vscode.l10n.t('Manage Workspace Trust');
  const answer = await vscode.window.showWarningMessage(
    vscode.l10n.t(
      'Planning and training run code of this folder, which Restricted Mode does not allow. Trust the folder first.',
    ),
    manage,
  );
  if (answer === manage) await vscode.commands.executeCommand('workbench.trust.manage');
  return false;
}

/** In the system's file manager; where the files are on another machine, in a terminal there. */
async function revealFolder(folder: string): Promise<void> {
  if (vscode.env.remoteName === undefined && vscode.env.uiKind === vscode.UIKind.Desktop) {
    await vscode.commands.executeCommand('revealFileInOS', vscode.Uri.file(folder));
  } else {
    vscode.window.createTerminal({ cwd: folder }).show();
  }
}
