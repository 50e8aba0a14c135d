// Which script or model.json a command is about: what it was called with, the file in front, or one that is picked.
import path from 'node:path';
import * as vscode from 'vscode';
import * as z from 'zod';
import { EntryError, recogniseEntry } from '../supervise/entry';
import { configSuffix } from './configFiles';
import { pickByFile } from './filePick';
import { commandNames, excludedPattern } from './names';
import { findTrainingCalls } from './trainingCalls';

const uriLike = z.looseObject({ scheme: z.string(), path: z.string() });

/** The file that a command's argument names: a Uri, as menus give it, or a path, as key bindings do. */
export function uriOf(value: unknown): vscode.Uri | null {
  if (value instanceof vscode.Uri) return value;
  if (typeof value === 'string' && value !== '') {
    const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
    return path.isAbsolute(value) || folder === undefined
      ? vscode.Uri.file(path.resolve(value))
      : vscode.Uri.joinPath(folder, value);
  }
  const checked = uriLike.safeParse(value);
  return checked.success ? vscode.Uri.from(checked.data) : null;
}

const entryExtension = /\.(?:[cm]?js|[cm]?ts|tsx)$/i;

/** True where a file may be an entry by its name. */
export function mayBeEntry(file: string): boolean {
  return entryExtension.test(file) || path.basename(file).toLowerCase() === 'model.json';
}

/**
 * The file in front, where it is an entry or the config of one; else the one that is picked among those of the
 * workspace. Null where nothing was picked, or there is nothing to pick: that is told.
 */
export async function locateEntry(given: unknown): Promise<vscode.Uri | null> {
  const named = uriOf(given);
  if (named !== null) return named;
  const active = vscode.window.activeTextEditor?.document;
  if (active?.uri.scheme === 'file') {
    if (active.uri.path.endsWith(configSuffix)) return active.uri;
    const isModel = path.basename(active.uri.path).toLowerCase() === 'model.json';
    if (isModel || (mayBeEntry(active.uri.path) && findTrainingCalls(active.getText()).length > 0)) {
      return active.uri;
    }
  }
  const candidates = await findCandidates();
  if (candidates.length === 1) return candidates[0] ?? null;
  if (candidates.length > 1) {
    return pickByFile(candidates, ({ fsPath }) => fsPath, {
      title: vscode.l10n.t('Which script or model?'),
      placeHolder: vscode.l10n.t('A training script or a model.json of this workspace'),
    });
  }
  const open = vscode.l10n.t('Open Example Project');
  const answer = await vscode.window.showErrorMessage(
    vscode.l10n.t(
      'There is no training script (with a call of fit, fitDataset or trainOnBatch) and no model.json in this workspace. Open one, or try the example.',
    ),
    open,
  );
  if (answer === open) await vscode.commands.executeCommand(commandNames.openExample);
  return null;
}

/** As many files as are looked into. */
const mostFiles = 500;

/** Scripts that train and models, of the whole workspace. */
async function findCandidates(): Promise<vscode.Uri[]> {
  const [models, scripts] = await Promise.all([
    vscode.workspace.findFiles('**/model.json', excludedPattern, mostFiles),
    vscode.workspace.findFiles('**/*.{js,cjs,mjs,ts,cts,mts,tsx}', excludedPattern, mostFiles),
  ]);
  const decoder = new TextDecoder();
  const trains = async (uri: vscode.Uri): Promise<boolean> => {
    const { size } = await vscode.workspace.fs.stat(uri);
    if (size > 1_000_000) return false;
    return findTrainingCalls(decoder.decode(await vscode.workspace.fs.readFile(uri))).length > 0;
  };
  const isModel = async (uri: vscode.Uri): Promise<boolean> => {
    try {
      await recogniseEntry(uri.fsPath);
      return true;
    } catch (error) {
      if (error instanceof EntryError) return false;
      throw error;
    }
  };
  const found = await Promise.all([
    ...scripts.map(async (uri) => ((await trains(uri)) ? uri : null)),
    ...models.map(async (uri) => ((await isModel(uri)) ? uri : null)),
  ]);
  return found.filter((uri) => uri !== null).sort((a, b) => a.path.localeCompare(b.path));
}
