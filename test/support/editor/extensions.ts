// Installs a .vsix once into a folder of extensions, from which every server of the tests gets a copy.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { editorPrograms } from '../editorLane.mjs';

const cache = path.resolve(import.meta.dirname, '../../.artifacts/extensions');

/** A folder with nothing but this .vsix installed, by VS Code's own installer. */
export async function installedExtensions(lane: string, vsix: string): Promise<string> {
  const digest = createHash('sha256').update(readFileSync(vsix)).digest('hex').slice(0, 16);
  const folder = path.join(cache, digest);
  if (existsSync(folder)) return folder;
  mkdirSync(cache, { recursive: true });
  // Those of earlier packages are of no more use.
  for (const old of readdirSync(cache)) rmSync(path.join(cache, old), { recursive: true, force: true });
  const staging = mkdtempSync(path.join(cache, 'new-'));
  const { node, server } = editorPrograms(lane);
  const data = path.join(staging, 'data');
  const extensions = path.join(staging, 'extensions');
  const places = ['--user-data-dir', data, '--extensions-dir', extensions];
  const config = ['--config', path.join(staging, 'config.yaml')];
  const options = { env: { ...process.env, HOME: staging } };
  await promisify(execFile)(node, [server, ...places, ...config, '--install-extension', vsix], options);
  renameSync(extensions, folder);
  rmSync(staging, { recursive: true });
  return folder;
}
