// What the commands do. Each takes an argument object, so that it can be bound to a key, scripted and tested.
import path from 'node:path';
import * as vscode from 'vscode';
import * as z from 'zod';
import { exportForms } from '../export/exportedPlan';
import { objectives } from '../planning/plan';
import { largestTargetBatch } from '../planning/userInput';
import type { PlanOutcome } from '../supervise/plan/planProcess';
import { copyAsCode } from './copyAsCode';
import { diagnosticsReport } from './diagnosticsReport';
import { isTrusted } from './entryActions';
import { locateEntry, uriOf } from './entryLocator';
import type { EntryPages } from './entryPage';
import type { EntrySession } from './entrySession';
import { openExampleProject } from './exampleProject';
import { pickByFile } from './filePick';
import type { GpuPoller } from './gpuPoller';
import { selectGpu } from './gpuPicker';
import { messageOf } from './log';
import { showMenu } from './menu';
import { commandNames, type CommandName } from './names';
import type { Planning } from './planning';
import type { Remedies } from './remedies';
import type { Sessions } from './sessions';
import { setting } from './settings';
import type { Training } from './training';
import type { UserNodeService } from './userNodeService';

export interface CommandTools {
  readonly extensionUri: vscode.Uri;
  readonly version: string;
  readonly log: vscode.LogOutputChannel;
  readonly sessions: Sessions;
  readonly pages: EntryPages;
  readonly planning: Planning;
  readonly training: Training;
  readonly remedies: Remedies;
  readonly nodes: UserNodeService;
  readonly poller: GpuPoller;
}

/** What the commands about an entry may be called with; menus call them with a file instead. */
const entryArgument = z.strictObject({
  /** Path of the script, the model.json, or the config of one: absolute, or relative to the first workspace folder. */
  entry: z.string().optional(),
  /** With `plan`: examples per update; null: the script's own. Left out: it is asked for. */
  targetBatchSize: z.int().min(1).max(largestTargetBatch).nullable().optional(),
  /** With `plan`: bytes that the plan may use. */
  budgetBytes: z.number().positive().optional(),
  /** With `plan`. */
  objective: z.enum(objectives).optional(),
  /** With `copyAsCode`: left out, they are asked for. */
  language: z.string().optional(),
  worldSize: z.int().positive().optional(),
  form: z.enum(exportForms).optional(),
});
type EntryArgument = z.infer<typeof entryArgument>;

export type Commands = Readonly<Record<CommandName, (given: unknown) => Promise<unknown>>>;

