// Planning as a person asks for it: what is asked first, the notification with its progress and Cancel, and the answer.
import * as vscode from 'vscode';
import { describeSizes } from '../planning/describe';
import { formatBytesAgainst, formatCount } from '../planning/units';
import { InputError, parseTargetBatch } from '../planning/userInput';
import type { PlanStreamMessage } from '../protocol/planStream';
import type { PlanOutcome } from '../supervise/plan/planProcess';
import type { EntrySession, PlanRequest } from './entrySession';
import { commandNames } from './names';
import type { Remedies } from './remedies';
import { setting } from './settings';
import { findTrainingCalls } from './trainingCalls';
import type { UserNodeService } from './userNodeService';

export class Planning {
  constructor(
    private readonly nodes: UserNodeService,
    private readonly remedies: Remedies,
  ) {}

  /** Asks for what cannot be known: the target batch. Undefined where the person turned away. */
  async ask(session: EntrySession): Promise<PlanRequest | undefined> {
    const planned = session.plan.state === 'planned' ? session.plan.targetBatchSize : null;
    const own = await ownBatchSize(session.entry);
    const proposal = planned ?? own;
    const answer = await vscode.window.showInputBox({
      title: vscode.l10n.t('Plan Batch Size: {0}', session.name),
      prompt: vscode.l10n.t("Examples per update (the target batch). Empty: the script's own batch size."),
      value: proposal === null ? '' : String(proposal),
      placeHolder: vscode.l10n.t('For example 2048'),
      ignoreFocusOut: true,
      validateInput: (text) => problemOf(text),
    });
    if (answer === undefined) return undefined;
    return {
      targetBatchSize: answer.trim() === '' ? null : parseTargetBatch(answer),
      budgetBytes: null,
      objective: setting('objective', vscode.Uri.file(session.entry)),
    };
  }

  /** Plans, and tells how it went in one message. Null where it could not start, which was told. */
  async plan(session: EntrySession, request: PlanRequest): Promise<PlanOutcome | null> {
    if (!(await savedBefore(session.entry))) return null;
    const node = await this.nodes.findOrTell();
    if (node === null) return null;
    const outcome = await vscode.window.withProgress(
      {
        location: vscode.ProgressLocation.Notification,
        title: vscode.l10n.t('Planning {0}', session.name),
        cancellable: true,
      },
      async (progress, token) => {
        const subscription = token.onCancellationRequested(() => void session.cancelPlanning());
        try {
          progress.report({ message: vscode.l10n.t('starting the script…') });
          return await session.planWith(request, node.nodePath, (message) => {
            const text = progressText(message);
            if (text !== null) progress.report({ message: text });
          });
        } finally {
          subscription.dispose();
        }
      },
    );
    // Not waited for: the progress would stay on the screen as long as the message does.
    void this.#tell(session, outcome);
    return outcome;
  }

  async #tell(session: EntrySession, outcome: PlanOutcome): Promise<void> {
    if (outcome.kind === 'cancelled') return;
    if (outcome.kind === 'failed') {
      await this.remedies.tell(session, outcome.failure);
      return;
    }
    const { plan } = outcome;
    const start = vscode.l10n.t('Start Training');
    const open = vscode.l10n.t('Open Config');
    const peak = plan.trials.find(
      ({ microbatch, outcome: how }) => microbatch === plan.largestMicrobatch && how === 'fits',
    )?.peakBytes;
    const memory =
      peak === undefined || peak === null || plan.budgetBytes === null
        ? ''
        : vscode.l10n.t(' (peak {0} of {1})', ...formatBytesAgainst(peak, plan.budgetBytes));
    const text = vscode.l10n.t(
      'Largest microbatch {0}{1}. {2}',
      formatCount(plan.largestMicrobatch),
      memory,
      describeSizes(plan.microbatchSizes),
    );
    const offers = outcome.needsData ? [open] : [start, open];
    const answer = await vscode.window.showInformationMessage(text, ...offers);
    if (answer === start) await vscode.commands.executeCommand(commandNames.train, { entry: session.entry });
    else if (answer === open) await vscode.window.showTextDocument(vscode.Uri.file(outcome.configPath));
  }
}

/** What the first training call of a script says itself; null where it says nothing that can be read. */
async function ownBatchSize(entry: string): Promise<number | null> {
  if (entry.endsWith('.json')) return null;
  const document = await vscode.workspace.openTextDocument(entry);
  return findTrainingCalls(document.getText())[0]?.batchSize ?? null;
}

/** What is measured is the file on disk: changes that are not saved yet are the person's to decide on. */
async function savedBefore(entry: string): Promise<boolean> {
  const document = vscode.workspace.textDocuments.find(({ uri, isDirty }) => isDirty && uri.fsPath === entry);
  if (document === undefined) return true;
  const save = vscode.l10n.t('Save and Plan');
  const asItIs = vscode.l10n.t('Plan the Saved File');
  const answer = await vscode.window.showWarningMessage(
    vscode.l10n.t('{0} has changes that are not saved.', vscode.workspace.asRelativePath(entry)),
    { modal: true, detail: vscode.l10n.t('Planning runs the file as it is on disk.') },
    save,
    asItIs,
  );
  if (answer === save) return document.save();
  return answer === asItIs;
}

function problemOf(text: string): string | null {
  if (text.trim() === '') return null;
  try {
    parseTargetBatch(text);
    return null;
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
}

function progressText(message: PlanStreamMessage): string | null {
  switch (message.type) {
    case 'backend':
      return vscode.l10n.t('waiting for the script to train, on {0}…', message.backend.name);
    case 'trialStarted':
      return vscode.l10n.t('trying {0} at once…', formatCount(message.microbatch));
    case 'trialEnded': {
      const { microbatch, outcome } = message.trial;
      return outcome === 'fits'
        ? vscode.l10n.t('{0} at once fits', formatCount(microbatch))
        : vscode.l10n.t('{0} at once ran out of memory', formatCount(microbatch));
    }
    default:
      return null;
  }
}
