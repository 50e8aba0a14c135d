// The Node that runs the user's scripts, found once, and what a person is offered where there is none.
import * as vscode from 'vscode';
import { findUserNode, UserNodeError, type UserNode } from '../supervise/userNode';
import { commandNames, settingNames, settingsSection } from './names';
import { changes, saveSetting, setting } from './settings';

export class UserNodeService implements vscode.Disposable {
  /** Only a good answer is kept: what was missing may be installed a moment later. */
  #found: Promise<UserNode> | null = null;
  readonly #subscription: vscode.Disposable;

  constructor(private readonly log: vscode.LogOutputChannel) {
    this.#subscription = vscode.workspace.onDidChangeConfiguration((event) => {
      if (changes(event, 'nodePath')) this.#found = null;
    });
  }

  /** @throws UserNodeError with a sentence for a person */
  async find(): Promise<UserNode> {
    const configured = setting('nodePath');
    this.#found ??= findUserNode({
      configured: configured === '' ? null : configured,
      environment: process.env,
      platform: process.platform,
    });
    try {
      const node = await this.#found;
      return node;
    } catch (error) {
      this.#found = null;
      throw error;
    }
  }

  /** The Node, or null after a person was told why there is none, with what mends it as buttons. */
  async findOrTell(): Promise<UserNode | null> {
    try {
      const node = await this.find();
      this.log.debug(`Node ${node.version} (${node.arch}): ${node.nodePath}`);
      return node;
    } catch (error) {
      if (!(error instanceof UserNodeError)) throw error;
      this.log.error(error.message);
      void this.tell(error);
      return null;
    }
  }

  /** Lets a person name a Node by a file dialog. */
  async choose(): Promise<void> {
    const [file] =
      (await vscode.window.showOpenDialog({
        title: vscode.l10n.t('Choose the Node.js that runs your scripts'),
        openLabel: vscode.l10n.t('Use this Node.js'),
        canSelectMany: false,
      })) ?? [];
    if (file !== undefined) await saveSetting('nodePath', file.fsPath);
  }

  dispose(): void {
    this.#subscription.dispose();
  }

  private async tell(error: UserNodeError): Promise<void> {
    const choose = vscode.l10n.t('Choose Node.js…');
    const settings = vscode.l10n.t('Open Setting');
    const log = vscode.l10n.t('Show Log');
    const answer = await vscode.window.showErrorMessage(error.message, choose, settings, log);
    if (answer === choose) await this.choose();
    else if (answer === settings) {
      await vscode.commands.executeCommand(
        'workbench.action.openSettings',
        `${settingsSection}.${settingNames.nodePath}`,
      );
    } else if (answer === log) await vscode.commands.executeCommand(commandNames.showLog);
  }
}
