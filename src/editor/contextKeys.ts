// Context keys for `when` clauses, set only when they change: each setting goes through the whole window.
import * as vscode from 'vscode';
import type { ContextName } from './names';

export class ContextKeys {
  /** As JSON. */
  readonly #values = new Map<ContextName, string>();

  set(name: ContextName, value: boolean | readonly string[]): void {
    const text = JSON.stringify(value);
    if (this.#values.get(name) === text) return;
    this.#values.set(name, text);
    void vscode.commands.executeCommand('setContext', name, value);
  }
}
