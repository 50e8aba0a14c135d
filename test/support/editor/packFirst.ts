// Before the end-to-end tests: packs the extension where it was not packed yet, or was changed since.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { editorLane, packagedExtension } from './lane';

const root = path.resolve(import.meta.dirname, '../../..');
/** What the package is made from. */
const sources = [
  'src',
  'webview',
  'media',
  'package.json',
  'package.nls.json',
  'esbuild.mjs',
  'vsix.mjs',
  '.vscodeignore',
];

/** Called by vitest once for all files. @throws Error where it cannot be packed */
export default function packFirst(): void {
  if (editorLane().missing !== undefined || isPacked()) return;
  const { status } = spawnSync(process.execPath, ['vsix.mjs'], { cwd: root, stdio: 'inherit' });
  if (status !== 0) throw new Error(`vsix.mjs ended with ${status}`);
}

function isPacked(): boolean {
  const file = packagedExtension();
  if (!existsSync(file)) return false;
  const packedAt = statSync(file).mtimeMs;
  return sources.every((source) => lastChange(path.join(root, source)) < packedAt);
}

/** When a file, or any file below a folder, was last written, in ms. */
function lastChange(place: string): number {
  if (!statSync(place).isDirectory()) return statSync(place).mtimeMs;
  const entries = readdirSync(place, { withFileTypes: true }).filter(({ name }) => name !== 'trained');
  return Math.max(0, ...entries.map(({ name }) => lastChange(path.join(place, name))));
}
