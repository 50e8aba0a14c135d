// How the tests run: one process a file, because tests load TensorFlow.js, which keeps global state.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/.lanes/**', 'test/fixtures/**', 'node_modules/**'],
    pool: 'forks',
    maxWorkers: 2,
    // Real processes on shared machines: one that fails once and then holds is told in CONTRIBUTING.md, not hidden.
    retry: 1,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
