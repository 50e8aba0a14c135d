// Builds dist/: the command line, the GPU reader, the hook that is preloaded into the user's process, the model.json
// runner, the extension and its page, and what loops of the user's own import.
import { build, context } from 'esbuild';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

const isWatching = process.argv.includes('--watch');
/** Names in dist/ to build only those: `node esbuild.mjs page`. */
const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));

const shared = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  sourcemap: true,
  logLevel: 'warning',
  // The UMD builds of some packages hide their parts from the bundler.
  mainFields: ['module', 'main'],
  // TensorFlow.js is never bundled: the engine is handed the user's own copy, or ours from node_modules.
  external: ['@tensorflow/*', 'webgpu'],
};

/** One entry per process of the product; the name is the file in dist/. */
const targets = [
  {
    ...shared,
    entryPoints: { cli: 'src/cli.ts' },
    outdir: 'dist',
    format: 'cjs',
    banner: { js: '#!/usr/bin/env node' },
  },
  { ...shared, entryPoints: { gpuReader: 'src/gpu/reader.ts' }, outdir: 'dist', format: 'cjs' },
  {
    ...shared,
    entryPoints: { preload: 'src/engine/preload.ts' },
    outdir: 'dist',
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
  },
  {
    ...shared,
    entryPoints: { modelEntry: 'src/engine/model/modelEntry.ts' },
    outdir: 'dist',
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
  },
  {
    bundle: true,
    platform: 'browser',
    target: 'chrome128',
    format: 'iife',
    minify: !isWatching,
    sourcemap: true,
    logLevel: 'warning',
    entryPoints: { page: 'webview/main.ts' },
    outdir: 'dist',
    alias: { '@microsoft/fast-web-utilities': path.resolve('webview/focusVisible.ts') },
  },
  {
    bundle: true,
    minify: !isWatching,
    logLevel: 'warning',
    entryPoints: { page: 'webview/style.css' },
    outdir: 'dist',
    // The icons' font lies beside the style that names it.
    loader: { '.ttf': 'file' },
    assetNames: '[name]',
  },
  {
    ...shared,
    entryPoints: { extension: 'src/extension.ts' },
    outdir: 'dist',
    format: 'cjs',
    // What starts with the window is a few kilobytes; the rest is a file of its own, read when it is wanted.
    external: [...shared.external, 'vscode', './editor/startEditor'],
    supported: { 'dynamic-import': false },
  },
  {
    ...shared,
    entryPoints: { startEditor: 'src/editor/startEditor.ts' },
    outdir: 'dist/editor',
    format: 'cjs',
    external: [...shared.external, 'vscode'],
  },
  // `batch-planner/accumulate`, for `import` and for `require`.
  ...['esm', 'cjs'].map((format) => ({
    ...shared,
    platform: 'neutral',
    target: 'es2022',
    entryPoints: { accumulate: 'src/accumulate/index.ts' },
    outdir: 'dist/accumulate',
    entryNames: 'index',
    format,
    outExtension: { '.js': format === 'esm' ? '.mjs' : '.cjs' },
  })),
];

const chosen = targets.filter(
  ({ entryPoints }) => wanted.length === 0 || Object.keys(entryPoints).some((name) => wanted.includes(name)),
);
if (isWatching) {
  for (const target of chosen) await (await context(target)).watch();
} else {
  await Promise.all(chosen.map((target) => build(target)));
  if (chosen.some(({ entryPoints }) => 'cli' in entryPoints)) await chmod('dist/cli.js', 0o755);
  if (chosen.some(({ entryPoints }) => 'accumulate' in entryPoints)) await writeDeclarations();
}

/**
 * The types of `batch-planner/accumulate`: the declarations of each source file that the entry's lead to. Nothing is
 * type-checked here.
 */
async function writeDeclarations() {
  const { default: typescript } = await import('typescript');
  const compilerOptions = { target: typescript.ScriptTarget.ES2022, isolatedDeclarations: true };
  await mkdir('dist/accumulate', { recursive: true });
  const names = new Set(['index']);
  for (const name of names) {
    const fileName = `src/accumulate/${name}.ts`;
    const source = await readFile(fileName, 'utf8');
    const { outputText } = typescript.transpileDeclaration(source, { fileName, compilerOptions });
    for (const [, imported] of outputText.matchAll(/from '\.\/(\w+)'/g)) names.add(imported);
    for (const kind of ['m', 'c']) {
      const text = outputText.replace(/(?<=from '\.\/\w+)(?=')/g, `.${kind}js`);
      await writeFile(`dist/accumulate/${name}.d.${kind}ts`, text);
    }
  }
}
