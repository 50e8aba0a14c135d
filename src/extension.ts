// Where VS Code starts the extension: registers what it may call at once, and loads all else a moment later or when it is
// called, so that no window waits for it.
import * as vscode from 'vscode';
import { commandNames, pageViewType, taskType } from './editor/names';
import type { StartedEditor } from './editor/startEditor';

/** After the window has started, in ms. */
const loadPause = 50;

export function activate(context: vscode.ExtensionContext): void {
  let started: Promise<StartedEditor> | null = null;
  const editor = (): Promise<StartedEditor> => (started ??= load(context));
  context.subscriptions.push(
    ...Object.values(commandNames).map((name) =>
      vscode.commands.registerCommand(name, async (given: unknown) => (await editor()).commands[name](given)),
    ),
    vscode.tasks.registerTaskProvider(taskType, {
      provideTasks: async (token) => (await editor()).tasks.provideTasks(token),
      resolveTask: async (task, token) => (await editor()).tasks.resolveTask(task, token),
    }),
    vscode.window.registerWebviewPanelSerializer(pageViewType, {
      deserializeWebviewPanel: async (panel, state) =>
        (await editor()).pages.deserializeWebviewPanel(panel, state),
    }),
  );
  const timer = setTimeout(() => void editor(), loadPause);
  context.subscriptions.push({ dispose: () => clearTimeout(timer) });
}

/** VS Code says nothing of a start that fails, so it is said here. */
async function load(context: vscode.ExtensionContext): Promise<StartedEditor> {
  try {
    const { startEditor } = await import('./editor/startEditor');
    return startEditor(context);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    void vscode.window.showErrorMessage(vscode.l10n.t('Batch Planner could not start: {0}', reason));
    throw error;
  }
}
