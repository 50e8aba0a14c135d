// Builds dist/: the command line, the GPU reader, the hook that is preloaded into the user's process, the model.json runner.
import { build, context } from 'esbuild';
import { chmod } from 'node:fs/promises';

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
];

if (process.argv.includes('--watch')) {
  for (const target of targets) await (await context(target)).watch();
} else {
  await Promise.all(targets.map((target) => build(target)));
  await chmod('dist/cli.js', 0o755);
}
