// Lint rules: strict TypeScript, and the one-way import rule of the layout.
import tseslint from 'typescript-eslint';

/** Folders under src, each with the folders it may import from. `planning` imports nothing. */
const mayImport = {
  planning: [],
  export: ['planning'],
  protocol: ['planning'],
  gpu: ['protocol', 'planning'],
  engine: ['planning', 'protocol'],
  accumulate: ['planning', 'engine'],
  supervise: ['planning', 'protocol', 'gpu', 'export'],
  terminal: ['planning', 'protocol', 'supervise', 'gpu'],
  editor: ['planning', 'protocol', 'supervise', 'gpu', 'export'],
};

const folders = Object.keys(mayImport);
const oneWay = folders.map((folder) => {
  const forbidden = [...folders, 'cli', 'extension'].filter(
    (other) => other !== folder && !mayImport[folder].includes(other),
  );
  const patterns = [
    {
      regex: `^\\.\\./(\\.\\./)*(${forbidden.join('|')})(/|\\.|$)`,
      message: `src/${folder} may import only from: ${[folder, ...mayImport[folder]].join(', ')}.`,
    },
  ];
  if (folder !== 'editor')
    patterns.push({ group: ['vscode'], message: 'vscode is imported only under src/editor.' });
  if (folder === 'planning' || folder === 'export')
    patterns.push({ group: ['node:*', 'fs', 'path', 'os'], message: `src/${folder} does no I/O.` });
  const tensorflow = {
    group: ['@tensorflow/*', 'webgpu'],
    allowTypeImports: true,
    message: 'TensorFlow.js is handed in at run time; import its types only.',
  };
  return {
    files: [`src/${folder}/**/*.ts`],
    rules: { '@typescript-eslint/no-restricted-imports': ['error', { patterns: [...patterns, tensorflow] }] },
  };
});

export default tseslint.config(
  { ignores: ['dist', 'node_modules', 'test/fixtures', 'test/.lanes', 'test/.artifacts', 'media'] },
  ...tseslint.configs.strict,
  {
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      eqeqeq: ['error', 'always'],
    },
  },
  ...oneWay,
);
