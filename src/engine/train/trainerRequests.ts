// What is asked of a training process from outside, and that it is done: pause, stop, and a supervisor that is gone.
import { exitCodes } from '../../protocol/exitCodes';
import type { TrainJob } from '../../protocol/job';
import { Control, type Asked } from './control';
import type { CallProgress } from './trainerCall';
import type { TrainerEnd } from './trainerEnd';
import type { TrainerRun } from './trainerRun';

/** Between two looks at what is asked while the script is not training, in ms. */
const betweenCallsPause = 200;

export class TrainerRequests {
  readonly #control: Control;
  /** Asked by a signal sent to this process itself. */
  #signalled = false;

  /** @param trains whether a training call is under way, which then looks at what is asked */
  constructor(
    job: Pick<TrainJob, 'controlFile' | 'parentPid'>,
    private readonly end: TrainerEnd,
    private readonly trains: () => boolean,
  ) {
    this.#control = new Control(job.controlFile, job.parentPid);
  }

  /** From the first training call on: listens to signals, and looks at what is asked while the script is not training. */
  watch(): void {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        this.#signalled = true;
        this.endBetweenCalls('stop');
      });
    }
    // Between two calls nothing looks at what is asked: the script may be saving its model, or reading data.
    setInterval(() => this.lookBetweenCalls(), betweenCallsPause).unref();
  }

  look(): Asked {
    return this.#signalled ? 'stop' : this.#control.look();
  }

  /**
   * Does what is asked between two updates. Returns once the training goes on; a process that is to end ends here.
   * @param save resolves to whether the state is saved
   */
  async obey(
    asked: Exclude<Asked, 'run'>,
    run: TrainerRun,
    progress: CallProgress,
    save: () => Promise<boolean>,
  ): Promise<void> {
    let now: Asked = asked;
    // What is replayed is saved.
    const isSaved = progress.isReplayed || (await save());
    if (now === 'pause') {
      run.event({ type: 'paused', ...progress.place });
      const start = performance.now();
      now = await this.#control.untilNoPause(() => this.#signalled);
      progress.epochStart += performance.now() - start;
    }
    if (now === 'run') {
      run.event({ type: 'resumed', ...progress.place });
      return;
    }
    if (!isSaved) {
      const message = 'it could not be saved, so a resume goes on from the checkpoint before';
      this.end.because({ message, file: null, line: null, stack: '' });
    }
    this.end.asAsked(now === 'stop' ? 'stopped' : 'interrupted', exitCodes.interrupted);
  }

  lookBetweenCalls(): void {
    if (!this.trains()) this.endBetweenCalls(this.look());
  }

  /** Ends where the script is not training: there is nothing to save that is not saved. */
  endBetweenCalls(asked: Asked): void {
    if (this.trains() || (asked !== 'stop' && asked !== 'leave')) return;
    this.end.asAsked(asked === 'stop' ? 'stopped' : 'interrupted', exitCodes.interrupted);
  }
}
