// How a training ends, as its process tells it: once, with the reason, whatever comes after.
import type { ExitCode } from '../../protocol/exitCodes';
import type { FailureReport } from '../../protocol/report';
import type { EngineContext } from '../engineContext';
import { failureFrom } from '../scriptErrors';
import type { TrainerRun } from './trainerRun';

export class TrainerEnd {
  /** Null before the first training call: of a script that has not trained, nothing is told. */
  #run: TrainerRun | null = null;
  #failure: FailureReport | null = null;
  #isTold = false;

  constructor(private readonly context: Pick<EngineContext, 'leave'>) {}

  opened(run: TrainerRun): void {
    this.#run = run;
  }

  /** Remembers the reason until the end is told. */
  because(failure: FailureReport): void {
    this.#failure = failure;
  }

  /** Tells the end; what is told after it is left out. */
  tell(how: 'completed' | 'stopped' | 'failed' | 'interrupted', exitCode: number): void {
    if (this.#isTold || !this.#run) return;
    this.#isTold = true;
    this.#run.event({ type: 'ended', how, exitCode, failure: this.#failure });
    this.#run.close();
  }

  /** Ends this process for an error that the script could do nothing about, and would only show a stack of. */
  failed(error: Error, exitCode: ExitCode): never {
    this.#failure = failureFrom(error);
    this.tell('failed', exitCode);
    return this.context.leave();
  }

  /** Ends this process as it was asked to. */
  asAsked(how: 'stopped' | 'interrupted', exitCode: ExitCode): never {
    this.tell(how, exitCode);
    return this.context.leave();
  }
}
