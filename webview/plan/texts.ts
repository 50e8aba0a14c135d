// Sentences about a plan, and how its figures are written.
import type { MicrobatchCount } from '../../src/planning/microbatches';
import type { Plan, PlanTrial } from '../../src/planning/plan';
import { fitsWithin } from '../../src/planning/trial';
import { formatBytes, formatCount } from '../../src/planning/units';
import type { PlanWarning } from '../../src/planning/warning';
import { t } from '../l10n';

/** What an equation is made of; each part stays in one line. `counts` are those of `microbatchCounts`. */
export function equationParts(targetBatchSize: number, counts: readonly MicrobatchCount[]): string[] {
  const steps = counts.reduce((sum, { count }) => sum + count, 0);
  if (steps === 1) {
    return targetBatchSize === 1
      ? [t('One example is the whole batch: no accumulation needed.')]
      : [t('All {0} fit at once: no accumulation needed.', formatCount(targetBatchSize))];
  }
  const largest = counts[0]?.size ?? 1;
  const terms = counts.map(({ count, size }) => `${formatCount(count)} × ${formatCount(size)}`);
  return [
    t('{0} examples per update', formatCount(targetBatchSize)),
    `= ${terms.join(' + ')}`,
    largest === 1
      ? t('→ {0} microbatches of one example', formatCount(steps))
      : t('→ {0} microbatches, at most {1} at once', formatCount(steps), formatCount(largest)),
  ];
}

/** How an update in so many steps compares with that of the full batch: a word or two, more words, whether it is equal. */
export function exactnessOf(
  { exactness, warnings }: Plan,
  accumulationSteps: number,
): {
  readonly short: string;
  readonly detail: string;
  readonly isExact: boolean;
} {
  const has = (code: PlanWarning['code']): boolean => warnings.some((warning) => warning.code === code);
  if (has('passThrough'))
    return { short: t('Not accumulated'), detail: t('the script’s own batches are used'), isExact: false };
  if (accumulationSteps === 1)
    return { short: t('Exact'), detail: t('the full batch goes through at once'), isExact: true };
  if (has('batchStatistics'))
    return {
      short: t('Close'),
      detail: t('batch normalization sees one microbatch at a time'),
      isExact: false,
    };
  if (has('randomLayer') || has('seededDropout') || has('randomSize'))
    return {
      short: t('Equal on average'),
      detail: t('random layers draw anew for each microbatch'),
      isExact: false,
    };
  if (exactness === null)
    return { short: t('Not checked'), detail: t('no self-check was made'), isExact: false };
  const difference = exactness.relativeDifference;
  return {
    short: t('Exact'),
    detail:
      difference === 0
        ? t('no difference from the full batch')
        : t('difference from the full batch {0}', shortNumber(difference)),
    isExact: true,
  };
}

/** `6e-8`: one digit is enough for a difference. */
function shortNumber(value: number): string {
  return value.toExponential(0).replace('e-', 'e−').replace('e+', 'e');
}

/** Why the largest microbatch is the largest. */
export function proofOf({ proof, largestMicrobatch, targetBatchSize, budgetBytes }: Plan): string {
  const largest = formatCount(largestMicrobatch);
  const next = formatCount(largestMicrobatch + 1);
  switch (proof) {
    case 'cap':
      return largestMicrobatch < targetBatchSize
        ? t('{0} at once was run and fits: that is every example there is.', largest)
        : t('{0} at once was run and fits: that is the whole batch.', largest);
    case 'outOfMemory':
      return t('{0} at once was run and fits; {1} ran out of memory.', largest, next);
    case 'budget':
      return budgetBytes === null
        ? t('{0} at once was run and fits; {1} would be over the budget.', largest, next)
        : t(
            '{0} at once was run and fits; {1} would be over the budget of {2}.',
            largest,
            next,
            formatBytes(budgetBytes),
          );
  }
}

/** Whether a trial ran within the budget. */
export function trialFits(
  { outcome, peakBytes, microbatch }: PlanTrial,
  budgetBytes: number | null,
): boolean {
  const trial = { microbatch, outcome, ...(peakBytes === null ? {} : { peakBytes }) };
  return fitsWithin(trial, budgetBytes ?? undefined);
}

/** How a trial ended, in words. */
export function outcomeOf(trial: PlanTrial, budgetBytes: number | null, chosen: number | null): string {
  if (trial.outcome === 'outOfMemory') return t('out of memory');
  if (!trialFits(trial, budgetBytes)) return t('over the budget');
  return trial.microbatch === chosen ? t('fits, chosen') : t('fits');
}

/** `13.2 ms`, with as many digits as a comparison needs. */
export function formatMs(ms: number): string {
  if (ms >= 100_000) return `${formatCount(ms / 1000)} s`;
  if (ms >= 10_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms >= 100) return `${formatCount(ms)} ms`;
  return `${ms.toFixed(ms >= 10 ? 1 : ms >= 0.1 ? 2 : 3)} ms`;
}

/** `3,221,225,472 bytes`, for those who count exactly. */
export function exactBytes(bytes: number): string {
  return t('{0} bytes ({1} GiB)', formatCount(bytes), (bytes / 2 ** 30).toFixed(2));
}
