// The folder that a script runs in must be there: a process that cannot be started says no more than ENOENT.
import { stat } from 'node:fs/promises';
import { ScriptCommandError } from '../scriptCommand';

/** The folder that a script runs in cannot be used. */
export class ScriptFolderError extends ScriptCommandError {
  constructor(
    message: string,
    /** The config that names it; null: it was typed. */
    readonly config: string | null,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * Looks whether a script can run in a folder.
 * @param folder absolute path
 * @param config the config whose "training.folder" names it, and where it can be mended; null: it was typed with --folder
 * @throws ScriptFolderError
 */
export async function checkScriptFolder(folder: string, config: string | null): Promise<void> {
  const named = config === null ? '--folder' : `"training.folder" in ${config}`;
  const info = await stat(folder).catch((error: NodeJS.ErrnoException) => {
    const what =
      error.code === 'ENOENT' || error.code === 'ENOTDIR'
        ? 'does not exist'
        : `cannot be used (${error.code})`;
    const message = `The folder ${folder}, which ${named} names to run the script in, ${what}.`;
    throw new ScriptFolderError(message, config, { cause: error });
  });
  if (!info.isDirectory()) {
    throw new ScriptFolderError(`${folder}, which ${named} names to run the script in, is a file.`, config);
  }
}
