// Where one call of the script stands: its epoch, its updates, and what of it is passed over in a resumed run.
import type { TrainingPosition } from '../../protocol/checkpoint';
import type { TrainingCall } from '../contracts';
import type { ResumedCall } from './trainerResume';

export class CallProgress {
  epoch: number;
  /** Updates of this call that are done, those of an interrupted process included. */
  update: number;
  updateOfEpoch: number;
  ended = false;
  /** What was told of the call, so that it is told again only when more is known. */
  announced = '';
  epochStart = performance.now();
  /** Updates that are still to be passed over. */
  #toSkip: number;

  constructor(
    readonly call: TrainingCall,
    readonly modelIndex: number,
    readonly resumed: ResumedCall | null,
  ) {
    const from = resumed?.from;
    this.epoch = from?.epoch ?? 0;
    // The hook counts the updates of a shortened call from its first epoch: those passed over come again.
    this.update = (from?.update ?? 0) - (from?.updateOfEpoch ?? 0);
    this.updateOfEpoch = 0;
    this.#toSkip = from?.updateOfEpoch ?? 0;
  }

  /** True while the update that comes next was done before the interruption. */
  get isSkipping(): boolean {
    return this.#toSkip > 0;
  }

  /** True for a call that does not train at all, because it had ended. */
  get isSkipped(): boolean {
    return this.resumed?.directive?.skip !== undefined;
  }

  updateDone(): void {
    this.update++;
    this.updateOfEpoch++;
    if (this.#toSkip > 0) this.#toSkip--;
  }

  epochDone(epoch: number): void {
    this.epoch = epoch + 1;
    this.updateOfEpoch = 0;
    this.#toSkip = 0;
    this.epochStart = performance.now();
  }

  /** As events name a position. */
  get place(): { call: number; epoch: number; update: number } {
    return { call: this.call.index, epoch: this.epoch, update: this.update };
  }

  get position(): TrainingPosition {
    return { ...this.place, updateOfEpoch: this.updateOfEpoch, callEnded: this.ended };
  }
}
