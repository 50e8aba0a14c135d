// What `plan` prints: the equation in one line, the table, why no larger size, what to know, and the next command.
import { createColors } from 'picocolors';
import { describe, expect, test } from 'vitest';
import type { Plan } from '../../../src/planning/plan';
import { formatBytes } from '../../../src/planning/units';
import { textWidth } from '../../../src/terminal/fitLine';
import { planLines, trialLine } from '../../../src/terminal/planLines';
import { createPlanPrinter } from '../../../src/terminal/planPrinter';
import { terminalStyle } from '../../../src/terminal/style';

const style = (columns: number) => ({ columns, colors: createColors(false) });
const plan: Plan = {
  version: 1,
  entry: 'train.js',
  backend: { name: 'tfjs-node-gpu', version: '4.22.0', reason: 'the first that works' },
  device: null,
  targetBatchSize: 2048,
  examples: 60_000,
  objective: 'largest',
  largestMicrobatch: 22,
  microbatchSize: 22,
  proof: 'outOfMemory',
  microbatchSizes: [...Array<number>(74).fill(22), ...Array<number>(20).fill(21)],
  accumulationSteps: 94,
  budgetBytes: 6_500_000_000,
  memory: { fixedBytes: 610_000_000, bytesPerExample: 267_000_000, optimizerPeakBytes: 1 },
  trials: [
    { microbatch: 22, outcome: 'fits', peakBytes: 6_400_000_000, gradientPeakBytes: null, stepMs: 44 },
    { microbatch: 1, outcome: 'fits', peakBytes: 877_000_000, gradientPeakBytes: null, stepMs: 30 },
    { microbatch: 23, outcome: 'outOfMemory', peakBytes: null, gradientPeakBytes: null, stepMs: null },
  ],
  model: { name: 'digits', parameters: 1000, fingerprint: 'f' },
  exactness: { rows: 8, relativeDifference: 6e-8 },
  warnings: [
    {
      code: 'batchStatistics',
      message: 'norm_1 uses the statistics of each microbatch.',
      layers: ['norm_1'],
    },
  ],
};
const config = { path: 'train.accumulation.json', isUpdate: false, needsData: false };

describe('a plan', () => {
  test('is told in this order', () => {
    expect(planLines(plan, config, style(120))).toEqual(
      [
        '',
        '2,048 = 74 × 22 + 20 × 21  →  94 microbatches, at most 22 at once',
        '22 at once was run and fits; 23 ran out of memory. Difference from the full batch, measured on 8 rows: 6e-8.',
        '',
        'microbatch  outcome          peak  ms per example',
        `         1  fits          ${formatBytes(877_000_000)}              30`,
        `        22  fits, chosen  ${formatBytes(6_400_000_000).padStart(formatBytes(877_000_000).length)}            2.00`,
        `        23  out of memory  ${'–'.padStart(formatBytes(877_000_000).length - 1)}               –`,
        '',
        '! norm_1 uses the statistics of each microbatch.',
        '',
        'Wrote train.accumulation.json',
        'Next: batch-planner train train.accumulation.json',
      ].map((line) => expect.stringMatching(new RegExp(`^${escape(line)}$`)) as string),
    );
  });

  test('that needs no accumulation says so', () => {
    const whole = {
      ...plan,
      microbatchSizes: [2048],
      microbatchSize: 2048,
      largestMicrobatch: 2048,
      accumulationSteps: 1,
      proof: 'cap' as const,
    };
    expect(planLines(whole, config, style(120))[1]).toBe('All 2,048 fit at once: no accumulation needed.');
  });

  test('fits narrow terminals: sentences are wrapped, columns of the table are whole or left out, the command is whole', () => {
    const whole = { ...plan, microbatchSizes: [2048], accumulationSteps: 1 };
    for (const columns of [36, 40, 60, 80]) {
      for (const each of [plan, whole]) {
        const lines = planLines(each, config, style(columns));
        expect(lines.at(-1)).toMatch(/(?:^|: )batch-planner train train\.accumulation\.json$/);
        for (const line of lines.slice(0, -1)) {
          expect(textWidth(line)).toBeLessThanOrEqual(columns);
          expect(line).not.toContain('…');
        }
      }
    }
    const titles = (columns: number) =>
      planLines(plan, config, style(columns)).find((line) => line.startsWith('microbatch'));
    expect(titles(80)).toMatch(/peak +ms per example$/);
    expect(titles(40)).toMatch(/outcome +peak$/);
  });

  test('marks the largest size that fits where balanced parts are smaller than it', () => {
    const balanced = { ...plan, microbatchSize: 21 };
    expect(planLines(balanced, config, style(80)).join('\n')).toMatch(/^ +22 {2}fits, largest/m);
  });
});

