// `setup tensorflow` for real: what it makes works, and what it cannot make leaves nothing behind.
import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findTensorflow } from '../../src/supervise/tensorflowSetup/state';
import { tensorflowLane } from '../support/lanes';

const root = path.resolve(import.meta.dirname, '../..');
const lane = tensorflowLane();
const limit = 300_000;
let home: string;
beforeAll(() => {
  home = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'batch planner setup ')));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** Runs the setup as a process; `interruptAt`: SIGINT when its output contains these words. */
function setup(
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; interruptAt?: string } = {},
): Promise<{ code: number | null; output: string }> {
  const tsx = pathToFileURL(path.join(root, 'node_modules/tsx/dist/loader.mjs')).href;
  const child = spawn(
    process.execPath,
    ['--import', tsx, path.join(root, 'test/support/setupEntry.ts'), ...args],
    {
      cwd: root,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let output = '';
  let interrupted = false;
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (interrupted || options.interruptAt === undefined || !output.includes(options.interruptAt)) return;
      interrupted = true;
      child.kill('SIGINT');
    });
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}

/** A PATH on which only these programs are. */
function pathWith(programs: Record<string, string>): string {
  const folder = mkdtempSync(path.join(home, 'path-'));
  for (const [name, target] of Object.entries(programs)) symlinkSync(target, path.join(folder, name));
  return folder;
}

const python = () =>
  execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).trim();

/** A pip whose index refuses every connection. */
const noIndex = {
  PIP_CONFIG_FILE: os.devNull,
  PIP_INDEX_URL: 'http://127.0.0.1:9/simple',
  PIP_EXTRA_INDEX_URL: '',
  PIP_FIND_LINKS: '',
};

/** Processes whose command line names the folder: what a setup left running. */
function stillRunning(folder: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      const file = `/proc/${pid}/cmdline`;
      const commandLine = existsSync(file) ? readFileSync(file, 'utf8') : '';
      return commandLine.includes(folder) ? [commandLine.replaceAll('\0', ' ')] : [];
    });
}

/** A project whose package for TensorFlow has no native part, or one of these bytes. */
function projectWithPackage(name: string, nativePart?: string): { folder: string; packageFolder: string } {
  const folder = path.join(home, name);
  const packageFolder = path.join(folder, 'node_modules/@tensorflow/tfjs-node-gpu');
  mkdirSync(packageFolder, { recursive: true });
  const binary = {
    module_name: 'tfjs_binding',
    module_path: './lib/napi-v{napi_build_version}',
    napi_versions: [3, 8],
  };
  const manifest = { name: '@tensorflow/tfjs-node-gpu', version: '4.22.0', main: 'dist/index.js', binary };
  writeFileSync(path.join(packageFolder, 'package.json'), JSON.stringify(manifest));
  if (nativePart !== undefined) {
    mkdirSync(path.join(packageFolder, 'lib/napi-v8'), { recursive: true });
    writeFileSync(path.join(packageFolder, 'lib/napi-v8/tfjs_binding.node'), nativePart);
  }
  return { folder, packageFolder };
}

describe.skipIf(process.platform !== 'linux')('what is missing is named, and nothing is made (Linux)', () => {
  it('without Python on PATH: exit 4 and the remedy', async () => {
    const folder = path.join(home, 'no-python');
    const { code, output } = await setup([folder, 'pip'], { env: { PATH: pathWith({}) } });
    expect(output).toContain('Python 3 was not found on PATH; install it (apt install python3');
    expect(code).toBe(4);
    expect(existsSync(folder)).toBe(false);
  });

  it('without a C++ compiler on PATH: exit 4 and the remedy', async (ctx) => {
    if (lane.missing !== undefined) return ctx.skip(lane.missing);
    const folder = path.join(home, 'no-compiler');
    const { code, output } = await setup([folder, 'pip'], {
      env: { PATH: pathWith({ python3: python() }), CXX: '' },
    });
    expect(output).toContain('No C++ compiler was found on PATH; install one (apt install g++)');
    expect(code).toBe(4);
    expect(existsSync(folder)).toBe(false);
  });

  it(
    'with an index that cannot be reached: exit 4, and a broken package is left as it was',
    { timeout: limit },
    async (ctx) => {
      if (lane.missing !== undefined) return ctx.skip(lane.missing);
      const { folder, packageFolder } = projectWithPackage('no-index', 'no native code');
      const { code, output } = await setup([folder, 'pip'], { env: noIndex });
      expect(output).toContain('its package index cannot be reached');
      expect(code).toBe(4);
      expect(readdirSync(packageFolder).sort()).toEqual(['lib', 'package.json']);
      expect(readFileSync(path.join(packageFolder, 'lib/napi-v8/tfjs_binding.node'), 'utf8')).toBe(
        'no native code',
      );
    },
  );
});

