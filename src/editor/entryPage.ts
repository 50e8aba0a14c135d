// The page of an entry: one panel that shows its plan and its run, and does what is pressed there.
import path from 'node:path';
import * as vscode from 'vscode';
import type { PageMessage, PageView } from '../protocol/page';
import type { EntryActions } from './entryActions';
import type { EntrySession } from './entrySession';
import { messageOf } from './log';
import { pageViewType } from './names';
import { pageHtml } from './pageHtml';
import { PageMessages } from './pageMessages';

export class EntryPage implements vscode.Disposable {
  readonly #messages: PageMessages;
  readonly #subscriptions: vscode.Disposable[];

  constructor(
    readonly panel: vscode.WebviewPanel,
    readonly session: EntrySession,
    private readonly actions: EntryActions,
    extensionUri: vscode.Uri,
    private readonly log: vscode.LogOutputChannel,
  ) {
    const { webview } = panel;
    const file = (...parts: string[]): vscode.Uri => vscode.Uri.joinPath(extensionUri, ...parts);
    webview.options = { enableScripts: true, localResourceRoots: [file('dist'), file('media')] };
    panel.iconPath = file('media', 'icon.png');
    this.#messages = new PageMessages(
      webview,
      { view: () => this.#view(), watchers: () => session.runs.watchers },
      log,
      (message) => this.#act(message),
    );
    this.#subscriptions = [
      this.#messages,
      session.onDidChange(() => this.#messages.refresh()),
      vscode.workspace.onDidGrantWorkspaceTrust(() => this.#messages.refresh()),
      panel.onDidChangeViewState(() => {
        session.runs.setVisible(panel.visible);
        if (!panel.visible) this.#messages.hidden();
      }),
    ];
    session.runs.setVisible(panel.visible);
    const files = {
      cspSource: webview.cspSource,
      scriptUri: webview.asWebviewUri(file('dist', 'page.js')).toString(),
      styleUri: webview.asWebviewUri(file('dist', 'page.css')).toString(),
    };
    webview.html = pageHtml(files, session.entry, vscode.env.language);
  }

  dispose(): void {
    this.session.runs.setVisible(false);
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  #view(): PageView {
    const { session } = this;
    const { shown, earlier, compared } = session.runs;
    return {
      entryName: session.name,
      entryPath: vscode.workspace.asRelativePath(session.entry),
      isTrusted: vscode.workspace.isTrusted,
      plan: session.plan,
      run: shown?.view() ?? null,
      earlierRuns: earlier,
      comparedRun: compared?.paths.name ?? null,
    };
  }

  async #act(message: PageMessage): Promise<void> {
    try {
      await this.actions.act(this.session, message);
    } catch (error) {
      this.log.error(error instanceof Error ? error : String(error));
      await vscode.window.showErrorMessage(messageOf(error));
    }
  }
}

/** All open pages, one for each entry. */
export class EntryPages implements vscode.Disposable {
  readonly #pages = new Map<string, EntryPage>();

  constructor(
    private readonly actions: EntryActions,
    private readonly extensionUri: vscode.Uri,
    private readonly log: vscode.LogOutputChannel,
  ) {}

  /** Shows an entry's page, beside the editor where it is new. */
  open(session: EntrySession, options: { readonly preserveFocus?: boolean } = {}): void {
    const { preserveFocus = false } = options;
    const page = this.#pages.get(session.entry);
    if (page !== undefined) {
      page.panel.reveal(undefined, preserveFocus);
      return;
    }
    const column =
      vscode.window.activeTextEditor === undefined ? vscode.ViewColumn.Active : vscode.ViewColumn.Beside;
    const title = vscode.l10n.t('Batch Planner: {0}', path.basename(session.entry));
    const panel = vscode.window.createWebviewPanel(pageViewType, title, {
      viewColumn: column,
      preserveFocus,
    });
    this.adopt(panel, session);
  }

  /** Fills a panel that VS Code brought back. */
  adopt(panel: vscode.WebviewPanel, session: EntrySession): void {
    const page = new EntryPage(panel, session, this.actions, this.extensionUri, this.log);
    this.#pages.set(session.entry, page);
    panel.onDidDispose(() => {
      page.dispose();
      if (this.#pages.get(session.entry) === page) this.#pages.delete(session.entry);
    });
  }

  /** The session whose page is in front; null where none is. */
  get active(): EntrySession | null {
    for (const { panel, session } of this.#pages.values()) if (panel.active) return session;
    return null;
  }

  dispose(): void {
    for (const page of [...this.#pages.values()]) page.dispose();
    this.#pages.clear();
  }
}
