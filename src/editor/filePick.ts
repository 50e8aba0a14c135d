// A choice among things that each stand for a file of the workspace.
import path from 'node:path';
import * as vscode from 'vscode';

/** Shows them by file name; the folder beside it tells those of one name apart. Null where nothing was picked. */
export async function pickByFile<Thing>(
  things: readonly Thing[],
  fileOf: (thing: Thing) => string,
  options: Pick<vscode.QuickPickOptions, 'title' | 'placeHolder'>,
): Promise<Thing | null> {
  const items = things.map((thing) => {
    const file = fileOf(thing);
    const description = vscode.workspace.asRelativePath(path.dirname(file));
    return { label: path.basename(file), description, thing };
  });
  const picked = await vscode.window.showQuickPick(items, { ...options, matchOnDescription: true });
  return picked?.thing ?? null;
}
