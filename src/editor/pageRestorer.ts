// Brings pages back after a reload of the window: each page kept which entry it is of.
import * as vscode from 'vscode';
import { checkOutside } from '../protocol/outsideValue';
import { pageState } from '../protocol/page';
import type { EntryPages } from './entryPage';
import type { Sessions } from './sessions';

export class PageRestorer implements vscode.WebviewPanelSerializer {
  constructor(
    private readonly sessions: Sessions,
    private readonly pages: EntryPages,
  ) {}

  async deserializeWebviewPanel(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
    const checked = checkOutside(pageState, state);
    if (!checked.success) {
      panel.dispose();
      return;
    }
    this.pages.adopt(panel, await this.sessions.of(vscode.Uri.file(checked.data.entry)));
  }
}
