// Where VS Code starts the extension: builds the objects, wires them, registers; no logic.
import path from 'node:path';
import * as vscode from 'vscode';
import * as z from 'zod';
import { ActivityView } from './editor/activityView';
import { codeLensLanguages, TrainingCodeLens } from './editor/codeLens';
import { registerCommands } from './editor/commands';
import { ConfigDiagnostics } from './editor/configDiagnostics';
import { ContextKeys } from './editor/contextKeys';
import { Disposables } from './editor/disposables';
import { EndNotice } from './editor/endNotice';
import { EntryActions } from './editor/entryActions';
import { EntryPages } from './editor/entryPage';
import { GpuPoller } from './editor/gpuPoller';
import { createLog, messageOf } from './editor/log';
import { pageViewType, taskType } from './editor/names';
import { PageRestorer } from './editor/pageRestorer';
import { Planning } from './editor/planning';
import { Remedies } from './editor/remedies';
import { Sessions } from './editor/sessions';
import { StatusBar } from './editor/statusBar';
import { TrainingScripts } from './editor/trainingScripts';
import { TrainingTaskProvider } from './editor/taskProvider';
import { Training } from './editor/training';
import { UserNodeService } from './editor/userNodeService';

const manifest = z.object({ version: z.string() });

/** VS Code says nothing of an activation that fails, so it is said here. */
export function activate(context: vscode.ExtensionContext): void {
  try {
    start(context);
  } catch (error) {
    void vscode.window.showErrorMessage(
      vscode.l10n.t('Batch Planner could not start: {0}', messageOf(error)),
    );
    throw error;
  }
}

function start(context: vscode.ExtensionContext): void {
  const { extensionUri, extensionPath, extension } = context;
  const { version } = manifest.parse(extension.packageJSON);
  const cliFile = path.join(extensionPath, 'dist', 'cli.js');
  const held = new Disposables();
  context.subscriptions.push(held);

  const log = held.add(createLog(version));
  const contextKeys = new ContextKeys();
  const nodes = held.add(new UserNodeService(log));
  const poller = held.add(new GpuPoller(path.join(extensionPath, 'dist', 'gpuReader.js'), log));
  const statusBar = held.add(new StatusBar(poller, contextKeys));
  const sessions = held.add(new Sessions({ cliFile, log }));
  const remedies = new Remedies({ nodes, cliFile });
  const planning = new Planning(nodes, remedies);
  const training = held.add(
    new Training({
      nodes,
      cliFile,
      log,
      sessionOfConfig: (configPath) => sessions.all.find((session) => session.configPath === configPath),
    }),
  );
  const pages = held.add(new EntryPages(new EntryActions(planning, training, remedies), extensionUri, log));
  const codeLens = held.add(new TrainingCodeLens());

  held.add(new ActivityView(sessions, statusBar, contextKeys));
  held.add(new EndNotice(sessions, log));
  held.add(new ConfigDiagnostics());
  held.add(new TrainingScripts(contextKeys));
  held.add(sessions.onDidChangeConfigs(() => codeLens.refresh()));
  held.add(vscode.workspace.onDidGrantWorkspaceTrust(() => codeLens.refresh()));
  held.add(vscode.languages.registerCodeLensProvider(codeLensLanguages, codeLens));
  held.add(vscode.tasks.registerTaskProvider(taskType, new TrainingTaskProvider(nodes, cliFile, log)));
  held.add(vscode.window.registerWebviewPanelSerializer(pageViewType, new PageRestorer(sessions, pages)));
  held.add(
    registerCommands({
      extensionUri,
      version,
      log,
      sessions,
      pages,
      planning,
      training,
      remedies,
      nodes,
      poller,
    }),
  );
  // Runs that went on while no window was there are found and shown. The activation does not wait for it.
  sessions
    .openAll()
    .catch((error: unknown) => log.error(`Configs cannot be looked for: ${messageOf(error)}`));
}
