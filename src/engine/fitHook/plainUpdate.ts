// An update of a call that passes through: tfjs' own step does all of it, with the script's own batch.
import type { TrainingCall, Update } from '../contracts';
import { batchDigest } from './batchDigest';
import type { Core, StepData, StepFunction, Tensor } from './innerModel';
import { rowsOf } from './sliceBatch';

/** What an update does in parts throws here: it can only be run whole. */
export class PlainUpdate implements Update {
  readonly rows: number;
  private outputs: Tensor[] | null = null;

  constructor(
    readonly call: TrainingCall,
    readonly index: number,
    private readonly core: Core,
    private readonly train: StepFunction,
    private readonly data: StepData,
  ) {
    this.rows = rowsOf(data);
  }

  /** Forward, backward and the optimizer's step, on the batch as it is. */
  run(): void {
    this.outputs = this.train(this.data);
  }

  takeOutputs(): Tensor[] {
    if (this.outputs === null) throw new Error('An update was not run.');
    return this.outputs;
  }

  digest(): number | Promise<number> {
    return batchDigest(this.core, this.data);
  }

  runMicrobatch(): void {
    throw this.error();
  }

  apply(): void {
    throw this.error();
  }

  restart(): void {
    throw this.error();
  }

  validate(): void {
    throw this.error();
  }

  private error(): Error {
    return new Error(`This update cannot be run in parts: ${this.call.passThrough}`);
  }
}
