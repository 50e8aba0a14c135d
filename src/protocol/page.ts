// What the extension and its page tell each other: whole view models to the page, small messages back.
import * as z from 'zod';
import { objectives, plan } from '../planning/plan';
import { largestTargetBatch } from '../planning/userInput';
import { backendReport } from './backend';
import { planBudget, planFailure, planStreamTrial } from './planStream';
import { inspection } from './report';

/** ISO 8601 in UTC. */
const time = z.iso.datetime();

/** The plan's part of the page. */
export const planView = z.discriminatedUnion('state', [
  /** Nothing was planned for this entry yet. */
  z.strictObject({ state: z.literal('none') }),
  /** A plan is being made; trials come in one by one. */
  z.strictObject({
    state: z.literal('planning'),
    startedAt: time,
    /** The size that runs now; null: the script starts, or the search thinks. */
    trying: z.int().positive().nullable(),
    backend: backendReport.nullable(),
    inspection: inspection.nullable(),
    budget: planBudget.nullable(),
    trials: z.array(planStreamTrial),
    /** True once it was asked to end. */
    isCancelling: z.boolean(),
  }),
  z.strictObject({
    state: z.literal('planned'),
    plan,
    plannedAt: time,
    configPath: z.string(),
    tfjsVersion: z.string(),
    /** As the config says now: a person may have edited both numbers. */
    targetBatchSize: z.int().positive(),
    microbatchSize: z.int().positive(),
    /** Why the plan may no longer hold (the entry changed after it); null where it holds. */
    outdated: z.string().nullable(),
    /** A model.json whose data are not named in the config yet: training cannot start. */
    needsData: z.boolean(),
  }),
  /** Planning ended without a plan. */
  z.strictObject({ state: z.literal('failed'), failure: planFailure }),
  /** The config beside the entry cannot be read; each problem is a sentence with its line. */
  z.strictObject({
    state: z.literal('badConfig'),
    configPath: z.string(),
    problems: z.array(z.strictObject({ message: z.string(), line: z.int().positive(), column: z.int() })),
  }),
]);
export type PlanView = z.infer<typeof planView>;

export const runStates = [
  /** The process is there; TensorFlow.js and the script load. */
  'starting',
  /** It goes on from a checkpoint: what was done before is gone over, without computing it. */
  'replaying',
  'training',
  /** Asked to pause; the update in the making is finished first. */
  'pausing',
  'paused',
  /** Asked to go on. */
  'resuming',
  /** Asked to stop; the state is saved first. */
  'stopping',
  'completed',
  'stopped',
  'failed',
  /** Its record says that it trains, but its processes are gone. */
  'interrupted',
  /** Its folder was deleted. */
  'gone',
] as const;
export type RunState = (typeof runStates)[number];

/** Something that happened in a run, to be marked on its charts and listed. */
export interface RunMark {
  readonly time: string;
  /** 0-based index into the run's points: the update that comes next. */
  readonly point: number;
  readonly kind:
    | 'started'
    | 'checkpoint'
    | 'microbatchReduced'
    | 'microbatchGrown'
    | 'outOfMemory'
    | 'paused'
    | 'resumed'
    | 'warning'
    | 'ended';
  /** One sentence; for `checkpoint` the time that it took. */
  readonly text: string;
}

/** The run's part of the page, without its points; sent whole, at most four times a second. */
export interface RunView {
  /** Name of the run folder. */
  readonly name: string;
  readonly folder: string;
  readonly state: RunState;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly backend: string | null;
  readonly deviceName: string | null;
  readonly targetBatchSize: number;
  /** Now, which is smaller than planned after a reduction. */
  readonly microbatchSize: number;
  readonly call: {
    readonly method: 'fit' | 'fitDataset' | 'trainOnBatch';
    readonly modelName: string;
    /** 0-based: which training call of the script. */
    readonly call: number;
    readonly epochs: number | null;
    readonly updatesPerEpoch: number | null;
    /** Why this call trains with the script's own batches; null where it is accumulated. */
    readonly passThrough: string | null;
  } | null;
  /** Epochs done in this call. */
  readonly epoch: number;
  readonly updateOfEpoch: number;
  /** Updates done in the whole run. */
  readonly updates: number;
  readonly microbatch: { readonly done: number; readonly of: number } | null;
  /** Updates of the whole run that are gone over so far, and how many are to be; null while nothing is gone over. */
  readonly replay: { readonly done: number; readonly of: number } | null;
  /**
   * Time in which updates were made, in ms, without pauses and without what lies between two training processes; of the
   * stretch that is under way only what was before `trainingSince`.
   */
  readonly trainedMs: number;
  /** Since when it trains without a break; null while it does not. */
  readonly trainingSince: string | null;
  /** Over the last updates that were made, which may be a while ago. */
  readonly examplesPerSecond: number | null;
  readonly leftMs: number | null;
  /** Peak of the last update. */
  readonly memoryBytes: number | null;
  /** What the plan may use; null where it was not known. */
  readonly budgetBytes: number | null;
  readonly savedAt: string | null;
  /** Time that saving took in the whole run, in ms. */
  readonly savingMs: number;
  /** The update that a resume goes on from, as a count of updates of its call; null where nothing is saved. */
  readonly savedUpdate: number | null;
  /** Figures of the last epoch, or of the last update before the first epoch ended. */
  readonly last: Readonly<Record<string, number | null>>;
  /** Best value of each figure over the epochs so far, and the 1-based epoch that it is of. */
  readonly best: Readonly<Record<string, { readonly value: number; readonly epoch: number }>>;
  readonly failure: {
    readonly message: string;
    readonly file: string | null;
    readonly line: number | null;
  } | null;
  /** The last lines that the script wrote. */
  readonly output: string;
  readonly attempts: number;
}

