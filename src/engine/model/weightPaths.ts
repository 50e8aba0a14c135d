// Where a weight file may lie. A manifest comes from elsewhere: it may not point out of the model's folder.
import path from 'node:path';
import { ModelFileError } from './modelFileError';

/** `https:`, but no drive letter. */
const address = /^[A-Za-z][A-Za-z0-9+.-]+:/;
/** Names that are devices in every folder of Windows, whatever extension they have. */
const windowsDevice = /^(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(\.|:|$)/i;

/**
 * Absolute path of a weight file, by its name alone: nothing is looked at on the disk.
 * @param named as the manifest has it: relative to the model.json, forward slashes on every system
 * @throws ModelFileError
 */
export function namedWeightFile(
  modelFile: string,
  named: string,
  platform: NodeJS.Platform = process.platform,
): string {
  const refuse = (kind: 'outsideFolder' | 'badName', what: string): ModelFileError =>
    new ModelFileError(
      kind,
      modelFile,
      `${modelFile} names the weight file ${JSON.stringify(named)}, ${what}.`,
    );
  if (named.includes('\0')) throw refuse('badName', 'which no file can be called');
  if (address.test(named)) {
    throw refuse(
      'outsideFolder',
      'which is an address; nothing is loaded from elsewhere: download the weights and put them beside the model',
    );
  }
  const paths = platform === 'win32' ? path.win32 : path.posix;
  const folder = paths.dirname(modelFile);
  const file = paths.resolve(folder, named);
  const inside = paths.relative(folder, file);
  const leaves =
    inside === '' || inside === '..' || inside.startsWith(`..${paths.sep}`) || paths.isAbsolute(inside);
  // A path of Windows means the same on every system: a model is refused here if it would be there.
  if (leaves || /^([A-Za-z]:|[\\/])/.test(named) || named.split(/[\\/]/).includes('..')) {
    throw refuse(
      'outsideFolder',
      "which lies outside the model's folder; weight files must lie beside model.json or below it",
    );
  }
  if (platform === 'win32' && named.split(/[\\/]/).some((part) => windowsDevice.test(part))) {
    throw refuse('badName', 'which is a device of Windows and no file');
  }
  return file;
}
