// Builds the objects of the editor's part and wires them; no logic.
import path from 'node:path';
import * as vscode from 'vscode';
import * as z from 'zod';
import { ActivityView } from './activityView';
import { TrainingCodeLens } from './codeLens';
import { createCommands, type Commands } from './commands';
import { ConfigDiagnostics } from './configDiagnostics';
import { ContextKeys } from './contextKeys';
import { Disposables } from './disposables';
import { EndNotice } from './endNotice';
import { EntryActions } from './entryActions';
import { EntryPages } from './entryPage';
import { GpuPoller } from './gpuPoller';
import { createLog, messageOf } from './log';
import { PageRestorer } from './pageRestorer';
import { Planning } from './planning';
import { Remedies } from './remedies';
import { Sessions } from './sessions';
import { StatusBar } from './statusBar';
import { TrainingScripts } from './trainingScripts';
import { TrainingTaskProvider } from './taskProvider';
import { Training } from './training';
import { UserNodeService } from './userNodeService';

const manifest = z.object({ version: z.string() });

/** What VS Code calls; it is registered before all this is loaded. */
export interface StartedEditor {
  readonly commands: Commands;
  readonly tasks: vscode.TaskProvider;
  readonly pages: vscode.WebviewPanelSerializer;
  readonly codeLenses: TrainingCodeLens;
}

export function startEditor(context: vscode.ExtensionContext): StartedEditor {
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
  const codeLenses = held.add(new TrainingCodeLens(log));

  held.add(new ActivityView(sessions, statusBar, contextKeys));
  held.add(new EndNotice(sessions, log));
  held.add(new ConfigDiagnostics());
  held.add(new TrainingScripts(contextKeys));
  held.add(sessions.onDidChangeConfigs(() => codeLenses.refresh()));
  held.add(vscode.workspace.onDidGrantWorkspaceTrust(() => codeLenses.refresh()));
  // Runs that went on while no window was there are found and shown. The activation does not wait for it.
  sessions
    .openAll()
    .catch((error: unknown) => log.error(`Configs cannot be looked for: ${messageOf(error)}`));
  return {
    commands: createCommands({
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
    tasks: new TrainingTaskProvider(nodes, cliFile, log),
    pages: new PageRestorer(sessions, pages),
    codeLenses,
  };
}