/** Every command of the extension; what goes wrong in one is told and logged. */
export function createCommands(tools: CommandTools): Commands {
  const { sessions, pages, training, log, poller } = tools;
  const about = (work: (session: EntrySession, argument: EntryArgument) => Promise<unknown>) => {
    return async (given: unknown) => {
      const { uri, argument } = argumentOf(given);
      const located = uri ?? (pages.active === null ? null : vscode.Uri.file(pages.active.entry));
      const entry = located ?? (await locateEntry(undefined));
      return entry === null ? undefined : work(await sessions.of(entry), argument);
    };
  };
  /** Of a run, the command needs no entry where there is one run only. */
  const aboutRun = (
    work: (session: EntrySession) => Promise<unknown>,
    isMeant: (session: EntrySession) => boolean,
  ) => {
    return async (given: unknown) => {
      const { uri } = argumentOf(given);
      if (uri !== null) return work(await sessions.of(uri));
      const session = pages.active ?? (await pickSession(sessions.all.filter(isMeant)));
      if (session !== null) return work(session);
      return vscode.window.showInformationMessage(vscode.l10n.t('There is no run for that in this window.'));
    };
  };
  const commands: Commands = {
    [commandNames.plan]: trusted(about((session, argument) => planCommand(session, argument, tools))),
    [commandNames.train]: trusted(
      about(async (session) => {
        pages.open(session, { preserveFocus: true });
        await training.start(session);
      }),
    ),
    [commandNames.pause]: aboutRun((session) => training.pause(session), isActive),
    [commandNames.resume]: trusted(aboutRun((session) => training.resume(session), hasRun)),
    [commandNames.stop]: aboutRun((session) => training.stop(session), isActive),
    [commandNames.openPlan]: about(async (session) => pages.open(session)),
    [commandNames.openRun]: aboutRun(async (session) => pages.open(session), hasRun),
    [commandNames.copyAsCode]: about((session, { language, form, worldSize }) =>
      copyAsCode(session, { language, form, worldSize }),
    ),
    [commandNames.selectGpu]: () => selectGpu(poller),
    [commandNames.showLog]: async () => log.show(true),
    [commandNames.copyDiagnostics]: async () => {
      await vscode.env.clipboard.writeText(await diagnosticsReport(tools));
      return vscode.window.showInformationMessage(vscode.l10n.t('The diagnostics are on the clipboard.'));
    },
    [commandNames.openExample]: (given) => openExampleProject(tools.extensionUri, uriOf(given)),
    [commandNames.setUpTensorflow]: trusted(async (given) => {
      const folder = folderOf(argumentOf(given).uri);
      if (folder !== null) await tools.remedies.setUpTensorflow(folder);
    }),
    [commandNames.showMenu]: () => showMenu(),
  };
  const told = (run: (given: unknown) => Promise<unknown>) => async (given: unknown) => {
    try {
      return await run(given);
    } catch (error) {
      log.error(error instanceof Error ? error : String(error));
      const showLog = vscode.l10n.t('Show Log');
      const answer = await vscode.window.showErrorMessage(messageOf(error), showLog);
      if (answer === showLog) log.show(true);
      return undefined;
    }
  };
  return Object.fromEntries(
    Object.entries(commands).map(([name, run]) => [name, told(run)]),
  ) as typeof commands;
}

/** Plans an entry; resolves to the outcome, for those who script it. */
async function planCommand(
  session: EntrySession,
  argument: EntryArgument,
  { planning, pages }: CommandTools,
): Promise<PlanOutcome | null | undefined> {
  const { targetBatchSize, budgetBytes, objective } = argument;
  const request =
    targetBatchSize === undefined
      ? await planning.ask(session)
      : {
          targetBatchSize,
          budgetBytes: budgetBytes ?? null,
          objective: objective ?? setting('objective', vscode.Uri.file(session.entry)),
        };
  if (request === undefined) return undefined;
  pages.open(session, { preserveFocus: true });
  return planning.plan(session, { ...request, budgetBytes: budgetBytes ?? request.budgetBytes });
}

function argumentOf(given: unknown): { uri: vscode.Uri | null; argument: EntryArgument } {
  if (given === undefined || given === null) return { uri: null, argument: {} };
  const checked = entryArgument.safeParse(given);
  if (checked.success) return { uri: uriOf(checked.data.entry), argument: checked.data };
  const uri = uriOf(given);
  if (uri !== null) return { uri, argument: {} };
  throw new Error(
    vscode.l10n.t(
      'The command was called with an argument that it does not know: {0}',
      checked.error.message,
    ),
  );
}

function trusted(work: (given: unknown) => Promise<unknown>): (given: unknown) => Promise<unknown> {
  return async (given) => ((await isTrusted()) ? work(given) : undefined);
}

const isActive = ({ runs }: EntrySession): boolean => runs.isActive;
const hasRun = ({ runs }: EntrySession): boolean => runs.shown !== null;

async function pickSession(sessions: readonly EntrySession[]): Promise<EntrySession | null> {
  if (sessions.length <= 1) return sessions[0] ?? null;
  return pickByFile(sessions, ({ entry }) => entry, { title: vscode.l10n.t('Which run?') });
}

function folderOf(uri: vscode.Uri | null): string | null {
  if (uri !== null) return path.dirname(uri.fsPath);
  const active = vscode.window.activeTextEditor?.document.uri;
  if (active?.scheme === 'file') return path.dirname(active.fsPath);
  return vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? null;
}