/** As a pattern in which any run of blanks stands for any other: columns are as wide as their widest figure. */
function escape(line: string): string {
  return line.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/ +/g, ' +');
}

describe('peaks that would be written alike', () => {
  const MB = 2 ** 20;
  const trial = (microbatch: number, megabytes: number): Plan['trials'][number] => ({
    microbatch,
    outcome: 'fits',
    peakBytes: megabytes * MB,
    gradientPeakBytes: null,
    stepMs: null,
  });
  const tied: Plan = {
    ...plan,
    largestMicrobatch: 104,
    microbatchSize: 104,
    budgetBytes: 45 * MB,
    proof: 'budget',
    trials: [trial(105, 45.04), trial(1, 38.2), trial(104, 44.96)],
  };

  test('in the table have digits that tell which is over the budget, and so has the budget', () => {
    const lines = planLines(tied, config, style(120));
    expect(lines.filter((line) => /^ +\d/.test(line)).map((line) => line.trim().split(/ {2,}/))).toEqual([
      ['1', 'fits', '38.2 MB', '–'],
      ['104', 'fits, chosen', '44.96 MB', '–'],
      ['105', 'over the budget', '45.04 MB', '–'],
    ]);
    expect(lines.join('\n')).toContain('105 would be over the budget of 45.00 MB.');
  });

  test('in the line of a trial stand apart from the budget', () => {
    const over = { microbatch: 105, outcome: 'fits', peakBytes: 45.04 * MB } as const;
    expect(trialLine(over, null, style(80), 45 * MB)).toBe('✕ 105 at once · over the budget · peak 45.04 MB');
    expect(trialLine(over, null, style(80), 46 * MB)).toBe('✓ 105 at once · peak 45.0 MB');
  });

  test('of a size that ran out of memory are lower bounds', () => {
    const outOfMemory = { ...trial(105, 44.5), outcome: 'outOfMemory' as const };
    const lines = planLines({ ...tied, budgetBytes: null, trials: [outOfMemory] }, config, style(120));
    expect(lines.join('\n')).toMatch(/105 {2}out of memory {2}> 44\.5 MB/);
  });
});

test('a trial is told as it ends', () => {
  expect(trialLine({ microbatch: 22, outcome: 'fits', peakBytes: 6.4e9, stepMs: 44 }, null, style(80))).toBe(
    `✓ 22 at once · peak ${formatBytes(6.4e9)} · 2.00 ms per example`,
  );
  expect(trialLine({ microbatch: 23, outcome: 'outOfMemory' }, 'OOM when allocating tensor', style(80))).toBe(
    '✕ 23 at once · out of memory · OOM when allocating tensor',
  );
  expect(
    textWidth(trialLine({ microbatch: 23, outcome: 'outOfMemory' }, 'x'.repeat(100), style(40))),
  ).toBeLessThanOrEqual(40);
});

test('into a pipe nothing is redrawn; on a terminal the cursor comes back', () => {
  for (const isTTY of [true, false]) {
    let text = '';
    const out = { isTTY, columns: 80, write: (piece: string) => (text += piece) };
    const printer = createPlanPrinter(out, terminalStyle(out, { NO_COLOR: '1' }));
    printer.started('train.js');
    printer.progress({ type: 'trialStarted', microbatch: 22 });
    const trial = { microbatch: 22, outcome: 'fits' } as const;
    printer.progress({ type: 'trialEnded', trial, message: null, measurement: null });
    printer.end();
    printer.finished(plan, config);
    expect(text).toContain('✓ 22 at once');
    expect(text.includes('\u001B')).toBe(isTTY);
    if (isTTY) expect(text.lastIndexOf('\u001B[?25h')).toBeGreaterThan(text.lastIndexOf('\u001B[?25l'));
  }
});
