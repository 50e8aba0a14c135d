// The config of a training, read and checked, with every path of it made absolute.
import path from 'node:path';
import type { AccumulationConfig } from '../../planning/configSchema';
import { readConfig } from '../../planning/readConfig';
import { fileTrouble } from '../../protocol/fileTrouble';
import { readPlainText } from '../../protocol/plainFile';
import { recogniseEntry } from '../entry';
import { checkScriptFolder } from '../plan/scriptFolder';

/** A config that cannot be trained from; `message` has one line for each mistake. */
export class TrainingConfigError extends Error {
  override readonly name = 'TrainingConfigError';
}

export interface TrainingConfig {
  readonly config: AccumulationConfig;
  /** Absolute path of the file, and its folder. */
  readonly file: string;
  readonly folder: string;
  /** Absolute path of the script or model.json. */
  readonly entry: string;
}

/**
 * Reads a config.
 * @throws TrainingConfigError, with file, line and column of each mistake
 */
export async function readConfigFile(given: string): Promise<Pick<TrainingConfig, 'config' | 'file'>> {
  const file = path.resolve(given);
  let text: string;
  try {
    text = await readPlainText(file);
  } catch (error) {
    throw new TrainingConfigError(unreadable(file, error as NodeJS.ErrnoException), { cause: error });
  }
  const { config, problems } = readConfig(text);
  if (!config) {
    const lines = problems.map(({ line, column, message }) => `${file}:${line}:${column}: ${message}`);
    throw new TrainingConfigError(lines.join('\n'));
  }
  return { config, file };
}

/**
 * Reads a config and finds its entry.
 * @throws TrainingConfigError, with file, line and column of each mistake; EntryError where the entry is not there;
 * ScriptCommandError where the folder that a script runs in is not
 */
export async function readTrainingConfig(given: string): Promise<TrainingConfig> {
  const { config, file } = await readConfigFile(given);
  const folder = path.dirname(file);
  const entry = await recogniseEntry(config.entry, folder);
  if (entry.kind !== config.training.kind) {
    throw new TrainingConfigError(
      `${file}: "entry" is a ${entry.kind === 'model' ? 'model.json' : 'script'}, but "training" is of the kind ` +
        `"${config.training.kind}". Plan the entry again.`,
    );
  }
  if (config.training.kind === 'script') {
    await checkScriptFolder(path.resolve(folder, config.training.folder), file);
  }
  if (config.training.kind === 'model' && config.training.data === undefined) {
    throw new TrainingConfigError(
      `${file}: "training" names no data to train on. Write your CSV or .npy files under "data" in it, as the README's example of a model.json does.`,
    );
  }
  return { config, file, folder, entry: entry.file };
}

function unreadable(file: string, error: NodeJS.ErrnoException): string {
  const { code } = error;
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return `There is no config ${file}. Make one with: batch-planner plan <entry>`;
  }
  if (code === 'EISDIR') return `${file} is a folder; name an accumulation config in it.`;
  return `${file} cannot be read: ${fileTrouble(error)}.`;
}
