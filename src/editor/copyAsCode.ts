// Copy Plan as Code: asks for the language and the form, and opens the program in an untitled document.
import * as vscode from 'vscode';
import { ExportError } from '../export/exportError';
import {
  distributedTargets,
  exportedPlanOf,
  type ExportedPlan,
  type ExportForm,
} from '../export/exportedPlan';
import { exportPlan } from '../export/exportPlan';
import { equalMicrobatch } from '../export/planText';
import { formatCount } from '../planning/units';
import { codeForms, codeLanguages, type CodeLanguage } from './codeLanguages';
import { readSoundConfig } from './configFiles';
import type { EntrySession } from './entrySession';
import { commandNames } from './names';

/** What is known already, so that it is not asked for. */
export interface CodeRequest {
  /** Name of one of `codeLanguages`. */
  readonly language?: string | undefined;
  readonly form?: ExportForm | undefined;
  /** Processes that share each update, where the language is for several. */
  readonly worldSize?: number | undefined;
}

/**
 * Opens the plan of an entry's config as a program. Nothing is written to disk, and no document is changed.
 * @throws Error for a language that there is not.
 */
export async function copyAsCode(session: EntrySession, request: CodeRequest = {}): Promise<void> {
  const plan = await planOf(session);
  if (plan === null) {
    const planNow = vscode.l10n.t('Plan Batch Size');
    const message = vscode.l10n.t('There is no plan of {0} yet.', session.name);
    const answer = await vscode.window.showInformationMessage(message, planNow);
    if (answer === planNow) await vscode.commands.executeCommand(commandNames.plan, { entry: session.entry });
    return;
  }
  const language = await languageOf(request.language);
  if (language === undefined) return;
  const worldSize = distributedTargets.includes(language.name)
    ? (request.worldSize ?? (await askProcesses(plan)))
    : 1;
  if (worldSize === undefined) return;
  const shared = { ...plan, worldSize };
  // DeepSpeed has one form, whatever is chosen.
  const form = language.name === 'deepspeed' ? 'equal' : (request.form ?? (await pickForm(shared)));
  if (form === undefined) return;
  const made = makeOrTell(() => exportPlan(shared, language.name, form));
  if (made === null) return;
  const { files, notes } = made;
  for (const { language: id, text } of [...files].reverse()) {
    const document = await vscode.workspace.openTextDocument({ language: id, content: text });
    // The first file comes last, in front of what lies beside it.
    await vscode.window.showTextDocument(document, { preview: false });
  }
  const names = files.map(({ name }) => name).join(', ');
  const together = files.length > 1 ? [vscode.l10n.t('Save these side by side: {0}.', names)] : [];
  const told = [...together, ...notes].join(' ');
  if (told !== '') void vscode.window.showInformationMessage(told);
}

/** As the config says now; null where there is none. */
async function planOf(session: EntrySession): Promise<ExportedPlan | null> {
  const config = await readSoundConfig(session.configPath);
  return config === null ? null : exportedPlanOf(config);
}

async function languageOf(name: string | undefined): Promise<CodeLanguage | undefined> {
  const languages = codeLanguages();
  if (name === undefined) {
    return vscode.window.showQuickPick(languages, {
      title: vscode.l10n.t('Copy Plan as Code'),
      placeHolder: vscode.l10n.t('Which language and library?'),
      // The page whose button was pressed may take the focus back.
      ignoreFocusOut: true,
    });
  }
  const language = languages.find((one) => one.name === name);
  if (language !== undefined) return language;
  throw new Error(vscode.l10n.t('A plan cannot be copied as {0}.', name));
}

/** A form that does not go with the plan is told in a sentence. */
function makeOrTell<T>(make: () => T): T | null {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof ExportError)) throw error;
    void vscode.window.showWarningMessage(error.message);
    return null;
  }
}

async function askProcesses({ targetBatchSize }: ExportedPlan): Promise<number | undefined> {
  const text = await vscode.window.showInputBox({
    title: vscode.l10n.t('Copy Plan as Code'),
    prompt: vscode.l10n.t('How many processes share each update?'),
    ignoreFocusOut: true,
    value: '2',
    validateInput: (typed) =>
      isProcesses(typed, targetBatchSize)
        ? null
        : vscode.l10n.t('Write a whole number from 2 to {0}.', formatCount(targetBatchSize)),
  });
  return text === undefined ? undefined : Number(text);
}

function isProcesses(typed: string, most: number): boolean {
  return /^\d+$/.test(typed) && Number(typed) >= 2 && Number(typed) <= most;
}

/** Equal microbatches are offered where there can be any. */
async function pickForm(plan: ExportedPlan): Promise<ExportForm | undefined> {
  const forms = codeForms().filter(({ form }) => form !== 'equal' || equalMicrobatch(plan) !== null);
  const picked = await vscode.window.showQuickPick(forms, {
    title: vscode.l10n.t('Copy Plan as Code'),
    placeHolder: vscode.l10n.t('How is a batch cut?'),
    ignoreFocusOut: true,
  });
  return picked?.form;
}
