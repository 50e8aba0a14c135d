// The lines that a plan is told in: a line for each trial, then the equation, the table, what to know, what to do next.
import { quoted } from '../planning/commandText';
import path from 'node:path';
import { describeSizes, warningText } from '../planning/describe';
import { splitBatch } from '../planning/microbatches';
import type { WrittenConfig } from '../supervise/plan/planDisplay';
import type { Plan, PlanTrial } from '../planning/plan';
import { fitsWithin, type Trial } from '../planning/trial';
import { shownLine } from '../planning/shownText';
import { formatBytesAgainst, formatBytesApart, formatCount, formatDuration } from '../planning/units';
import { cut, fitLine, textWidth, wrapText } from './fitLine';
import type { Colors } from './style';

/** How wide the lines may be, and whether they have colours. */
export interface LineStyle {
  readonly columns: number;
  readonly colors: Colors;
}

/** A trial that has just ended. `message`: what ran out of memory. */
export function trialLine(
  trial: Trial,
  message: string | null,
  { columns, colors }: LineStyle,
  budgetBytes?: number,
): string {
  const size = `${formatCount(trial.microbatch)} at once`;
  if (trial.outcome === 'outOfMemory') {
    return fitLine(
      [
        { rank: 0, text: `${colors.red('✕')} ${size}` },
        { rank: 0, text: 'out of memory' },
        { rank: 2, text: shownLine(message ?? '') },
      ],
      columns,
    );
  }
  const fits = fitsWithin(trial, budgetBytes);
  // A peak that is written as the budget is would not say why it fits, or why not.
  const [peak] = formatBytesAgainst(trial.peakBytes ?? null, budgetBytes ?? null);
  const ms = msPerExample(trial);
  return fitLine(
    [
      { rank: 0, text: `${fits ? colors.green('✓') : colors.yellow('✕')} ${size}` },
      { rank: 1, text: fits ? '' : 'over the budget' },
      { rank: 2, text: peak === '' ? '' : `peak ${peak}` },
      { rank: 3, text: ms === null ? '' : `${ms} ms per example` },
    ],
    columns,
  );
}

/** All that is told of a plan once it is made. */
export function planLines(plan: Plan, config: WrittenConfig, style: LineStyle): string[] {
  const { colors, columns } = style;
  const file = path.relative('', config.path);
  const amounts = shownAmounts(plan);
  return [
    '',
    ...wrapText(equation(plan, columns), columns).map((line) => colors.bold(line)),
    ...wrapText(`${proofSentence(plan, amounts.budget)} ${exactnessSentence(plan)}`.trim(), columns),
    '',
    ...trialTable(plan, amounts.peaks, style),
    ...plan.warnings.flatMap((warning) => [
      '',
      ...wrapText(`${colors.yellow('!')} ${shownLine(warningText(warning))}`, columns, '  '),
    ]),
    '',
    ...wrapText(`${config.isUpdate ? 'Updated' : 'Wrote'} ${shownLine(file)}`, columns),
    ...(config.needsData
      ? wrapText('Then name your examples (CSV or .npy files) under "training.data" in it.', columns)
      : []),
    ...wrapText(`Next: ${colors.bold(`batch-planner train ${shownLine(quoted(file))}`)}`, columns),
  ];
}

/** The sentence that a person came for, in one line: `2,048 = 74 × 22 + 20 × 21  →  94 microbatches, at most 22 at once`. */
function equation({ microbatchSizes, microbatchSize, accumulationSteps }: Plan, columns: number): string {
  const sizes = describeSizes(microbatchSizes);
  if (accumulationSteps === 1) return sizes;
  const rest = `  →  ${formatCount(accumulationSteps)} microbatches, at most ${formatCount(microbatchSize)} at once`;
  return textWidth(sizes + rest) <= columns ? sizes + rest : sizes;
}

