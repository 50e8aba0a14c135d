// Failures as a person meets them: one sentence, and what mends it as a button.
import path from 'node:path';
import * as vscode from 'vscode';
import { isMendedBySetup } from '../planning/warningRemedy';
import type { PlanView } from '../protocol/page';
import type { PlanFailure, Remedy } from '../protocol/planStream';
import type { EntrySession } from './entrySession';
import { commandNames } from './names';
import type { UserNodeService } from './userNodeService';

export interface RemedyTools {
  readonly nodes: UserNodeService;
  readonly cliFile: string;
}

export class Remedies {
  constructor(private readonly tools: RemedyTools) {}

  /** Tells a failure, with its remedy. */
  async tell(session: EntrySession, failure: PlanFailure): Promise<void> {
    const { remedy } = failure;
    const place = vscode.l10n.t('Open {0}', placeOf(failure));
    const log = vscode.l10n.t('Show Log');
    const offers = [
      ...(remedy === null ? [] : [remedyTitle(remedy)]),
      ...(failure.file === null ? [] : [place]),
      log,
    ];
    // A notification is for one sentence: the page has the whole of it.
    const [first = ''] = failure.message.split('\n', 1);
    const answer = await vscode.window.showErrorMessage(first, ...offers);
    if (answer === log) await vscode.commands.executeCommand(commandNames.showLog);
    else if (answer === place) await openPlace(failure);
    else if (remedy !== null && answer === remedyTitle(remedy)) await this.apply(session, remedy);
  }

  /** Does what mends a failure. */
  async apply(session: EntrySession, remedy: Remedy): Promise<void> {
    switch (remedy) {
      case 'chooseNode':
        await this.tools.nodes.choose();
        break;
      case 'openConfig':
        await vscode.window.showTextDocument(vscode.Uri.file(session.configPath));
        break;
      case 'setUpTensorflow':
        await this.setUpTensorflow(path.dirname(session.entry));
        break;
      case 'installTensorflowJs':
        await this.#inTerminal(
          vscode.l10n.t('Install TensorFlow.js'),
          path.dirname(session.entry),
          (terminal) => terminal.sendText('npm install @tensorflow/tfjs', false),
        );
        break;
    }
  }

  /** Runs `setup tensorflow` for the project that a folder belongs to, in a terminal that shows what it does. */
  async setUpTensorflow(folder: string): Promise<void> {
    const node = await this.tools.nodes.findOrTell();
    if (node === null) return;
    // Without a shell: nothing of a folder's name is ever read as a command.
    const execution = new vscode.ProcessExecution(
      node.nodePath,
      [this.tools.cliFile, 'setup', 'tensorflow'],
      { cwd: folder },
    );
    const title = vscode.l10n.t('set up TensorFlow');
    const task = new vscode.Task(
      { type: 'process' },
      vscode.TaskScope.Workspace,
      title,
      'Batch Planner',
      execution,
    );
    task.presentationOptions = {
      reveal: vscode.TaskRevealKind.Always,
      panel: vscode.TaskPanelKind.Dedicated,
    };
    await vscode.tasks.executeTask(task);
  }

  /** A command that a person has still to confirm by Enter: it changes their project. */
  async #inTerminal(name: string, cwd: string, type: (terminal: vscode.Terminal) => void): Promise<void> {
    const terminal = vscode.window.createTerminal({ name, cwd });
    terminal.show();
    await terminal.processId;
    type(terminal);
  }
}

/** What the page offers beside a failure, or a warning, of its plan; null for nothing. */
export function remedyOf(plan: PlanView): Remedy | null {
  if (plan.state === 'failed') return plan.failure.remedy;
  return plan.state === 'planned' && plan.plan.warnings.some(isMendedBySetup) ? 'setUpTensorflow' : null;
}

/** Name of the button. */
export function remedyTitle(remedy: Remedy): string {
  switch (remedy) {
    case 'chooseNode':
      return vscode.l10n.t('Choose Node.js…');
    case 'openConfig':
      return vscode.l10n.t('Open Config');
    case 'setUpTensorflow':
      return vscode.l10n.t('Set Up TensorFlow');
    case 'installTensorflowJs':
      return vscode.l10n.t('Install TensorFlow.js…');
  }
}

/** Shows the place in a file that something is about. */
export async function openPlace(place: {
  readonly file: string | null;
  readonly line: number | null;
}): Promise<void> {
  if (place.file === null) return;
  const line = Math.max(0, (place.line ?? 1) - 1);
  await vscode.window.showTextDocument(vscode.Uri.file(place.file), {
    selection: new vscode.Range(line, 0, line, 0),
  });
}

function placeOf({ file, line }: PlanFailure): string {
  const name = file === null ? '' : path.basename(file);
  return line === null ? name : `${name}:${line}`;
}
