// Runs as the extension would send them to its page: views, and histories made by a seeded generator.
import type { EarlierRun, PageView, RunHistoryPart, RunMark, RunView } from '../../src/protocol/page';
import { pageViewOf } from './pageFixtures';

const started = '2026-11-24T08:00:00.000Z';
export const runName = '2026-11-24T08-00-00-train';

/** A run that trains, as it is after 141 of 240 updates of its third epoch. */
export function runViewOf(more: Partial<RunView> = {}): RunView {
  return {
    name: runName,
    folder: '/work/digits/.batch-planner/runs/2026-11-24T08-00-00-train',
    state: 'training',
    startedAt: started,
    endedAt: null,
    backend: 'tfjs-node-gpu 4.22.0',
    deviceName: 'NVIDIA GeForce RTX 3070',
    targetBatchSize: 2048,
    microbatchSize: 22,
    call: {
      method: 'fit',
      modelName: 'sequential_1',
      call: 0,
      epochs: 10,
      updatesPerEpoch: 240,
      passThrough: null,
    },
    epoch: 2,
    updateOfEpoch: 141,
    updates: 621,
    microbatch: { done: 57, of: 94 },
    replay: null,
    trainedMs: 12 * 60_000,
    trainingSince: new Date().toISOString(),
    examplesPerSecond: 1204,
    leftMs: 31 * 60_000,
    memoryBytes: 6.3 * 2 ** 30,
    budgetBytes: 6.5 * 2 ** 30,
    savedAt: null,
    savingMs: 0,
    savedUpdate: null,
    last: { loss: 0.2115, acc: 0.9412, val_loss: 0.2544, val_acc: 0.9307 },
    best: { val_loss: { value: 0.2544, epoch: 2 }, val_acc: { value: 0.9321, epoch: 1 } },
    failure: null,
    output: 'Loading 1,797 digits\nModel has 1,199,882 parameters\n',
    attempts: 1,
    ...more,
  };
}

/** A page that shows this run and no plan. */
export function runPageOf(run: RunView | null, more: Partial<PageView> = {}): PageView {
  return pageViewOf({ state: 'none' }, { run, ...more });
}

export interface HistoryOptions {
  readonly run?: string;
  readonly from?: number;
  readonly updatesPerEpoch?: number;
  /** Names of metrics. */
  readonly metrics?: readonly string[];
  readonly marks?: readonly RunMark[];
  readonly seed?: number;
}

/** A part of a history with this many points; the same arguments give the same numbers. */
export function historyOf(points: number, options: HistoryOptions = {}): RunHistoryPart {
  const { run = runName, from = 0, updatesPerEpoch = 240, metrics = ['acc'], marks = [], seed = 1 } = options;
  let state = seed * 48_271 + from;
  const random = (): number => {
    state = (state * 16_807) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  const at = Array.from({ length: points }, (_, index) => from + index);
  const decay = (point: number) => 2.3 * Math.exp(-point / (updatesPerEpoch * 2)) + 0.15;
  const noisy = (point: number) => decay(point) * (0.8 + 0.4 * random());
  const epochs = at
    .filter((point) => (point + 1) % updatesPerEpoch === 0)
    .map((point) => {
      const figures = metrics.flatMap((name) => [
        [name, 1 - decay(point) / 3],
        [`val_${name}`, 0.98 - decay(point) / 3],
      ]);
      return {
        point: point + 1,
        call: 0,
        epoch: (point + 1) / updatesPerEpoch - 1,
        logs: { loss: decay(point), val_loss: decay(point) * 1.2, ...Object.fromEntries(figures) },
      };
    });
  return {
    run,
    from,
    points: {
      timeMs: at.map((point) => (point + 1) * 700),
      loss: at.map(noisy),
      memoryBytes: at.map(() => (6.1 + 0.2 * random()) * 2 ** 30),
      examplesPerSecond: at.map(() => 1150 + 100 * random()),
      metrics: Object.fromEntries(metrics.map((name) => [name, at.map((point) => 1 - noisy(point) / 3)])),
    },
    epochs,
    marks,
  };
}

/** One event of each kind, among the first 600 updates. */
export const someMarks: readonly RunMark[] = [
  mark('started', 0, 'Started on tfjs-node-gpu 4.22.0'),
  mark('checkpoint', 120, 'Checkpoint written in 310 ms'),
  mark('warning', 200, 'The loss is not a number'),
  mark('checkpoint', 240, 'Checkpoint written in 305 ms'),
  mark('outOfMemory', 330, 'Out of memory at 22 examples'),
  mark('microbatchReduced', 330, 'Microbatch 22 → 11 (out of memory)'),
  mark('checkpoint', 360, 'Checkpoint written in 312 ms'),
  mark('paused', 430, 'Paused after update 430'),
  mark('resumed', 430, 'Resumed from update 430'),
  mark('checkpoint', 480, 'Checkpoint written in 308 ms'),
];

export function mark(kind: RunMark['kind'], point: number, text: string): RunMark {
  return { time: new Date(Date.parse(started) + point * 700).toISOString(), point, kind, text };
}

/** Runs that came before: as they ended in each way. */
export const earlierRuns: readonly EarlierRun[] = [
  earlier('2026-11-23T17-20-00-train', 'completed', 10, { name: 'val_loss', last: 0.219, best: 0.211 }),
  earlier('2026-11-23T11-02-00-train', 'stopped', 4, { name: 'val_loss', last: 0.402, best: 0.402 }),
  earlier('2026-11-22T09-41-00-train', 'failed', 0, null),
  earlier('2026-11-21T22-10-00-train', 'interrupted', 7, { name: 'val_loss', last: 0.261, best: 0.255 }),
];

function earlier(
  name: string,
  state: EarlierRun['state'],
  epochs: number,
  figure: EarlierRun['figure'],
): EarlierRun {
  const [day = '', hour = '', minute = ''] = name.match(/^(.{10})T(..)-(..)/)?.slice(1) ?? [];
  return {
    name,
    state,
    startedAt: `${day}T${hour}:${minute}:00.000Z`,
    epochs,
    updates: epochs * 240,
    figure,
    targetBatchSize: 2048,
    microbatchSize: 22,
  };
}
