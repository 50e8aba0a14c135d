// Where VS Code starts the extension: registers what it may call at once, and loads all else a moment later or when it is
// called, so that no window waits for it.
import * as vscode from 'vscode';
import { commandNames, pageViewType, scriptSelector, taskType } from './editor/names';
import type { StartedEditor } from './editor/startEditor';

/** After the window has started, in ms. */
const loadPause = 50;

export function activate(context: vscode.ExtensionContext): void {
  let started: Promise<StartedEditor> | null = null;
  const editor = (): Promise<StartedEditor> => (started ??= load(context));
  const lensesChanged = new vscode.EventEmitter<void>();
  context.subscriptions.push(
    lensesChanged,
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
    vscode.languages.registerCodeLensProvider(scriptSelector, {
      onDidChangeCodeLenses: lensesChanged.event,
      provideCodeLenses: async (document, token) =>
        (await editor()).codeLenses.provideCodeLenses(document, token),
    }),
  );
  const timer = setTimeout(() => void loadAtStart(), loadPause);
  context.subscriptions.push({ dispose: () => clearTimeout(timer) });

  /** What VS Code has asked until then, and may have had no answer to, it asks again. */
  async function loadAtStart(): Promise<void> {
    const { codeLenses } = await editor();
    context.subscriptions.push(codeLenses.onDidChangeCodeLenses(() => lensesChanged.fire()));
    lensesChanged.fire();
  }
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