/** Columns of equal length: one entry for each update of a run, in order. */
export interface RunPoints {
  /** ms since the run's start. */
  readonly timeMs: number[];
  readonly loss: (number | null)[];
  readonly memoryBytes: (number | null)[];
  readonly examplesPerSecond: (number | null)[];
  readonly metrics: Readonly<Record<string, (number | null)[]>>;
}

/** The end of an epoch: where it stands among the points, and its figures (`loss`, `val_loss`, …). */
export interface RunEpoch {
  /** Number of points before its end. */
  readonly point: number;
  readonly call: number;
  /** 0-based. */
  readonly epoch: number;
  readonly logs: Readonly<Record<string, number | null>>;
}

/**
 * A part of a run's history. The first part (`from` 0) replaces what the page has of that run; every other one replaces
 * the points from `from` on, and the epochs and marks whose `point` is `from` or more: the end of an epoch comes before
 * the point that it stands at, and again with it.
 */
export interface RunHistoryPart {
  readonly run: string;
  /** Number of points that the page has before this part. */
  readonly from: number;
  readonly points: RunPoints;
  readonly epochs: readonly RunEpoch[];
  readonly marks: readonly RunMark[];
}

/** An earlier run of the same entry, as it is listed. */
export interface EarlierRun {
  readonly name: string;
  readonly state: RunState;
  readonly startedAt: string;
  readonly epochs: number | null;
  readonly updates: number | null;
  readonly figure: {
    readonly name: string;
    readonly last: number | null;
    readonly best: number | null;
  } | null;
  readonly targetBatchSize: number;
  readonly microbatchSize: number;
}

/** Everything that the page shows but for the points of runs. */
export interface PageView {
  /** Name of the entry's file, and its path relative to the workspace folder. */
  readonly entryName: string;
  readonly entryPath: string;
  /** False in Restricted Mode: nothing can be started. */
  readonly isTrusted: boolean;
  readonly plan: PlanView;
  /** The run that is shown; null: there is none. */
  readonly run: RunView | null;
  /** All runs of this entry but the shown one, newest first. */
  readonly earlierRuns: readonly EarlierRun[];
  /** Name of the run whose history is drawn beside the shown one's; null for none. */
  readonly comparedRun: string | null;
}

/** Extension to page. */
export type HostMessage =
  /** First answer to `ready`: translations of the page's texts (English text → text), then the view. */
  | { readonly type: 'hello'; readonly texts: Readonly<Record<string, string>>; readonly locale: string }
  | { readonly type: 'view'; readonly view: PageView }
  | { readonly type: 'history'; readonly part: RunHistoryPart };

const amount = z.number().positive().finite();

/** Page to extension; validated on arrival. */
export const pageMessage = z.discriminatedUnion('type', [
  /** The page is there (again): it wants everything. */
  z.strictObject({ type: z.literal('ready') }),
  /** Measure anew; null: as planned before, or as the script asks. */
  z.strictObject({
    type: z.literal('plan'),
    targetBatchSize: z.int().min(1).max(largestTargetBatch).nullable(),
    budgetBytes: amount.nullable(),
    objective: z.enum(objectives),
  }),
  z.strictObject({ type: z.literal('cancelPlanning') }),
  z.strictObject({ type: z.literal('startTraining') }),
  z.strictObject({ type: z.literal('pauseRun') }),
  z.strictObject({ type: z.literal('resumeRun') }),
  z.strictObject({ type: z.literal('stopRun') }),
  /** End at once, without saving. */
  z.strictObject({ type: z.literal('endRun') }),
  z.strictObject({ type: z.literal('openConfig'), line: z.int().positive().nullable() }),
  /** Open the plan as a program; the language is asked for. */
  z.strictObject({ type: z.literal('copyAsCode') }),
  z.strictObject({ type: z.literal('openEntry') }),
  /** A place in the script that failed: as it stands in the view's `failure`, which is where the host takes it from. */
  z.strictObject({ type: z.literal('openFailure') }),
  z.strictObject({ type: z.literal('openRunFolder') }),
  /** Show another run of this entry. */
  z.strictObject({ type: z.literal('showRun'), run: z.string().max(300) }),
  /** Draw another run beside the shown one; null: no more. */
  z.strictObject({ type: z.literal('compareRun'), run: z.string().max(300).nullable() }),
  z.strictObject({ type: z.literal('copyText'), text: z.string().max(20_000_000) }),
  z.strictObject({ type: z.literal('showLog') }),
  z.strictObject({ type: z.literal('showTerminal') }),
  /** The button that a failure offers, by its kind in `planFailure.remedy`, or a warning that the setup mends. */
  z.strictObject({ type: z.literal('remedy') }),
  z.strictObject({ type: z.literal('manageTrust') }),
]);
export type PageMessage = z.infer<typeof pageMessage>;

/** What a page keeps for when the window is reloaded, beside what only the page looks at. */
export const pageState = z.looseObject({
  /** Absolute path of the entry that it is of. */
  entry: z.string().min(1),
});
