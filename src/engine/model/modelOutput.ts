// Where a trained model goes: a folder that is checked before training, so that nothing is lost at its end.
import { access, constants, mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DataError } from './data/dataError';
import type { Preprocessing } from './data/examples';
import type { LayersModel, Tf } from '../contracts';
import { fileSystemHandler } from './fileSystemIo';

/** Name of the file that tells how inputs were scaled and classes numbered. */
export const preprocessingFile = 'preprocessing.json';

/**
 * Makes the output folder and checks that it can be written. Throws DataError with the reason.
 * @param entry the model.json that is trained: its own folder is refused, since saving would overwrite it
 */
export async function prepareOutput(folder: string, entry: string): Promise<void> {
  if (path.resolve(folder) === path.dirname(path.resolve(entry)) && path.basename(entry) === 'model.json') {
    throw new DataError(
      `The trained model would overwrite the one that is trained (${entry}): name another folder in "training.output".`,
    );
  }
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new DataError(`The trained model cannot be saved in ${folder}: ${why}.`, {}, { cause: error });
  }
}

/** Saves the model, and beside it how its values were prepared. */
export async function saveModel(
  tf: Tf,
  model: LayersModel,
  folder: string,
  preprocessing: Preprocessing,
  includeOptimizer: boolean,
): Promise<void> {
  await model.save(fileSystemHandler(tf, folder), { includeOptimizer });
  const file = path.join(folder, preprocessingFile);
  const temporary = `${file}.${process.pid}.tmp`;
  await writeFile(temporary, `${JSON.stringify(preprocessing, null, 2)}\n`);
  await rename(temporary, file);
}
