// What `runs` prints: columns below each other, two lines where one is too narrow, and names that steer no terminal.
import { createColors } from 'picocolors';
import { describe, expect, test } from 'vitest';
import type { RunSummary } from '../../../src/supervise/runs/runsCommand';
import { textWidth } from '../../../src/terminal/fitLine';
import { renderRuns } from '../../../src/terminal/runsView';

const plain = createColors(false);

function run(change: Partial<RunSummary> = {}): RunSummary {
  const name = change.name ?? '2026-11-28T20-58-39-train';
  return {
    folder: `${process.cwd()}/.batch-planner/runs/${name}`,
    name,
    entry: 'train.js',
    configPath: 'train.accumulation.json',
    state: 'completed',
    startedAt: '2026-11-28T20:58:39.000Z',
    endedAt: '2026-11-28T20:58:52.000Z',
    targetBatchSize: 512,
    microbatchSize: 86,
    attempts: 1,
    backend: 'wasm',
    epochs: 3,
    updates: 9,
    logs: { loss: 1.9, val_loss: 1.6833 },
    failure: null,
    ...change,
  };
}

const runs = [
  run(),
  run({ epochs: 20, updates: 1060 }),
  run({ state: 'failed', epochs: null, updates: null, logs: null, failure: 'The script failed.' }),
];

describe('a list of runs', () => {
  test('is a table where there is room', () => {
    expect(renderRuns(runs, 100, plain)).toEqual([
      '2026-11-28T20-58-39-train  completed   3 epochs      9 updates  val_loss 1.6833  13 s  wasm',
      '2026-11-28T20-58-39-train  completed  20 epochs  1,060 updates  val_loss 1.6833  13 s  wasm',
      '2026-11-28T20-58-39-train  failed                                                13 s',
    ]);
  });

  test('into a pipe has everything', () => {
    const [first = '', , last = ''] = renderRuns(runs, Infinity, plain);
    expect(first).toMatch(/wasm {2}\.batch-planner.runs.2026-11-28T20-58-39-train$/);
    expect(last).toMatch(/The script failed\. {2}\.batch-planner/);
  });

  test('has two lines a run where one would lose the figures', () => {
    expect(renderRuns(runs, 45, plain)).toEqual([
      '2026-11-28T20-58-39-train',
      '  completed  3 epochs  val_loss 1.6833  13 s',
      '2026-11-28T20-58-39-train',
      '  completed  20 epochs  val_loss 1.6833  13 s',
      '2026-11-28T20-58-39-train',
      '  failed  13 s  wasm  The script failed.',
    ]);
  });

  test('never is wider than the terminal, and ends no line with blanks', () => {
    for (let columns = 1; columns <= 160; columns++) {
      for (const line of renderRuns(runs, columns, plain)) {
        if (columns > 12) expect(textWidth(line)).toBeLessThanOrEqual(columns);
        expect(line).toBe(line.trimEnd());
      }
    }
  });

  test('shows names and failures of others on their line', () => {
    const name = 'a\u001B[2J\u202Eb';
    const [line = ''] = renderRuns([run({ name, failure: 'no\nGPU\u001B' })], Infinity, plain);
    expect(line).toContain('a\\u001b[2J\\u202eb');
    expect(line).toContain('no\\u000aGPU\\u001b');
  });
});
