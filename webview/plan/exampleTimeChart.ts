// Time per example against microbatch: what a larger microbatch is worth.
import { msPerExample } from '../../src/planning/chooseSize';
import type { PlanTrial } from '../../src/planning/plan';
import { formatCount } from '../../src/planning/units';
import { t } from '../l10n';
import type { SizeChartContent, SizePoint } from './sizePlot';
import { formatMs, trialFits } from './texts';

/** Null where no trial was timed. */
export function exampleTimeChart(
  trials: readonly PlanTrial[],
  budgetBytes: number | null,
  chosen: number | null,
): SizeChartContent | null {
  const points = trials
    .flatMap((trial): SizePoint[] => {
      const ms = msPerExample(trial);
      if (trial.outcome !== 'fits' || ms === null) return [];
      const { microbatch } = trial;
      return [
        {
          microbatch,
          value: ms,
          kind: trialFits(trial, budgetBytes) ? 'measured' : 'miss',
          isChosen: microbatch === chosen,
          text: t('{0} at once: {1} per example', formatCount(microbatch), formatMs(ms)),
        },
      ];
    })
    .sort((a, b) => a.microbatch - b.microbatch);
  const first = points[0];
  const last = points.at(-1);
  if (first === undefined || last === undefined) return null;
  const usable = points.filter(({ kind }) => kind === 'measured');
  const fastest = usable.reduce(
    (best, point) => (point.value < best.value ? point : best),
    usable[0] ?? first,
  );
  return {
    points,
    line: points.map(({ microbatch, value }) => ({ x: microbatch, y: value })),
    levels: [],
    // A scale that doubles, with room beside the first and the last.
    xRange: [first.microbatch / 1.35, last.microbatch * 1.35],
    yMax: Math.max(...points.map(({ value }) => value)) * 1.15,
    isLogX: true,
    summary:
      usable.length < 2
        ? first.text
        : t(
            'Least time per example: {0}, at {1} at once.',
            formatMs(fastest.value),
            formatCount(fastest.microbatch),
          ),
    formatY: (value) => (value === 0 ? '0' : tick(value)),
    ySteps: timeSteps,
  };
}

const timeSteps = Array.from({ length: 12 }, (_, index) => 10 ** (index - 4)).flatMap((size) =>
  [1, 2, 5].map((digit) => Number((digit * size).toPrecision(1))),
);

function tick(ms: number): string {
  return ms >= 10_000 ? `${formatCount(ms / 1000)} s` : `${Number(ms.toPrecision(4))} ms`;
}
