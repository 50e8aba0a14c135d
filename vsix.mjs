// Packs the extension for one platform, batch-planner-<target>-<version>.vsix: `node vsix.mjs [--target linux-x64] [--out FOLDER] [--no-build]`.
import { createVSIX } from '@vscode/vsce';
import { transform } from 'esbuild';
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

const root = import.meta.dirname;

/** Platforms that WebGPU's package has a binary for: the files in its dist/ that each needs. */
const webgpuFiles = {
  'linux-x64': ['linux-x64/dawn.node'],
  'linux-arm64': ['linux-arm64/dawn.node'],
  'darwin-x64': ['darwin-universal/dawn.node'],
  'darwin-arm64': ['darwin-universal/dawn.node'],
  // Without d3dcompiler_47.dll, which is a part of Windows; DirectX's newer compiler is not.
  'win32-x64': ['win32-x64/{dawn.node,dxcompiler.dll,dxcompiler-*}'],
  'win32-arm64': ['win32-arm64/{dawn.node,dxcompiler.dll,dxcompiler-*}'],
};

/** Packages that come into dist/ by a style sheet, which has no source map to tell it. */
const bundledByStyle = ['@vscode/codicons', 'uplot'];

const { values } = parseArgs({
  options: {
    target: { type: 'string', default: `${process.platform}-${process.arch}` },
    out: { type: 'string', default: root },
    'no-build': { type: 'boolean', default: false },
  },
});
if (!(values.target in webgpuFiles)) {
  console.error(`--target must be one of ${Object.keys(webgpuFiles).join(', ')}, not ${values.target}`);
  process.exit(2);
}
if (!values['no-build']) build();
writeFileSync(path.join(root, 'dist/THIRD_PARTY_NOTICES.txt'), thirdPartyNotices());
await pack(values.target, path.resolve(values.out));

