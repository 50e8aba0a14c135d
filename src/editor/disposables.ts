// Things that must be let go of together.
import type * as vscode from 'vscode';

/** Keeps disposables and disposes them in the reverse order of their coming. */
export class Disposables implements vscode.Disposable {
  readonly #held: vscode.Disposable[] = [];

  add<Held extends vscode.Disposable>(held: Held): Held {
    this.#held.push(held);
    return held;
  }

  dispose(): void {
    for (const held of this.#held.splice(0).reverse()) held.dispose();
  }
}
