// The packaged extension: what is in it for each platform, how large it is, and that it plans with nothing else around it.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { swiftshaderLane } from '../support/lanes';
import { zipEntries, type ZipEntry } from '../support/zipEntries';

const run = promisify(execFile);
const root = path.resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(path.join(tmpdir(), 'bp-package-'));
const megabyte = 1e6;

/** WebGPU's files of each platform; Windows brings the older of the two compilers itself. */
const binaries: Readonly<Record<string, readonly string[]>> = {
  'linux-x64': ['linux-x64/dawn.node'],
  'linux-arm64': ['linux-arm64/dawn.node'],
  'darwin-x64': ['darwin-universal/dawn.node'],
  'darwin-arm64': ['darwin-universal/dawn.node'],
  'win32-x64': [
    'dawn.node',
    'dxcompiler-LICENSE.TXT',
    'dxcompiler-ThirdPartyNotices.txt',
    'dxcompiler.dll',
  ].map((name) => `win32-x64/${name}`),
  'win32-arm64': [
    'dawn.node',
    'dxcompiler-LICENSE.TXT',
    'dxcompiler-ThirdPartyNotices.txt',
    'dxcompiler.dll',
  ].map((name) => `win32-arm64/${name}`),
};

async function pack(target: string): Promise<string> {
  await run(process.execPath, ['vsix.mjs', '--no-build', '--target', target, '--out', folder], { cwd: root });
  return path.join(folder, `${packageJson.name}-${target}-${packageJson.version}.vsix`);
}

/** Names without the folder that VS Code's format puts them in. */
function filesOf(entries: readonly ZipEntry[]): string[] {
  return entries
    .map(({ name }) => name)
    .filter((name) => name.startsWith('extension/'))
    .map((name) => name.slice('extension/'.length));
}

function readmeOf(entries: readonly ZipEntry[]): string {
  return textOf(entries, 'readme.md');
}

function manifestOf(entries: readonly ZipEntry[]): Record<string, unknown> {
  return JSON.parse(textOf(entries, 'package.json')) as Record<string, unknown>;
}

function textOf(entries: readonly ZipEntry[], name: string): string {
  const entry = entries.find((each) => each.name === `extension/${name}`);
  if (entry === undefined) throw new Error(`${name} is not in the package`);
  return entry.read().toString();
}

afterAll(() => rmSync(folder, { recursive: true }));

