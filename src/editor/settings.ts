// The extension's settings, read where they are needed: always with the folder that they are for.
import * as vscode from 'vscode';
import * as z from 'zod';
import { backendNames } from '../planning/backendName';
import { objectives } from '../planning/plan';
import { settingNames, settingsSection } from './names';

const text = z.string().trim();
/** What a settings file may hold is anything: what is no sound value counts as the default. */
const checks = {
  nodePath: text.catch(''),
  backend: z.enum(['auto', ...backendNames]).catch('auto'),
  device: text.catch(''),
  objective: z.enum(objectives).catch('largest'),
  headroomMegabytes: z.number().nonnegative().nullable().catch(null),
  statusBarShow: z.enum(['gpu', 'always', 'never']).catch('gpu'),
  statusBarPollSeconds: z.number().min(5).max(600).catch(5),
  statusBarLowMemoryPercent: z.number().min(0).max(50).catch(5),
  codeLens: z.boolean().catch(true),
  autoDetectTasks: z.boolean().catch(true),
} as const satisfies Record<keyof typeof settingNames, z.ZodType>;

export type SettingKey = keyof typeof settingNames;
export type SettingValue<Key extends SettingKey> = z.infer<(typeof checks)[Key]>;

/** @param scope a file or folder: settings may differ between the folders of a workspace */
export function setting<Key extends SettingKey>(key: Key, scope?: vscode.Uri): SettingValue<Key> {
  const value: unknown = vscode.workspace
    .getConfiguration(settingsSection, scope ?? null)
    .get(settingNames[key]);
  return checks[key].parse(value) as SettingValue<Key>;
}

/** True where a change of settings touches this one. */
export function changes(event: vscode.ConfigurationChangeEvent, key: SettingKey): boolean {
  return event.affectsConfiguration(`${settingsSection}.${settingNames[key]}`);
}

/** Writes a setting that belongs to this machine. */
export async function saveSetting(key: SettingKey, value: unknown): Promise<void> {
  await vscode.workspace
    .getConfiguration(settingsSection)
    .update(settingNames[key], value, vscode.ConfigurationTarget.Global);
}
