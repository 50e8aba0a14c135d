// The menu of the status bar item.
import * as vscode from 'vscode';
import { commandNames, settingsSection } from './names';

/** Shows what can be done from the status bar, and does what is picked. */
export async function showMenu(): Promise<void> {
  const { t } = vscode.l10n;
  const items = [
    { label: t('$(rocket) Plan Batch Size'), command: commandNames.plan },
    { label: t('$(play) Start Training'), command: commandNames.train },
    { label: t('$(graph-line) Open Run'), command: commandNames.openRun },
    { label: t('$(server) Select GPU'), command: commandNames.selectGpu },
    { label: t('$(output) Show Log'), command: commandNames.showLog },
    { label: t('$(gear) Settings'), command: 'workbench.action.openSettings', argument: settingsSection },
  ];
  const allowed = vscode.workspace.isTrusted
    ? items
    : items.filter(({ command }) => command !== commandNames.plan && command !== commandNames.train);
  const picked = await vscode.window.showQuickPick(allowed, { title: t('Batch Planner') });
  if (picked !== undefined) await vscode.commands.executeCommand(picked.command, picked.argument);
}
