// Offers a training task for each accumulation config, in Run Task and for tasks.json.
import * as vscode from 'vscode';
import { checkOutside } from '../protocol/outsideValue';
import { configPattern, excludedPattern, taskType } from './names';
import { setting } from './settings';
import { taskDefinition } from './taskDefinition';
import { trainingTask } from './trainingTask';
import type { UserNodeService } from './userNodeService';

export class TrainingTaskProvider implements vscode.TaskProvider {
  constructor(
    private readonly nodes: UserNodeService,
    private readonly cliFile: string,
    private readonly log: vscode.LogOutputChannel,
  ) {}

  async provideTasks(): Promise<vscode.Task[]> {
    if (!vscode.workspace.isTrusted) return [];
    const tasks: vscode.Task[] = [];
    const configs = await vscode.workspace.findFiles(configPattern, excludedPattern);
    if (configs.length === 0) return [];
    const node = await this.#node();
    for (const config of configs) {
      const folder = vscode.workspace.getWorkspaceFolder(config);
      if (folder === undefined || node === null || !setting('autoDetectTasks', folder.uri)) continue;
      const definition = {
        type: taskType,
        config: vscode.workspace.asRelativePath(config, false),
      } as const;
      tasks.push(trainingTask(definition, folder, { nodePath: node, cliFile: this.cliFile }));
    }
    return tasks;
  }

  async resolveTask(task: vscode.Task): Promise<vscode.Task | undefined> {
    const checked = checkOutside(taskDefinition, task.definition);
    if (!checked.success) {
      this.log.error(`tasks.json: ${checked.error.issues.map(({ message }) => message).join('; ')}`);
      return undefined;
    }
    const node = await this.#node();
    if (node === null) return undefined;
    const scope = task.scope ?? vscode.TaskScope.Workspace;
    // VS Code recognises a resolved task by its definition: it must be the same object.
    const definition = task.definition as vscode.TaskDefinition & typeof checked.data;
    return trainingTask(definition, scope, { nodePath: node, cliFile: this.cliFile });
  }

  async #node(): Promise<string | null> {
    return (await this.nodes.findOrTell())?.nodePath ?? null;
  }
}
