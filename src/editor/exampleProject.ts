// Open Example Project: a copy of the digits example in a folder of the user's choice.
import path from 'node:path';
import * as vscode from 'vscode';

/**
 * Asks where, copies, and opens the script there.
 * @param parent folder to copy into; undefined: it is asked for
 */
export async function openExampleProject(extensionUri: vscode.Uri, parent: vscode.Uri | null): Promise<void> {
  const [chosen] =
    parent !== null
      ? [parent]
      : ((await vscode.window.showOpenDialog({
          title: vscode.l10n.t('Where should the example project go?'),
          openLabel: vscode.l10n.t('Copy It Here'),
          canSelectFiles: false,
          canSelectFolders: true,
          canSelectMany: false,
        })) ?? []);
  if (chosen === undefined) return;
  const target = await freeFolder(chosen);
  await vscode.workspace.fs.copy(vscode.Uri.joinPath(extensionUri, 'media', 'examples', 'digits'), target);
  const isInside = vscode.workspace.getWorkspaceFolder(target) !== undefined;
  if (isInside) {
    await vscode.window.showTextDocument(vscode.Uri.joinPath(target, 'train.js'));
    return;
  }
  const open = vscode.l10n.t('Open Folder');
  const answer = await vscode.window.showInformationMessage(
    vscode.l10n.t('The example project is in {0}.', target.fsPath),
    open,
  );
  if (answer === open) await vscode.commands.executeCommand('vscode.openFolder', target);
}

/** A name that nothing has yet: what is there is never written over. */
async function freeFolder(parent: vscode.Uri): Promise<vscode.Uri> {
  for (let number = 1; ; number++) {
    const name = number === 1 ? 'batch-planner-digits' : `batch-planner-digits-${number}`;
    const folder = vscode.Uri.joinPath(parent, name);
    try {
      await vscode.workspace.fs.stat(folder);
    } catch (error) {
      if (error instanceof vscode.FileSystemError && error.code === 'FileNotFound') return folder;
      throw new Error(`${path.join(parent.fsPath, name)}: ${String(error)}`, { cause: error });
    }
  }
}
