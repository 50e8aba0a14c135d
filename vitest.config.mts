// How the tests run: one process a file, because tests load TensorFlow.js, which keeps global state.
import { defineConfig } from 'vitest/config';
import { SlowFirst } from './test/support/slowFirst.mjs';

/** Tests of the page alone, in a browser without an editor around it. */
const page = ['test/e2e/page.test.ts', 'test/e2e/page[A-Z]*.test.ts'];
/**
 * Here the kernel kills for want of memory. A training that cannot read what it counts of its own control group takes note of
 * what it counts of the whole machine.
 */
const kernelKills = ['test/process/trainRecoveryMemory.test.ts'];
const exclude = ['test/.lanes/**', 'test/fixtures/**', 'node_modules/**'];

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    sequence: { sequencer: SlowFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'core',
          include: ['test/**/*.test.ts'],
          exclude: [...exclude, 'test/e2e/**', ...kernelKills],
          sequence: { groupOrder: 0 },
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'page',
          include: page,
          exclude,
          sequence: { groupOrder: 0 },
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        // Beside no other training.
        extends: true,
        test: {
          name: 'memory',
          include: kernelKills,
          exclude,
          sequence: { groupOrder: 1 },
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        // After the others and one file at a time: a VS Code, a browser and a training want the machine for themselves.
        extends: true,
        test: {
          name: 'editor',
          include: ['test/e2e/**/*.test.ts'],
          exclude: [...exclude, ...page],
          sequence: { groupOrder: 2 },
          maxWorkers: 1,
          globalSetup: ['test/support/editor/packFirst.ts'],
          setupFiles: ['test/support/editor/failureReport.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
    // Real processes on shared machines: one that fails once and then holds is told in CONTRIBUTING.md, not hidden.
    retry: 1,
  },
});
