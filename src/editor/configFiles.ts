// The accumulation config of an entry, as the editor sees it: where it is, what it says, whether it still holds.
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { type AccumulationConfig, configNameOf } from '../planning/configSchema';
import { planOfConfig } from '../planning/planOfConfig';
import { readConfig } from '../planning/readConfig';
import type { PlanView } from '../protocol/page';
import { readPlainText } from '../protocol/plainFile';

export const configSuffix = '.accumulation.json';

/** Where `plan` writes the config of an entry. */
export function configOfEntry(entry: string): string {
  return path.join(path.dirname(entry), configNameOf(path.basename(entry)));
}

/** A config's text; null where there is none. */
export async function readConfigText(file: string): Promise<string | null> {
  try {
    return await readPlainText(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
}

/** The config, where there is a sound one. */
export async function readSoundConfig(file: string): Promise<AccumulationConfig | null> {
  const text = await readConfigText(file);
  return text === null ? null : (readConfig(text).config ?? null);
}

/** Absolute path of the entry that a sound config names. */
export function entryOfConfig(file: string, config: Pick<AccumulationConfig, 'entry'>): string {
  return path.resolve(path.dirname(file), config.entry);
}

/** What an entry's config lets the page show. */
export async function planViewOf(
  entry: string,
  configPath: string,
  outdatedText: (entryName: string) => string,
): Promise<PlanView> {
  const text = await readConfigText(configPath);
  if (text === null) return { state: 'none' };
  const { config, problems } = readConfig(text);
  if (config === undefined) {
    const places = problems.map(({ message, line, column }) => ({ message, line, column }));
    return { state: 'badConfig', configPath, problems: places };
  }
  const plan = planOfConfig(config);
  const { measured } = config;
  if (plan === null || measured === undefined) return { state: 'none' };
  return {
    state: 'planned',
    plan,
    plannedAt: measured.plannedAt,
    configPath,
    tfjsVersion: measured.tfjsVersion,
    targetBatchSize: config.targetBatchSize,
    microbatchSize: config.microbatchSize,
    outdated: (await changedAfter(entry, measured.plannedAt)) ? outdatedText(path.basename(entry)) : null,
    needsData: config.training.kind === 'model' && config.training.data === undefined,
  };
}

/** True where the entry was changed after it was planned. */
async function changedAfter(entry: string, plannedAt: string): Promise<boolean> {
  const info = await stat(entry).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  return info !== null && info.mtimeMs > Date.parse(plannedAt);
}
