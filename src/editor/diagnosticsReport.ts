// Copy Diagnostics: what a report of a bug needs, as text. Paths of the user's projects stay out of it.
import * as vscode from 'vscode';
import { formatBytes } from '../planning/units';
import type { GpuPoller } from './gpuPoller';
import { environmentLine, messageOf } from './log';
import { settingNames } from './names';
import type { Sessions } from './sessions';
import { setting, type SettingKey } from './settings';
import type { UserNodeService } from './userNodeService';

export interface DiagnosticsSources {
  readonly version: string;
  readonly poller: GpuPoller;
  readonly nodes: UserNodeService;
  readonly sessions: Sessions;
}

/** The report, in Markdown. Not translated: it is for those who mend. */
export async function diagnosticsReport({
  version,
  poller,
  nodes,
  sessions,
}: DiagnosticsSources): Promise<string> {
  const lines = [environmentLine(version), ''];
  lines.push('## Node', await nodes.find().then((node) => `${node.version} ${node.arch}`, messageOf), '');
  const { gpus, systemMemory, problems } = await poller.readNow();
  const bytes = (value: number | null): string => (value === null ? 'unknown' : formatBytes(value));
  lines.push(
    '## Memory',
    ...gpus.map(
      (gpu) =>
        `- ${gpu.name} (${gpu.busId ?? 'no bus id'}, driver ${gpu.driver ?? 'unknown'}, by ${gpu.source}): ` +
        `${bytes(gpu.memoryUsedBytes)} used, ${bytes(gpu.memoryFreeBytes)} free of ${bytes(gpu.memoryTotalBytes)}`,
    ),
    `- computer (${systemMemory.limitedBy}): ${bytes(systemMemory.availableBytes)} free of ${bytes(systemMemory.totalBytes)}`,
    ...problems.map(({ kind, message }) => `- problem (${kind}): ${message}`),
    '',
    '## Settings',
    ...(Object.keys(settingNames) as SettingKey[])
      .filter((key) => key !== 'nodePath')
      .map((key) => `- ${settingNames[key]}: ${JSON.stringify(setting(key))}`),
    `- nodePath: ${setting('nodePath') === '' ? 'not set' : 'set'}`,
    `- trusted: ${vscode.workspace.isTrusted}, folders: ${vscode.workspace.workspaceFolders?.length ?? 0}`,
    '',
    '## Plans and runs',
  );
  for (const { plan, runs } of sessions.all) {
    const planned =
      plan.state === 'planned'
        ? `${plan.targetBatchSize} in ≤ ${plan.microbatchSize}, ${plan.plan.backend.name} ${plan.plan.backend.version}`
        : plan.state === 'failed'
          ? `failed (${plan.failure.kind})`
          : plan.state;
    lines.push(`- plan: ${planned}; run: ${runs.shown?.view()?.state ?? 'none'}`);
  }
  return `${lines.join('\n')}\n`;
}
