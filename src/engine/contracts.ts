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
  /** A digest of the batch's data (see batchDigest); a promise where values cannot be read at once (WebGPU). */
  digest(): number | Promise<number>;
}

/** Figures by name: loss and metrics. */
export type Figures = Readonly<Record<string, number>>;

/** Progress and decisions that measuring and training add to the hook. Every member is optional. */
export interface FitObserver {
  /** Before the call does anything; may wait. Throwing ends the call with that error. */
  callStarted?(call: TrainingCall): void | Promise<void>;
  /** After the call ended; `error` is what it threw. */
  callEnded?(call: TrainingCall, error: unknown): void | Promise<void>;
  /**
   * Takes over one update. Default: microbatches of `splitBatch(update.rows, microbatchSize())`, then apply.
   * What it returns is ignored; what it throws is thrown by the script's own `fit`.
   */
  runUpdate?(update: Update): void;
  /**
   * Runs an update of a call that passes through: `run` does all of it, the optimizer's step included, and must be
   * called once.
   */
  runPlainUpdate?(update: Update, run: () => void): void;
  epochBegan?(call: TrainingCall, epoch: number): void;
  /**
   * Asked before each update: the figures of one that was done before an interruption. Nothing is computed then; the
   * step returns these figures, so that callbacks see them as they did the first time.
   */
  passOver?(update: Update): Figures | null;
  /**
   * Asked when an epoch is validated, and again when it ends: the figures that it had, where it was done before an
   * interruption. Its validation is not computed then, and callbacks are told these.
   */
  earlierEpoch?(call: TrainingCall, epoch: number): Figures | null;
  /**
   * A validation step threw this error with `rows` rows at once: true where the microbatch size is smaller now, so
   * that the same rows are to be run again.
   */
  validationFailed?(call: TrainingCall, rows: number, error: unknown): boolean;
  /** Told by the default way only: an observer with `runUpdate` knows its own microbatches. */
  microbatchEnded?(update: Update, index: number, of: number): void;
  /** `logs`: loss and metrics of this update over the whole batch, by name; a promise where values cannot be read at once (WebGPU). Not told of updates that were passed over. */
  updateEnded?(update: Update, logs: Promise<Record<string, number>> | Record<string, number>): void;
  /**
   * After an update (also one that was passed over), outside every tidy, after the script's own onBatchEnd: here an
   * observer may wait (a pause, an asynchronous read of the weights). `trainOnBatch` waits for it before it returns.
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
