// The folder that a script runs in must be there: a process that cannot be started says no more than ENOENT.
import { stat } from 'node:fs/promises';
import { ScriptCommandError } from '../scriptCommand';

/**
 * Looks whether a script can run in a folder.
 * @param folder absolute path
 * @param named where the folder was named, and so can be mended, like `--folder`
 * @throws ScriptCommandError
 */
export async function checkScriptFolder(folder: string, named: string): Promise<void> {
  const info = await stat(folder).catch((error: NodeJS.ErrnoException) => {
    const what =
      error.code === 'ENOENT' || error.code === 'ENOTDIR'
        ? 'does not exist'
        : `cannot be used (${error.code})`;
    throw new ScriptCommandError(
      `The folder ${folder}, which ${named} names to run the script in, ${what}.`,
      {
        cause: error,
      },
    );
  });
  if (!info.isDirectory()) {
    throw new ScriptCommandError(`${folder}, which ${named} names to run the script in, is a file.`);
  }
}
