// Memory against microbatch: what was measured, the line through it, the device and the budget, the chosen size.
import { predictPeak } from '../../src/planning/memoryModel';
import type { PlanMemory, PlanTrial } from '../../src/planning/plan';
import { formatBytes, formatCount } from '../../src/planning/units';
import { t } from '../l10n';
import type { Level, SizeChartContent, SizePoint } from './sizePlot';
import { outcomeOf, trialFits } from './texts';

export interface MemoryFacts {
  readonly trials: readonly PlanTrial[];
  readonly memory: PlanMemory | null;
  readonly budgetBytes: number | null;
  readonly deviceBytes: number | null;
  /** The largest part of the target batch; null while planning. */
  readonly chosen: { readonly microbatch: number; readonly peakBytes: number | null } | null;
}

/** A level that is further above everything else than this is told, not drawn: it would press the rest flat. */
const farAbove = { budget: 3, device: 1.8 };

/** Null where no trial tells how much memory it took. */
export function memoryChart(facts: MemoryFacts): SizeChartContent | null {
  const { trials, memory, budgetBytes, deviceBytes, chosen } = facts;
  const fits = trials.filter(({ outcome, peakBytes }) => outcome === 'fits' && peakBytes !== null);
  if (fits.length === 0) return null;
  const sizes = [...trials.map(({ microbatch }) => microbatch), chosen?.microbatch ?? 1];
  const largest = Math.max(...sizes) * 1.12;
  const predicted = (microbatch: number): number | null =>
    memory === null ? null : predictPeak(memory, microbatch);
  const highest = Math.max(
    ...fits.map(({ peakBytes }) => peakBytes ?? 0),
    ...(chosen === null ? [] : [chosen.peakBytes ?? 0]),
  );
  const levels: Level[] = [];
  const beyond: string[] = [];
  let top = highest;
  const addLevel = (kind: Level['kind'], value: number | null, label: string): void => {
    if (value === null) return;
    if (value > top * farAbove[kind]) {
      beyond.push(label);
      return;
    }
    levels.push({ kind, value, label });
    top = Math.max(top, value);
  };
  addLevel('budget', budgetBytes, t('Budget {0}', formatBytes(budgetBytes ?? 0)));
  addLevel('device', deviceBytes, t('Device {0}', formatBytes(deviceBytes ?? 0)));
  const points = trials
    .map((trial): SizePoint => {
      const { microbatch, peakBytes } = trial;
      const isMiss = !trialFits(trial, budgetBytes);
      const value =
        trial.outcome === 'outOfMemory' ? (predicted(microbatch) ?? peakBytes ?? top) : (peakBytes ?? 0);
      return {
        microbatch,
        value: Math.min(value, top * 1.05),
        kind: isMiss ? 'miss' : 'measured',
        isChosen: microbatch === chosen?.microbatch && !isMiss,
        text: pointText(trial, budgetBytes, chosen?.microbatch ?? null),
      };
    })
    .filter(({ value }) => value > 0);
  if (chosen !== null && chosen.peakBytes !== null && !points.some(({ isChosen }) => isChosen)) {
    points.push({
      microbatch: chosen.microbatch,
      value: chosen.peakBytes,
      kind: 'estimate',
      isChosen: true,
      text: t(
        '{0} at once: about {1} (estimate)',
        formatCount(chosen.microbatch),
        formatBytes(chosen.peakBytes),
      ),
    });
  }
  points.sort((a, b) => a.microbatch - b.microbatch);
  const yMax = top * 1.12;
  return {
    points,
    line: memory === null ? [] : lineOf(memory, largest),
    levels,
    xRange: [0, largest],
    yMax,
    isLogX: false,
    summary: [
      lineFormula(memory),
      ...(beyond.length === 0 ? [] : [t('Above the chart: {0}.', beyond.join(', '))]),
    ]
      .filter((text) => text !== '')
      .join(' '),
    formatY: (value) => (value === 0 ? '0' : formatBytes(value)),
    ySteps: byteSteps,
  };
}

/** Powers of two, which are round in GB and MB. */
const byteSteps = Array.from({ length: 34 }, (_, power) => 2 ** (power + 10));

/** The line's ends, and its bend where the optimizer's update is what peaks. */
function lineOf(memory: PlanMemory, largest: number): { x: number; y: number }[] {
  const { fixedBytes, bytesPerExample, optimizerPeakBytes } = memory;
  const bend = bytesPerExample > 0 ? (optimizerPeakBytes - fixedBytes) / bytesPerExample : 0;
  const places = [0, ...(bend > 0 && bend < largest ? [bend] : []), largest];
  return places.map((x) => ({ x, y: Math.max(0, predictPeak(memory, x)) }));
}

/** `Line: 0.6 GB + 267 MB for each example`. */
function lineFormula(memory: PlanMemory | null): string {
  if (memory === null) return '';
  return t(
    'Line: {0} + {1} for each example.',
    formatBytes(memory.fixedBytes),
    formatBytes(memory.bytesPerExample),
  );
}

function pointText(trial: PlanTrial, budgetBytes: number | null, chosen: number | null): string {
  const outcome = outcomeOf(trial, budgetBytes, chosen);
  const size = formatCount(trial.microbatch);
  if (trial.outcome === 'outOfMemory' || trial.peakBytes === null)
    return t('{0} at once: {1}', size, outcome);
  return t('{0} at once: peak {1}, {2}', size, formatBytes(trial.peakBytes), outcome);
}