describe('the package', () => {
  it.for(Object.entries(binaries))(
    'for %s is small and has nothing but the product',
    async ([target, expected]) => {
      const file = await pack(target);
      expect(statSync(file).size).toBeLessThan(15 * megabyte);
      const entries = zipEntries(file);

      const files = filesOf(entries);
      const native = 'node_modules/webgpu/dist/';
      expect(
        files
          .filter((file) => file.startsWith(native))
          .map((file) => file.slice(native.length))
          .sort(),
      ).toEqual(expected);
      const unwanted =
        /\.map$|\.vsix$|\.d\.ts$|tfjs-node|libtensorflow|^src\/|^test\/|^webview\/|\.batch-planner|^media\/examples\/trained/;
      expect(files.filter((file) => unwanted.test(file))).toEqual([]);
      expect(new Set(files.map((file) => file.split('/')[0]))).toEqual(
        new Set([
          'LICENSE.txt',
          'changelog.md',
          'package.json',
          'package.nls.json',
          'readme.md',
          'dist',
          'media',
          'node_modules',
        ]),
      );
      expect(files).toEqual(
        expect.arrayContaining([
          'dist/extension.js',
          'dist/cli.js',
          'dist/page.js',
          'dist/page.css',
          'media/icon.png',
          'media/accumulation.schema.json',
          'media/examples/digits/digits.csv',
        ]),
      );

      // What its page in VS Code shows or links to, and what its manifest names.
      const linked = [...readmeOf(entries).matchAll(/\]\((?!https?:|#)([^)]+)\)/g)].map(
        ([, link = '']) => link,
      );
      expect(linked).toContain('media/export.md');
      for (const link of linked) expect(files.some((name) => `${name}/`.startsWith(`${link}/`))).toBe(true);
      expect(manifestOf(entries)).toMatchObject({ main: 'dist/extension.js' });
      expect(manifestOf(entries)).not.toHaveProperty('exports');
      expect(manifestOf(entries)).not.toHaveProperty('typesVersions');

      const manifest = entries.find(({ name }) => name === 'extension.vsixmanifest');
      expect(manifest?.read().toString()).toContain(`TargetPlatform="${target}"`);
    },
  );

  it('names every package that it contains in its notices, with the licence', async () => {
    const entries = zipEntries(await pack('linux-x64'));
    const notices =
      entries
        .find(({ name }) => name.endsWith('THIRD_PARTY_NOTICES.txt'))
        ?.read()
        .toString() ?? '';
    const manifests = entries.filter(({ name }) => /^extension\/node_modules\/.*package\.json$/.test(name));
    expect(manifests.length).toBeGreaterThan(10);
    for (const manifest of manifests) {
      const { name, version, license } = JSON.parse(manifest.read().toString());
      expect(notices).toContain(`${name} ${version} (${license})`);
    }
    // These are bundled into dist/, from source maps and from the style sheet.
    for (const name of [
      'zod',
      'systeminformation',
      'uplot',
      '@vscode/codicons',
      '@vscode/webview-ui-toolkit',
    ]) {
      expect(notices).toMatch(new RegExp(`^${name} \\d`, 'm'));
    }
  });
});

describe.runIf(process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch))(
  'unpacked far from this repository',
  () => {
    const extension = path.join(folder, 'unpacked');
    const project = path.join(folder, 'my project');
    const trace = path.join(folder, 'trace.cjs');
    const traced = path.join(folder, 'traced.txt');

    beforeAll(async () => {
      for (const entry of zipEntries(await pack(`${process.platform}-${process.arch}`))) {
        if (!entry.name.startsWith('extension/')) continue;
        const file = path.join(extension, entry.name.slice('extension/'.length));
        mkdirSync(path.dirname(file), { recursive: true });
        writeFileSync(file, entry.read());
      }
      mkdirSync(project);
      writeFileSync(
        path.join(project, 'train.js'),
        `const tf = require('@tensorflow/tfjs');
       const model = tf.sequential();
       model.add(tf.layers.dense({ inputShape: [8], units: 4, activation: 'relu' }));
       model.add(tf.layers.dense({ units: 1 }));
       model.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
       model.fit(tf.randomNormal([64, 8]), tf.randomNormal([64, 1]), { batchSize: 64, epochs: 1, verbose: 0 });`,
      );
      // Every file that any process loads as a module, or opens as WebAssembly, is noted.
      writeFileSync(
        trace,
        `const fs = require('node:fs');
       const Module = require('node:module');
       const note = (file) => fs.appendFileSync(${JSON.stringify(traced)}, file + '\\n');
       for (const [ending, load] of Object.entries(Module._extensions)) {
         Module._extensions[ending] = function (module, file) { note(file); return load.call(this, module, file); };
       }
       for (const name of ['readFileSync', 'readFile']) {
         const read = fs[name];
         fs[name] = function (file, ...rest) { if (String(file).endsWith('.wasm')) note(String(file)); return read.call(this, file, ...rest); };
       }`,
      );
    });

    const swiftshader = swiftshaderLane();
    const vulkan =
      swiftshader.place === undefined
        ? {}
        : { VK_DRIVER_FILES: swiftshader.place, LD_LIBRARY_PATH: path.dirname(swiftshader.place) };

    it.for(['cpu', 'wasm', 'webgpu'])(
      'plans on %s with its own TensorFlow.js, loading nothing from elsewhere',
      async (backend, { skip }) => {
        skip(backend === 'webgpu' && swiftshader.missing !== undefined, swiftshader.missing);
        rmSync(traced, { force: true });
        const { stdout } = await run(
          process.execPath,
          [
            path.join(extension, 'dist/cli.js'),
            'plan',
            'train.js',
            '--target-batch',
            '64',
            '--backend',
            backend,
            '--json',
          ],
          {
            cwd: project,
            env: { ...process.env, ...vulkan, NODE_OPTIONS: `--require ${JSON.stringify(trace)}` },
          },
        );
        expect(JSON.parse(stdout)).toMatchObject({
          backend: { name: backend },
          targetBatchSize: 64,
          largestMicrobatch: 64,
        });

        const files = [...new Set(readFileSync(traced, 'utf8').trim().split('\n'))].filter(
          (file) => file !== trace,
        );
        expect(files.filter((file) => !file.startsWith(extension) && !file.startsWith(project))).toEqual([]);
        expect(files).toContain(path.join(extension, 'node_modules/@tensorflow/tfjs/dist/tf.node.js'));
        if (backend === 'wasm') expect(files.some((file) => file.endsWith('.wasm'))).toBe(true);
        expect(files.filter((file) => !existsSync(file))).toEqual([]);
      },
    );
  },
);
