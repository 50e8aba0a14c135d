// Tells VS Code which of the shown files train a model: the button in their title bar is for those alone.
import * as vscode from 'vscode';
import type { ContextKeys } from './contextKeys';
import { mayBeEntry } from './entryLocator';
import { contextNames } from './names';
import { findTrainingCalls } from './trainingCalls';

/** After the last key, in ms. */
const pause = 500;

export class TrainingScripts implements vscode.Disposable {
  readonly #subscriptions: vscode.Disposable[];
  #timer: NodeJS.Timeout | null = null;

  constructor(private readonly contextKeys: ContextKeys) {
    this.#subscriptions = [
      vscode.window.onDidChangeVisibleTextEditors(() => this.#look()),
      vscode.workspace.onDidChangeTextDocument(({ document }) => {
        if (document.uri.scheme === 'file' && mayBeEntry(document.uri.path)) this.#lookLater();
      }),
    ];
    this.#look();
  }

  dispose(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  #lookLater(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), pause);
  }

  #look(): void {
    const documents = vscode.window.visibleTextEditors.map(({ document }) => document);
    const scripts = documents.filter((document) => {
      const { scheme, path } = document.uri;
      if (scheme !== 'file' || !mayBeEntry(path)) return false;
      return path.endsWith('.json') || findTrainingCalls(document.getText()).length > 0;
    });
    this.contextKeys.set(
      contextNames.trainingScripts,
      [...new Set(scripts.map(({ uri }) => uri.fsPath))].sort(),
    );
  }
}
