// Brings pages back after a reload of the window: each page kept which entry it is of.
import * as vscode from 'vscode';
import * as z from 'zod';
import type { EntryPages } from './entryPage';
import type { Sessions } from './sessions';

const pageState = z.looseObject({ entry: z.string().min(1) });

export class PageRestorer implements vscode.WebviewPanelSerializer {
  constructor(
    private readonly sessions: Sessions,
    private readonly pages: EntryPages,
  ) {}

  async deserializeWebviewPanel(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
    const checked = pageState.safeParse(state);
    if (!checked.success) {
      panel.dispose();
      return;
    }
    this.pages.adopt(panel, await this.sessions.of(vscode.Uri.file(checked.data.entry)));
  }
}
