// Select GPU: which one is shown and planned for.
import * as vscode from 'vscode';
import type { GpuReading } from '../gpu/types';
import type { GpuPoller } from './gpuPoller';
import { usedOfTotal } from './gpuText';
import { saveSetting, setting } from './settings';

/** Lets a person pick a GPU by its bus, as several may have the same name; kept in the settings of this machine. */
export async function selectGpu(poller: GpuPoller): Promise<void> {
  const { gpus, problems } = await poller.readNow();
  if (gpus.length === 0) {
    const reason = problems[0]?.message ?? vscode.l10n.t('None was found.');
    await vscode.window.showInformationMessage(vscode.l10n.t('There is no GPU to select. {0}', reason));
    return;
  }
  const chosen = setting('device');
  const automatic = {
    label: vscode.l10n.t('Automatic'),
    description: vscode.l10n.t('the one with the most free memory'),
    device: '',
  };
  const items = [automatic, ...gpus.map((gpu) => item(gpu, chosen))];
  const picked = await vscode.window.showQuickPick(items, {
    title: vscode.l10n.t('Select GPU'),
    placeHolder: vscode.l10n.t('Shown in the status bar and planned for'),
  });
  if (picked !== undefined) await saveSetting('device', picked.device === '' ? undefined : picked.device);
}

function item(gpu: GpuReading, chosen: string): vscode.QuickPickItem & { device: string } {
  const device = gpu.busId ?? gpu.uuid ?? String(gpu.index ?? '');
  const { memoryUsedBytes, memoryTotalBytes } = gpu;
  const memory =
    memoryUsedBytes === null || memoryTotalBytes === null
      ? ''
      : usedOfTotal(memoryUsedBytes, memoryTotalBytes);
  const mark = device === chosen ? '$(check) ' : '';
  return {
    label: `${mark}${gpu.index === null ? '' : `${gpu.index}: `}${gpu.name}`,
    description: [gpu.busId, memory].filter((part) => part !== null && part !== '').join(' · '),
    device,
  };
}