describe('what was begun is taken back', () => {
  it.for(['with npm', 'Compiling'])(
    'interrupted at "%s": exit 130, nothing left over or running',
    { timeout: limit },
    async (words, ctx) => {
      if (lane.missing !== undefined) return ctx.skip(lane.missing);
      const folder = path.join(home, `interrupted ${words}`);
      const { code, output } = await setup([folder, 'pip'], { interruptAt: words });
      expect(output).toContain('nothing was left behind');
      expect(code).toBe(130);
      expect(existsSync(folder)).toBe(false);
      expect(stillRunning(folder)).toEqual([]);
    },
  );

  it(
    'when what was compiled does not work: exit 1, and what was replaced is back',
    { timeout: limit },
    async (ctx) => {
      if (lane.missing !== undefined) return ctx.skip(lane.missing);
      const { folder, packageFolder } = projectWithPackage('bad-compiler', 'as it was');
      const compiler = path.join(home, 'bad-c++');
      // Answers the first look, then writes what is no native part.
      writeFileSync(compiler, '#!/bin/sh\nfor last; do :; done\n[ "$last" = - ] || echo rubbish > "$last"\n');
      chmodSync(compiler, 0o755);
      const PATH = `${home}${path.delimiter}${process.env['PATH'] ?? ''}`;
      const { code, output } = await setup([folder, 'pip'], { env: { PATH, CXX: 'bad-c++' } });
      expect(output).toContain('A training step with @tensorflow/tfjs-node-gpu failed');
      expect(code).toBe(1);
      expect(readdirSync(packageFolder).sort()).toEqual(['lib', 'package.json']);
      expect(readFileSync(path.join(packageFolder, 'lib/napi-v8/tfjs_binding.node'), 'utf8')).toBe(
        'as it was',
      );
    },
  );
});

describe('a real TensorFlow', () => {
  it('that works is left alone', { timeout: limit }, async (ctx) => {
    if (lane.missing !== undefined) return ctx.skip(lane.missing);
    const state = findTensorflow(lane.place, { ancestors: false });
    if (state.state !== 'complete') throw new Error(`the lane is ${state.state}`);
    const before = readdirSync(state.packageFolder).map((name) => [
      name,
      statSync(path.join(state.packageFolder, name)).mtimeMs,
    ]);
    const { code, output } = await setup([lane.place]);
    expect(output).toMatch(
      /works already: TensorFlow \d+\.\d+\.\d+ trained a step on the [CG]PU \(.+\), loss/,
    );
    expect(code).toBe(0);
    const after = readdirSync(state.packageFolder).map((name) => [
      name,
      statSync(path.join(state.packageFolder, name)).mtimeMs,
    ]);
    expect(after).toEqual(before);
  });

  it(
    'is put into a project without changing it, then mended after its native part is gone',
    { timeout: 2 * limit },
    async (ctx) => {
      if (lane.missing !== undefined) return ctx.skip(lane.missing);
      const folder = path.join(home, 'a project');
      mkdirSync(path.join(folder, 'node_modules/left'), { recursive: true });
      const manifest = JSON.stringify({ name: 'mine', dependencies: { left: '1.0.0' } });
      writeFileSync(path.join(folder, 'package.json'), manifest);
      writeFileSync(path.join(folder, 'node_modules/left/package.json'), '{"version":"1.0.0"}');

      const first = await setup([folder, 'pip']);
      expect(first.output).toMatch(/works: TensorFlow \d+\.\d+\.\d+ trained a step on the [CG]PU/);
      expect(first.code).toBe(0);
      expect(readFileSync(path.join(folder, 'package.json'), 'utf8')).toBe(manifest);
      expect(readdirSync(folder).sort()).toEqual(['node_modules', 'package.json']);
      expect(readdirSync(path.join(folder, 'node_modules')).sort()).toEqual(['@tensorflow', 'left']);

      const packageFolder = path.join(folder, 'node_modules/@tensorflow/tfjs-node-gpu');
      for (const part of ['lib', 'deps']) rmSync(path.join(packageFolder, part), { recursive: true });
      expect(findTensorflow(folder).state).toBe('withoutNativePart');
      const second = await setup([folder, 'pip']);
      expect(second.output).toContain('without its native part; adding it');
      expect(second.code).toBe(0);
      // What it computes is compared with arithmetic done by hand.
      const product =
        "const tf = require('@tensorflow/tfjs-node-gpu'); console.log(tf.getBackend(), tf.matMul([[1, 2]], [[3], [4]]).dataSync()[0])";
      expect(
        execFileSync(process.execPath, ['-e', product], { cwd: folder, encoding: 'utf8' }).trim(),
      ).toMatch(/tensorflow 11$/);
    },
  );
});
