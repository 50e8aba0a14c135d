// Mistakes in accumulation configs, shown where they are while a config is open.
import { stat } from 'node:fs/promises';
import * as vscode from 'vscode';
import type { AccumulationConfig } from '../planning/configSchema';
import { readConfig } from '../planning/readConfig';
import { formatCount } from '../planning/units';
import { configSuffix, entryOfConfig } from './configFiles';

/** After the last key, in ms. */
const pause = 250;

export class ConfigDiagnostics implements vscode.Disposable {
  readonly #collection = vscode.languages.createDiagnosticCollection('batchPlanner');
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #subscriptions: vscode.Disposable[];

  constructor() {
    this.#subscriptions = [
      this.#collection,
      vscode.workspace.onDidOpenTextDocument((document) => this.#look(document, 0)),
      vscode.workspace.onDidChangeTextDocument(({ document }) => this.#look(document, pause)),
      vscode.workspace.onDidSaveTextDocument((document) => this.#look(document, 0)),
      vscode.workspace.onDidCloseTextDocument((document) => this.#forget(document)),
    ];
    for (const document of vscode.workspace.textDocuments) this.#look(document, 0);
  }

  dispose(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  #look(document: vscode.TextDocument, after: number): void {
    if (!document.uri.path.endsWith(configSuffix)) return;
    const key = document.uri.toString();
    clearTimeout(this.#timers.get(key));
    this.#timers.set(
      key,
      setTimeout(() => void this.#check(document), after),
    );
  }

  #forget(document: vscode.TextDocument): void {
    const key = document.uri.toString();
    clearTimeout(this.#timers.get(key));
    this.#timers.delete(key);
    this.#collection.delete(document.uri);
  }

  async #check(document: vscode.TextDocument): Promise<void> {
    const { version } = document;
    const text = document.getText();
    const { config, problems = [] } = readConfig(text);
    const found = problems.map(({ message, offset, length }) =>
      diagnostic(document, offset, length, message, vscode.DiagnosticSeverity.Error),
    );
    if (config !== undefined) found.push(...(await doubts(document, text, config)));
    // What was typed meanwhile has a check of its own under way.
    if (document.version === version && !document.isClosed) this.#collection.set(document.uri, found);
  }
}

/** What is sound as a config and yet will not do what it says. */
async function doubts(
  document: vscode.TextDocument,
  text: string,
  config: AccumulationConfig,
): Promise<vscode.Diagnostic[]> {
  const found: vscode.Diagnostic[] = [];
  const at = (key: string, message: string, severity: vscode.DiagnosticSeverity): void => {
    const place = new RegExp(`"${key}"\\s*:\\s*`).exec(text);
    const offset = place === null ? 0 : place.index + place[0].length;
    const length = /^(?:"[^"\n]*"|[^,\s}]+)/.exec(text.slice(offset))?.[0].length ?? 1;
    found.push(diagnostic(document, offset, length, message, severity));
  };
  if (document.uri.scheme === 'file') {
    const entry = entryOfConfig(document.uri.fsPath, config);
    const isThere = await stat(entry).then(
      () => true,
      (error: NodeJS.ErrnoException) => error.code !== 'ENOENT' && error.code !== 'ENOTDIR',
    );
    if (!isThere) {
      const message = vscode.l10n.t(
        'There is no file {0}: name the script or model.json that this config is for.',
        entry,
      );
      at('entry', message, vscode.DiagnosticSeverity.Error);
    }
  }
  const largest = config.measured?.largestMicrobatch;
  if (largest !== undefined && config.microbatchSize > largest && config.measured?.proof !== 'cap') {
    const message = vscode.l10n.t(
      'The largest microbatch that was measured to fit is {0}: {1} may run out of memory.',
      formatCount(largest),
      formatCount(config.microbatchSize),
    );
    at('microbatchSize', message, vscode.DiagnosticSeverity.Warning);
  }
  return found;
}

function diagnostic(
  document: vscode.TextDocument,
  offset: number,
  length: number,
  message: string,
  severity: vscode.DiagnosticSeverity,
): vscode.Diagnostic {
  const range = new vscode.Range(
    document.positionAt(offset),
    document.positionAt(offset + Math.max(1, length)),
  );
  const found = new vscode.Diagnostic(range, message, severity);
  found.source = 'Batch Planner';
  return found;
}
