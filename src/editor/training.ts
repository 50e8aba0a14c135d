// Starting, pausing, going on with and stopping a training, as a person asks for it.
import path from 'node:path';
import * as vscode from 'vscode';
import { checkOutside } from '../protocol/outsideValue';
import type { RunView } from '../protocol/page';
import { readConfigText } from './configFiles';
import type { EntrySession } from './entrySession';
import { commandNames, taskType } from './names';
import { taskDefinition } from './taskDefinition';
import { trainingTask } from './trainingTask';
import type { UserNodeService } from './userNodeService';

/** After a task's process ended, how long the run's own end is waited for, in ms. */
const endPause = 2_000;

export interface TrainingTools {
  readonly nodes: UserNodeService;
  readonly cliFile: string;
  readonly log: vscode.LogOutputChannel;
  /** The session of a config, where it is known. */
  sessionOfConfig(configPath: string): EntrySession | undefined;
}

export class Training implements vscode.Disposable {
  readonly #subscription: vscode.Disposable;
  #isDisposed = false;

  constructor(private readonly tools: TrainingTools) {
    this.#subscription = vscode.tasks.onDidEndTaskProcess(({ execution }) => this.#taskEnded(execution.task));
  }

  /** Starts a new training. What stands in the way is told. */
  async start(session: EntrySession): Promise<void> {
    // Another window, or a terminal, may have started one that this window was not told of yet.
    await session.runs.look();
    if (session.runs.isActive) {
      const open = vscode.l10n.t('Open Run');
      const answer = await vscode.window.showWarningMessage(
        vscode.l10n.t('{0} is being trained already: stop that run first.', session.name),
        open,
      );
      if (answer === open)
        await vscode.commands.executeCommand(commandNames.openRun, { entry: session.entry });
      return;
    }
    await this.#execute(session, {});
  }

  /** Goes on with the shown run: from its pause, or from what it saved. */
  async resume(session: EntrySession): Promise<void> {
    await session.runs.look();
    const run = session.runs.shown;
    if (run === null) return;
    if (session.runs.isActive) await run.request('run');
    else await this.#execute(session, { resume: true, runFolder: run.paths.folder });
  }

  async pause(session: EntrySession): Promise<void> {
    await session.runs.shown?.request('pause');
  }

  /** Ends it after its update, saved. */
  async stop(session: EntrySession): Promise<void> {
    await session.runs.shown?.request('stop');
  }

  /** Ends it at once; what was done since it was last saved is lost, so it is asked. */
  async end(session: EntrySession): Promise<void> {
    const end = vscode.l10n.t('End at Once');
    const answer = await vscode.window.showWarningMessage(
      vscode.l10n.t('End the training at once?'),
      { modal: true, detail: vscode.l10n.t('What was done since the last checkpoint is lost.') },
      end,
    );
    if (answer === end) await session.runs.shown?.request('end');
  }

  /** Shows the terminal of a training that this window started. */
  showTerminal(session: EntrySession): void {
    const name = path.basename(session.configPath).replace(/\.accumulation\.json$/, '');
    const terminal = vscode.window.terminals.findLast(
      (each) => each.name.includes(name) && each.creationOptions.name !== undefined,
    );
    if (terminal === undefined) void vscode.commands.executeCommand('workbench.action.terminal.focus');
    else terminal.show();
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#subscription.dispose();
  }

  async #execute(
    session: EntrySession,
    how: { readonly resume?: boolean; readonly runFolder?: string },
  ): Promise<void> {
    if (!(await configSaved(session.configPath))) return;
    await session.readConfig();
    const { plan } = session;
    if (plan.state === 'badConfig') {
      const open = vscode.l10n.t('Open Config');
      const [problem] = plan.problems;
      const answer = await vscode.window.showErrorMessage(
        vscode.l10n.t(
          'The config has a mistake in line {0}: {1}',
          problem?.line ?? 1,
          problem?.message ?? '',
        ),
        open,
      );
      if (answer === open) await vscode.window.showTextDocument(vscode.Uri.file(session.configPath));
      return;
    }
    if ((await readConfigText(session.configPath)) === null) {
      const planIt = vscode.l10n.t('Plan Batch Size');
      const answer = await vscode.window.showInformationMessage(
        vscode.l10n.t('{0} has no plan yet.', session.name),
        planIt,
      );
      if (answer === planIt)
        await vscode.commands.executeCommand(commandNames.plan, { entry: session.entry });
      return;
    }
    const node = await this.tools.nodes.findOrTell();
    if (node === null) return;
    const folder = vscode.workspace.getWorkspaceFolder(vscode.Uri.file(session.configPath));
    const definition = {
      type: taskType,
      config:
        folder === undefined ? session.configPath : path.relative(folder.uri.fsPath, session.configPath),
      ...how,
    } as const;
    const task = trainingTask(definition, folder ?? vscode.TaskScope.Workspace, {
      nodePath: node.nodePath,
      cliFile: this.tools.cliFile,
    });
    // The page shows the run: the terminal is there for who asks for it, also when a stop ends it with a code of its own.
    task.presentationOptions = { ...task.presentationOptions, reveal: vscode.TaskRevealKind.Never };
    await vscode.tasks.executeTask(task);
    session.runs.expectNewRun();
  }

  /**
   * Terminate Task and the terminal's bin end only what shows the run: then the run is asked to stop too. A window
   * that closes ends its terminals as well, but then this code is gone before the pause is over, and the run goes on.
   */
  #taskEnded(task: vscode.Task): void {
    const checked = checkOutside(taskDefinition, task.definition);
    if (!checked.success) return;
    const folder = typeof task.scope === 'object' ? task.scope.uri.fsPath : '';
    const session = this.tools.sessionOfConfig(path.resolve(folder, checked.data.config));
    if (session === undefined) return;
    const before = session.runs.shown?.view() ?? null;
    if (before === null) return;
    setTimeout(() => {
      if (!this.#isDisposed) {
        this.#stopLeftRun(session, before).catch((error: unknown) =>
          this.tools.log.error(`The run cannot be looked at: ${String(error)}`),
        );
      }
    }, endPause);
  }

  /** Stops a run that still goes on, unless it is another one, or was started anew meanwhile. */
  async #stopLeftRun(session: EntrySession, before: RunView): Promise<void> {
    await session.runs.look();
    const now = session.runs.shown?.view() ?? null;
    if (now?.name !== before.name || now.attempts !== before.attempts) return;
    if (session.runs.isActive && now.state !== 'stopping') await this.stop(session);
  }
}

/** Training reads the config from disk: what is typed and not saved would not count. */
async function configSaved(configPath: string): Promise<boolean> {
  const document = vscode.workspace.textDocuments.find(
    ({ uri, isDirty }) => isDirty && uri.fsPath === configPath,
  );
  if (document === undefined) return true;
  const save = vscode.l10n.t('Save and Train');
  const answer = await vscode.window.showWarningMessage(
    vscode.l10n.t('{0} has changes that are not saved.', vscode.workspace.asRelativePath(configPath)),
    { modal: true, detail: vscode.l10n.t('Training reads the file as it is on disk.') },
    save,
  );
  return answer === save && (await document.save());
}
