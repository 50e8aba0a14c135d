// Where the real editor of end-to-end tests is, and the package that they install in it.
import { existsSync } from 'node:fs';
import path from 'node:path';
import packageJson from '../../../package.json' with { type: 'json' };
import type { Lane } from '../lanes';
import { findChromium } from '../steps.mjs';

const root = path.resolve(import.meta.dirname, '../../..');

/** Folder of VS Code's server, with a Chromium to see it; `npm test` and `npm run editor` set it up. */
export function editorLane(): Lane {
  const place = process.env['BATCH_PLANNER_TEST_EDITOR'] ?? path.join(root, 'test/.lanes/editor');
  if (findChromium() === null) return { missing: 'no Chromium on this machine' };
  if (existsSync(path.join(place, 'installed.json'))) return { place };
  const told = process.env['BATCH_PLANNER_TEST_EDITOR_MISSING'];
  return { missing: told ?? 'the real editor was not set up (npm test does)' };
}

/** Path of the packaged extension for this machine, which vsix.mjs makes. */
export function packagedExtension(): string {
  const { name, version } = packageJson;
  return path.join(root, `${name}-${process.platform}-${process.arch}-${version}.vsix`);
}
