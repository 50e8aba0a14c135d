// The task that trains: a process of its own that shows a run in the terminal. No logic of training is here.
import path from 'node:path';
import * as vscode from 'vscode';
import { problemMatchers } from './names';
import type { TrainingTaskDefinition } from './taskDefinition';

/** Absolute path of the config that a task trains from. */
export function configOfTask(definition: TrainingTaskDefinition, folder: vscode.Uri | null): string {
  return path.resolve(folder?.fsPath ?? '', definition.config);
}

/** Arguments of Node for a task. */
export function taskArguments(
  definition: TrainingTaskDefinition,
  configPath: string,
  cliFile: string,
): string[] {
  const { resume, runFolder } = definition;
  return [
    cliFile,
    'train',
    configPath,
    '--background',
    '--in-editor',
    ...(runFolder === undefined ? [] : ['--run-dir', path.resolve(path.dirname(configPath), runFolder)]),
    ...(resume === true ? ['--resume'] : []),
  ];
}

/** A task as VS Code runs it. `definition` must be the very object that VS Code gave, where it gave one. */
export function trainingTask(
  definition: vscode.TaskDefinition & TrainingTaskDefinition,
  scope: vscode.WorkspaceFolder | vscode.TaskScope,
  { nodePath, cliFile }: { readonly nodePath: string; readonly cliFile: string },
): vscode.Task {
  const folder = typeof scope === 'object' ? scope.uri : null;
  const configPath = configOfTask(definition, folder);
  const name = path.basename(configPath).replace(/\.accumulation\.json$/, '');
  const title =
    definition.resume === true ? vscode.l10n.t('resume {0}', name) : vscode.l10n.t('train {0}', name);
  const execution = new vscode.ProcessExecution(nodePath, taskArguments(definition, configPath, cliFile), {
    cwd: path.dirname(configPath),
  });
  const task = new vscode.Task(definition, scope, title, 'Batch Planner', execution, [...problemMatchers]);
  task.isBackground = true;
  task.detail = vscode.workspace.asRelativePath(configPath);
  task.presentationOptions = {
    panel: vscode.TaskPanelKind.Dedicated,
    clear: false,
    showReuseMessage: false,
  };
  return task;
}