/** The trials' peaks, and the budget: with digits enough to see which of them are over it. */
function shownAmounts({ trials, budgetBytes }: Plan): {
  peaks: ReadonlyMap<PlanTrial, string>;
  budget: string | null;
} {
  const amounts = [
    ...trials.map((trial) => ({ trial, bytes: trial.peakBytes })),
    { trial: null, bytes: budgetBytes },
  ].flatMap(({ trial, bytes }) => (bytes === null ? [] : [{ trial, bytes }]));
  amounts.sort((a, b) => a.bytes - b.bytes);
  const texts = formatBytesApart(amounts.map(({ bytes }) => bytes));
  const peaks = new Map<PlanTrial, string>();
  let budget: string | null = null;
  amounts.forEach(({ trial }, index) => {
    const text = texts[index] ?? '';
    if (trial === null) budget = text;
    // Where memory ended, more was needed.
    else peaks.set(trial, trial.outcome === 'outOfMemory' ? `> ${text}` : text);
  });
  return { peaks, budget };
}

/** @param budgetText as its amount is shown beside the peaks; null where there is none */
function proofSentence(plan: Plan, budgetText: string | null): string {
  const { proof, largestMicrobatch, microbatchSize, targetBatchSize, objective } = plan;
  const largest = formatCount(largestMicrobatch);
  const next = formatCount(largestMicrobatch + 1);
  const budget = budgetText === null ? 'the budget' : `the budget of ${budgetText}`;
  const why = {
    cap: `${largest} at once was run and fits: that is ${largestMicrobatch < targetBatchSize ? 'every example there is' : 'the whole batch'}.`,
    outOfMemory: `${largest} at once was run and fits; ${next} ran out of memory.`,
    budget: `${largest} at once was run and fits; ${next} would be over ${budget}.`,
  }[proof];
  const largestPart = splitBatch(targetBatchSize, largestMicrobatch)[0];
  if (objective !== 'fastest' || microbatchSize === largestPart) return why;
  return `${why} A smaller one was faster for each example, so at most ${formatCount(microbatchSize)} at once are planned.`;
}

function exactnessSentence({ exactness }: Plan): string {
  if (exactness === null) return '';
  const difference =
    exactness.relativeDifference === 0 ? 'nothing' : exactness.relativeDifference.toExponential(0);
  return `Difference from the full batch, measured on ${formatCount(exactness.rows)} rows: ${difference}.`;
}

/** Microbatch, outcome, peak and time of each trial, by size, as many of them as fit; the chosen trial is marked. */
function trialTable(
  plan: Plan,
  peaks: ReadonlyMap<PlanTrial, string>,
  { columns, colors }: LineStyle,
): string[] {
  const titles = ['microbatch', 'outcome', 'peak', 'ms per example'];
  const trials = [...plan.trials].sort((a, b) => a.microbatch - b.microbatch);
  const rows = trials.map((trial) => [
    formatCount(trial.microbatch),
    outcome(trial, plan),
    peaks.get(trial) ?? '–',
    msPerExample(trial) ?? '–',
  ]);
  const widths = titles.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => textWidth(row[i] ?? ''))),
  );
  const widthOf = (count: number): number =>
    widths.slice(0, count).reduce((sum, width) => sum + width, 2 * (count - 1));
  // Half a column tells nothing: the time goes first, then the peak.
  const shown = [4, 3].find((count) => widthOf(count) <= columns) ?? 2;
  const line = (cells: readonly string[]): string =>
    cells
      .slice(0, shown)
      .map((cell, i) => (i === 1 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  return [
    colors.dim(cut(line(titles), columns)),
    ...rows.map((row, i) => {
      const text = cut(line(row), columns);
      return trials[i]?.microbatch === plan.microbatchSize ? colors.bold(text) : text;
    }),
  ];
}

function outcome(trial: PlanTrial, { budgetBytes, microbatchSize, largestMicrobatch }: Plan): string {
  if (trial.outcome === 'outOfMemory') return 'out of memory';
  if (budgetBytes !== null && trial.peakBytes !== null && trial.peakBytes > budgetBytes)
    return 'over the budget';
  if (trial.microbatch === microbatchSize) return 'fits, chosen';
  return trial.microbatch === largestMicrobatch ? 'fits, largest' : 'fits';
}

function msPerExample({ stepMs, microbatch }: { stepMs?: number | null; microbatch: number }): string | null {
  if (stepMs === undefined || stepMs === null) return null;
  const ms = stepMs / microbatch;
  return ms < 10 ? ms.toFixed(2) : ms.toFixed(0);
}

/** How long something has been under way, in whole seconds. */
export function elapsed(ms: number): string {
  return ms < 1000 ? '' : formatDuration(Math.floor(ms / 1000) * 1000);
}
