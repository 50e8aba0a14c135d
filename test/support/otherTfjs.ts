// Other copies of TensorFlow.js for scripts under test: another version from npm, or a second copy of ours.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Lane } from './lanes';

const root = path.resolve(import.meta.dirname, '../..');
const lanes = path.join(root, 'test/.lanes');

/** A folder whose node_modules holds `@tensorflow/tfjs` of this version; fetched once, or the reason why it is not there. */
export function otherTfjs(version: string): Lane {
  const place = path.join(lanes, `tfjs-${version}`);
  if (existsSync(path.join(place, 'node_modules/@tensorflow/tfjs/package.json'))) return { place };
  const temporary = `${place}.${process.pid}`;
  mkdirSync(temporary, { recursive: true });
  writeFileSync(path.join(temporary, 'package.json'), '{"private":true}');
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-save', '--loglevel=error'];
  try {
    execFileSync('npm', ['install', ...options, `@tensorflow/tfjs@${version}`], {
      cwd: temporary,
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: 120_000,
      shell: process.platform === 'win32',
    });
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    const line = String(error).split('\n').at(-2) ?? String(error);
    return { missing: `npm could not fetch @tensorflow/tfjs@${version} (${line.slice(0, 120)})` };
  }
  keepNodeFiles(path.join(temporary, 'node_modules/@tensorflow'));
  // Another test may have been quicker.
  if (existsSync(place)) rmSync(temporary, { recursive: true, force: true });
  else renameSync(temporary, place);
  return { place };
}

/** Drops what only browsers and bundlers load: nine tenths of the size. */
function keepNodeFiles(scope: string): void {
  for (const name of readdirSync(scope)) {
    const dist = path.join(scope, name, 'dist');
    for (const entry of existsSync(dist) ? readdirSync(dist) : []) {
      if (!entry.endsWith('.node.js')) rmSync(path.join(dist, entry), { recursive: true, force: true });
    }
  }
}

/** Copies packages of ours, what Node loads of them, to a folder below this project, where they find the rest. */
export function copyPackages(place: string, names: readonly string[]): void {
  for (const name of names) {
    const from = path.join(root, 'node_modules', name);
    const to = path.join(place, 'node_modules', name);
    cpSync(path.join(from, 'package.json'), path.join(to, 'package.json'));
    for (const entry of readdirSync(path.join(from, 'dist'))) {
      const wanted = entry.endsWith('.node.js') || name.includes('tfjs-node');
      if (wanted && !entry.endsWith('.map')) {
        cpSync(path.join(from, 'dist', entry), path.join(to, 'dist', entry), { recursive: true });
      }
    }
  }
}

/** The packages that `@tensorflow/tfjs` is made of. */
export const tfjsPackages = [
  '@tensorflow/tfjs',
  '@tensorflow/tfjs-backend-cpu',
  '@tensorflow/tfjs-backend-webgl',
  '@tensorflow/tfjs-converter',
  '@tensorflow/tfjs-core',
  '@tensorflow/tfjs-data',
  '@tensorflow/tfjs-layers',
] as const;
