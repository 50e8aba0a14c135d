// The status bar item: GPU memory, and what is going on. Text and tooltip are assigned only when they change.
import os from 'node:os';
import * as vscode from 'vscode';
import type { DeviceReading } from '../gpu/types';
import { formatBytes, formatCount } from '../planning/units';
import type { ContextKeys } from './contextKeys';
import type { GpuPoller } from './gpuPoller';
import { gpuStatus, gpuTable, shownGpu, type GpuStatus } from './gpuText';
import { commandNames, contextNames, settingsSection, statusBarId } from './names';
import { changes, setting } from './settings';

/** What the item tells beside memory. */
export type Activity =
  | { readonly kind: 'planning'; readonly trying: number | null }
  | {
      readonly kind: 'training';
      /** 0 to 100; null where the length of the training is unknown. */
      readonly percent: number | null;
      readonly isPaused: boolean;
      readonly memoryBytes: number | null;
      readonly budgetBytes: number | null;
    };

export class StatusBar implements vscode.Disposable {
  readonly #item: vscode.StatusBarItem;
  readonly #subscriptions: vscode.Disposable[];
  #activity: Activity | null = null;
  #text = '';
  #tooltip = '';
  #isLow = false;
  #isShown = false;

  constructor(
    private readonly poller: GpuPoller,
    private readonly contextKeys: ContextKeys,
  ) {
    this.#item = vscode.window.createStatusBarItem(statusBarId, vscode.StatusBarAlignment.Right, 100);
    this.#item.name = vscode.l10n.t('GPU Memory');
    this.#item.command = commandNames.showMenu;
    this.#subscriptions = [
      this.#item,
      poller.onDidRead(() => this.#refresh()),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (changes(event, 'device') || event.affectsConfiguration(`${settingsSection}.statusBar`)) {
          this.#refresh();
        }
      }),
    ];
  }

  /** @param activity null: nothing is going on */
  setActivity(activity: Activity | null): void {
    this.#activity = activity;
    this.#refresh();
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  #refresh(): void {
    const show = setting('statusBarShow');
    const reading = this.poller.last;
    const gpu = reading === null ? null : shownGpu(reading, setting('device'), process.env);
    const status =
      reading === null
        ? null
        : gpuStatus(reading, gpu, {
            systemMemory: show === 'always',
            lowMemoryPercent: setting('statusBarLowMemoryPercent'),
            t: vscode.l10n.t,
          });
    this.contextKeys.set(contextNames.hasGpu, (reading?.gpus.length ?? 0) > 0);
    const text = itemText(this.#activity, status);
    if (show === 'never' || text === null) {
      if (this.#isShown) this.#item.hide();
      this.#isShown = false;
      return;
    }
    this.#setText(text, label(this.#activity, status));
    if (reading !== null) this.#setTooltip(reading, gpu);
    this.#setLow(this.#activity === null && status?.isLow === true);
    if (!this.#isShown) this.#item.show();
    this.#isShown = true;
  }

  #setText(text: string, spoken: string): void {
    if (text === this.#text) return;
    this.#text = text;
    this.#item.text = text;
    this.#item.accessibilityInformation = { label: spoken, role: 'button' };
  }

  /** A new tooltip closes the one that is open, so it is made anew only when its figures changed, not for its time. */
  #setTooltip(reading: DeviceReading, gpu: ReturnType<typeof shownGpu>): void {
    const host = vscode.env.remoteName === undefined ? null : os.hostname();
    const table = (time: string): string => gpuTable(reading, gpu, { t: vscode.l10n.t, time, host });
    const withoutTime = table('');
    if (withoutTime === this.#tooltip) return;
    this.#tooltip = withoutTime;
    const time = new Intl.DateTimeFormat(vscode.env.language, { timeStyle: 'medium' }).format(
      new Date(reading.readAt),
    );
    const links = [
      ...(vscode.workspace.isTrusted ? [link(vscode.l10n.t('Plan Batch Size'), commandNames.plan)] : []),
      link(vscode.l10n.t('Select GPU'), commandNames.selectGpu),
      link(vscode.l10n.t('Settings'), 'workbench.action.openSettings', [`@ext:batch-planner.batch-planner`]),
    ];
    const markdown = new vscode.MarkdownString(`${table(time)}\n\n${links.join(' · ')}`, true);
    markdown.isTrusted = {
      enabledCommands: [commandNames.plan, commandNames.selectGpu, 'workbench.action.openSettings'],
    };
    this.#item.tooltip = markdown;
  }

  #setLow(isLow: boolean): void {
    if (isLow === this.#isLow) return;
    this.#isLow = isLow;
    this.#item.backgroundColor = isLow ? new vscode.ThemeColor('statusBarItem.warningBackground') : undefined;
  }
}

function itemText(activity: Activity | null, status: GpuStatus | null): string | null {
  if (activity?.kind === 'planning') {
    const what =
      activity.trying === null
        ? vscode.l10n.t('Planning')
        : vscode.l10n.t('Planning: trying {0}', formatCount(activity.trying));
    return `$(loading~spin) ${what}`;
  }
  if (activity?.kind === 'training') {
    const icon = activity.isPaused ? '$(debug-pause)' : '$(loading~spin)';
    const done = activity.percent === null ? vscode.l10n.t('Training') : `${Math.floor(activity.percent)} %`;
    const { memoryBytes } = activity;
    const memory = status?.isGpu ? status.text : memoryBytes === null ? null : formatBytes(memoryBytes);
    return memory === null ? `${icon} ${done}` : `${icon} ${done} · ${memory}`;
  }
  return status === null ? null : `$(server) ${status.text}`;
}

function label(activity: Activity | null, status: GpuStatus | null): string {
  const memory = status === null ? '' : status.label;
  if (activity?.kind === 'planning') return [vscode.l10n.t('Batch Planner is planning'), memory].join('. ');
  if (activity?.kind === 'training') {
    const state = activity.isPaused
      ? vscode.l10n.t('Batch Planner: training is paused')
      : activity.percent === null
        ? vscode.l10n.t('Batch Planner is training')
        : vscode.l10n.t('Batch Planner is training, {0} percent done', Math.floor(activity.percent));
    return [state, memory].join('. ');
  }
  return memory;
}

function link(text: string, command: string, parameters: readonly unknown[] = []): string {
  const query = parameters.length === 0 ? '' : `?${encodeURIComponent(JSON.stringify(parameters))}`;
  return `[${text}](command:${command}${query})`;
}
