// An update of a call that passes through: it is told to observers, but it is not theirs to run.
import type { TrainingCall, Update } from '../contracts';

/** Every method throws: the script's own batch has been trained on unchanged. */
export class PlainUpdate implements Update {
  constructor(
    readonly call: TrainingCall,
    readonly index: number,
    readonly rows: number,
  ) {}

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
