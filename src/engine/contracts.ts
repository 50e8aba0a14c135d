// The contracts between the parts of the engine: what the hook tells, what measuring and training put behind it.
import type * as tfTypes from '@tensorflow/tfjs';
import type { PlanWarning } from '../protocol/warning';

/** The user's TensorFlow.js: core and layers behind one object. */
export type Tf = typeof tfTypes;

/** A model whose step is taken over. Properties that tfjs keeps private but that exist at run time are in fitHook. */
export type LayersModel = tfTypes.LayersModel;

/** One call of `fit`, `fitDataset` or `trainOnBatch`. */
export interface TrainingCall {
  /** 0 for the first call in this process. */
  readonly index: number;
  readonly method: 'fit' | 'fitDataset' | 'trainOnBatch';
  /** The LayersModel that trains (the inner one of a Sequential). */
  readonly model: LayersModel;
  /** Name as the user knows it (the Sequential's own). */
  readonly modelName: string;
  /** Batch size the script asked for; null where the call does not say (a dataset before its first batch). */
  readonly scriptBatchSize: number | null;
  /** Examples per update with the hook's target; equals the script's where none is set. Null until known. */
  readonly targetBatchSize: number | null;
  /** Training rows after a validation split; null where unknown. */
  readonly examples: number | null;
  readonly epochs: number | null;
  /** Updates per epoch where they can be told beforehand. */
  readonly updatesPerEpoch: number | null;
  readonly hasValidation: boolean;
  /**
   * Why the script's own batches are used unchanged; null: accumulated. In `fitDataset` the self-check runs on the first
   * batch, so this may be set (and the batch sizes become known) after `callStarted`, before the first update.
   */
  readonly passThrough: string | null;
  readonly warnings: readonly PlanWarning[];
}

/** One optimizer update in the making: the hook has the whole batch; microbatches are run one by one, then applied. */
export interface Update {
  readonly call: TrainingCall;
  /** 0-based, over the whole call. */
  readonly index: number;
  /** Examples in this update (the last of an epoch may have fewer than the target). */
  readonly rows: number;
  /** Forward and backward of rows [start, start + size), weighted size / rows, added to the accumulators. */
  runMicrobatch(start: number, size: number): void;
  /** One optimizer step with what was accumulated. Called once, after all rows. */
  apply(): void;
  /** Forgets what was accumulated, so that the update can be begun again from its first row. */
  restart(): void;
  /** Runs the validation step on rows [0, size) of the batch, as `fit` would; its outputs are dropped. */
  validate(size: number): void;
  /**
   * Computes nothing: the step returns these outputs (loss and metrics by name, as `updateEnded` told them), so that
   * an update done before an interruption is passed over while the callbacks still see its figures. Instead of, not
   * beside, runMicrobatch and apply.
   */
  skip?(logs: Record<string, number>): void;
}

/** What an observer may decide of a call before it does anything. */
export interface CallDirective {
  /** The call does not train: `fit` and `fitDataset` return a History of these epochs, `trainOnBatch` the last one's values. */
  readonly skip?: { readonly epochs: readonly Readonly<Record<string, number>>[] };
  /** First epoch of `fit` or `fitDataset` to run; the script's own where none is told. */
  readonly initialEpoch?: number;
}

/** Progress and decisions that measuring and training add to the hook. Every member is optional. */
export interface FitObserver {
  /** Before the call does anything; may wait. Throwing ends the call with that error. */
  callStarted?(call: TrainingCall): void | Promise<void>;
  /** Asked right after `callStarted`: null lets the call run as the script wrote it. */
  directCall?(call: TrainingCall): CallDirective | null;
  /** After the call ended; `error` is what it threw. */
  callEnded?(call: TrainingCall, error: unknown): void | Promise<void>;
  /**
   * Takes over one update. Default: microbatches of `splitBatch(update.rows, microbatchSize())`, then apply.
   * What it returns is ignored; what it throws is thrown by the script's own `fit`.
   */
  runUpdate?(update: Update): void;
  /** Told by the default way only: an observer with `runUpdate` knows its own microbatches. */
  microbatchEnded?(update: Update, index: number, of: number): void;
  /** `logs`: loss and metrics of this update over the whole batch, by name; a promise where values cannot be read at once (WebGPU). Not told of updates that were skipped. */
  updateEnded?(update: Update, logs: Promise<Record<string, number>> | Record<string, number>): void;
  /**
   * After an update, outside every tidy, after the script's own onBatchEnd: here an observer may wait (a pause, an
   * asynchronous read of the weights). `trainOnBatch` waits for it before it returns.
   */
  updateSettled?(call: TrainingCall): void | Promise<void>;
  /** fitLoop's own epoch end, with its logs (averages over the epoch, validation included). */
  epochEnded?(call: TrainingCall, epoch: number, logs: Record<string, number>): void | Promise<void>;
  /** The self-check's figure (see selfCheck). */
  selfChecked?(
    call: TrainingCall,
    check: { rows: number; relativeDifference: number; passed: boolean },
  ): void;
  warned?(warning: PlanWarning): void;
}

export interface HookSettings {
  /** Largest microbatch; read before each update, so that it may change between two. */
  microbatchSize(): number;
  /** Examples per update; null: the script's own. */
  targetBatchSize: number | null;
  /** Run the equality self-check before the first update of each model. */
  selfCheck: boolean;
  /**
   * Most rows that the self-check may use: 8 where not told; below 2 there is no check. It needs the memory of a
   * microbatch of this many rows, so a run on a full card gives its microbatch size.
   */
  selfCheckRows?: number;
}