function build() {
  const { status } = spawnSync(process.execPath, ['esbuild.mjs'], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

/**
 * Lays out what .vscodeignore allows in a folder of its own, with manifests that name nothing else, and has it packed: vsce
 * asks npm for the dependencies, and looks at every file that it finds.
 */
async function pack(target, out) {
  const staging = mkdtempSync(path.join(tmpdir(), 'batch-planner-vsix-'));
  const rules = readFileSync(path.join(root, '.vscodeignore'), 'utf8').split('\n');
  rules.push(...webgpuFiles[target].map((file) => `!node_modules/webgpu/dist/${file}`));
  const allowed = rules.filter((rule) => rule.startsWith('!')).map((rule) => rule.slice(1));
  const files = [...new Set(['package.json', 'README.md', ...allowed.flatMap(matchingFiles)])];
  try {
    for (const file of files) await stage(file, path.join(staging, file), files);
    const ignoreFile = path.join(staging, '.vscodeignore');
    writeFileSync(ignoreFile, rules.join('\n'));
    const packed = path.join(out, `.packing-${process.pid}.vsix`);
    await createVSIX({
      cwd: staging,
      packagePath: packed,
      target,
      useYarn: false,
      rewriteRelativeLinks: false,
      allowMissingRepository: true,
    });
    const { name, version } = JSON.parse(readFileSync(path.join(staging, 'package.json'), 'utf8'));
    const file = path.join(out, `${name}-${target}-${version}.vsix`);
    // In one step: who installs it at this moment gets the old or the new one, whole.
    renameSync(packed, file);
    console.log(file);
  } finally {
    rmSync(staging, { recursive: true });
  }
}

/** Copies a file: scripts without blanks, manifests without what does not concern the packed product. */
async function stage(file, to, files) {
  const from = path.join(root, file);
  mkdirSync(path.dirname(to), { recursive: true });
  if (path.basename(file) === 'package.json' && !file.startsWith('media/')) {
    // What npm users import is not packed: VS Code starts what "main" names.
    const alsoLeft = file === 'package.json' ? ['exports', 'typesVersions'] : [];
    const manifest = packedManifest(JSON.parse(readFileSync(from, 'utf8')), files, alsoLeft);
    writeFileSync(to, JSON.stringify(manifest, null, 2));
  } else if (/^(?:dist|node_modules)\/.*\.c?js$/.test(file)) {
    writeFileSync(to, await withoutBlanks(readFileSync(from, 'utf8')));
  } else {
    copyFileSync(from, to);
  }
}

/** A script without blanks and comments but for the notices of licences; names stay, for they are in stack traces. */
async function withoutBlanks(script) {
  const { code } = await transform(script, {
    minifyWhitespace: true,
    legalComments: 'eof',
    target: 'node20',
  });
  return code.replace(/^\/\/# sourceMappingURL=.*$/gm, '');
}

/** A manifest without scripts and without dependencies that are not packed. */
function packedManifest(manifest, files, alsoLeft) {
  const left = ['scripts', 'files', 'devDependencies', 'optionalDependencies', 'private', ...alsoLeft];
  const entries = Object.entries(manifest).filter(([name]) => !left.includes(name));
  return Object.fromEntries(
    entries.map(([name, value]) => {
      if (name !== 'dependencies' && name !== 'peerDependencies') return [name, value];
      const isPacked = ([dependency]) => files.includes(`node_modules/${dependency}/package.json`);
      return [name, Object.fromEntries(Object.entries(value).filter(isPacked))];
    }),
  );
}

/** Files that a rule of .vscodeignore allows: names with `{a,b}`, `*` within a name, `**` for all below a folder. */
function matchingFiles(rule) {
  const braces = /\{([^{}]*)\}/.exec(rule);
  if (braces !== null) {
    const [whole, alternatives] = braces;
    return alternatives.split(',').flatMap((part) => matchingFiles(rule.replace(whole, part)));
  }
  const folder = path.posix.dirname(rule);
  const name = path.posix.basename(rule);
  if (!name.includes('*')) {
    if (!existsSync(path.join(root, rule)))
      throw new Error(`.vscodeignore allows ${rule}, which is not there`);
    return [rule];
  }
  const here = path.join(root, folder);
  if (!existsSync(here)) return [];
  const wanted = name === '**' ? /./ : new RegExp(`^${name.split('*').map(escapeRegExp).join('.*')}$`);
  return readdirSync(here, { withFileTypes: true, recursive: name === '**' })
    .filter((entry) => entry.isFile() && wanted.test(entry.name))
    .map((entry) =>
      path.relative(root, path.join(entry.parentPath ?? entry.path, entry.name)).replaceAll('\\', '/'),
    );
}

function escapeRegExp(text) {
  return text.replace(/[.+?^${}()|[\]\\]/g, '\\$&');
}

/** Licences of all that is bundled into dist/ or packed beside it. */
function thirdPartyNotices() {
  const folders = new Set([...bundledPackages(), ...packedPackages()]);
  const packages = [...folders].sort().map((folder) => readPackage(folder));
  const texts = packages.map(({ name, version, license, text }) => {
    return `${name} ${version} (${license})\n\n${text}`;
  });
  const line = `\n\n${'-'.repeat(80)}\n\n`;
  return ['Batch Planner contains the following software of others.', ...texts].join(line) + '\n';
}

/** Folders of packages, relative to the root, that source maps in dist/ name. */
function bundledPackages() {
  const dist = path.join(root, 'dist');
  const maps = readdirSync(dist, { recursive: true }).filter((file) => file.endsWith('.map'));
  const sources = maps.flatMap((file) => JSON.parse(readFileSync(path.join(dist, file), 'utf8')).sources);
  return [
    ...sources.map(packageFolder).filter((folder) => folder !== null),
    ...bundledByStyle.map((name) => `node_modules/${name}`),
  ];
}

/** Folders of the packages that .vscodeignore allows. */
function packedPackages() {
  const allowed = readFileSync(path.join(root, '.vscodeignore'), 'utf8').split('\n');
  return allowed.map(packageFolder).filter((folder) => folder !== null);
}

/** `…/node_modules/@scope/name` of a path below it. */
function packageFolder(file) {
  return /(?<=^[!./]*)node_modules\/(?:.*\/node_modules\/)?(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? null;
}

function readPackage(folder) {
  const place = path.join(root, folder);
  const { name, version, license, author } = JSON.parse(
    readFileSync(path.join(place, 'package.json'), 'utf8'),
  );
  const files = readdirSync(place).filter((file) => /^(?:licen[cs]e|copying|notice)/i.test(file));
  const own = files.map((file) => readFileSync(path.join(place, file), 'utf8').trim());
  const text = own.length > 0 ? own.join('\n\n') : commonText(license, author);
  return { name, version, license, text };
}

/** The text of a licence that a package names but does not carry. @throws Error where there is none here */
function commonText(license, author) {
  const holder = (typeof author === 'string' ? author : author?.name) ?? 'its authors';
  const texts = {
    'Apache-2.0': () => apacheText(holder),
    'Apache-2.0 AND MIT': () => `${apacheText(holder)}\n\n${mitText(holder)}`,
    MIT: () => mitText(holder),
  };
  const text = texts[license];
  if (text === undefined) throw new Error(`no text of the licence ${license}`);
  return text();
}

function apacheText(holder) {
  return `Copyright ${holder}\n\n${readFileSync(path.join(root, 'node_modules/long/LICENSE'), 'utf8').trim()}`;
}

function mitText(holder) {
  const text = readFileSync(path.join(root, 'LICENSE'), 'utf8').trim();
  return text.replace(/^Copyright.*$/m, `Copyright (c) ${holder}`);
}
