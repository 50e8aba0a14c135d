// One call of fit, fitDataset or trainOnBatch while it runs: what observers see of it, and what the hook knows.
import type { LayersModel, TrainingCall } from '../contracts';
import type { PlanWarning } from '../../protocol/warning';
import type { InnerModel } from './innerModel';

/** What is known of a call before it does anything. */
export interface CallFacts {
  readonly method: TrainingCall['method'];
  readonly model: InnerModel;
  readonly modelName: string;
  readonly scriptBatchSize: number | null;
  readonly examples: number | null;
  readonly epochs: number | null;
  /** Batches per epoch as the script counts them; null where unknown. */
  readonly scriptUpdatesPerEpoch: number | null;
  readonly hasValidation: boolean;
  /** The hook's target, or null for the script's own batch size. */
  readonly target: number | null;
}

/** A TrainingCall whose open figures (a dataset's batch size, a failed self-check) are filled in when they are known. */
export class CallState implements TrainingCall {
  readonly method: TrainingCall['method'];
  readonly model: LayersModel;
  readonly modelName: string;
  readonly examples: number | null;
  readonly epochs: number | null;
  readonly hasValidation: boolean;
  readonly warnings: PlanWarning[] = [];
  scriptBatchSize: number | null;
  passThrough: string | null = null;
  /** Updates begun so far. */
  updates = 0;
  /** Values still being read for observers; awaited before the call ends, so that no tensor outlives it. */
  readonly pendingReads: Promise<unknown>[] = [];

  constructor(
    readonly index: number,
    private readonly facts: CallFacts,
  ) {
    this.method = facts.method;
    // The inner view shows what the public type keeps private; it is the same object.
    this.model = facts.model as unknown as LayersModel;
    this.modelName = facts.modelName;
    this.scriptBatchSize = facts.scriptBatchSize;
    this.examples = facts.examples;
    this.epochs = facts.epochs;
    this.hasValidation = facts.hasValidation;
  }

  get inner(): InnerModel {
    return this.facts.model;
  }

  /** The target that this call uses; trainOnBatch has only the batch that the script gives it. */
  get target(): number | null {
    return this.passThrough === null && this.method !== 'trainOnBatch' ? this.facts.target : null;
  }

  get targetBatchSize(): number | null {
    const wanted = this.target ?? this.scriptBatchSize;
    return wanted === null || this.examples === null ? wanted : Math.min(wanted, Math.max(1, this.examples));
  }

  get updatesPerEpoch(): number | null {
    if (this.method === 'trainOnBatch') return 1;
    const { target, scriptBatchSize, targetBatchSize } = this;
    if (this.examples !== null && targetBatchSize !== null) return Math.ceil(this.examples / targetBatchSize);
    const { scriptUpdatesPerEpoch } = this.facts;
    if (scriptUpdatesPerEpoch === null || target === null || target === scriptBatchSize)
      return scriptUpdatesPerEpoch;
    return scriptBatchSize === null ? null : Math.ceil((scriptUpdatesPerEpoch * scriptBatchSize) / target);
  }
}
