// Where one call of the script stands: its epoch and its updates, those of an interrupted process included.
import type { TrainingPosition } from '../../protocol/checkpoint';
import type { TrainingCall } from '../contracts';

export class CallProgress {
  epoch = 0;
  /** Updates of this call that are done. */
  update = 0;
  updateOfEpoch = 0;
  ended = false;
  /** What was told of the call, so that it is told again only when more is known. */
  announced = '';
  epochStart = performance.now();

  constructor(
    readonly call: TrainingCall,
    readonly modelIndex: number,
    /** True while what comes next was done before the interruption. */
    public isReplayed: boolean,
  ) {}

  epochBegan(epoch: number): void {
    this.epoch = epoch;
    this.updateOfEpoch = 0;
    this.epochStart = performance.now();
  }

  updateDone(): void {
    this.update++;
    this.updateOfEpoch++;
  }

  epochDone(epoch: number): void {
    this.epoch = epoch + 1;
    this.updateOfEpoch = 0;
  }

  /** As events name a position. */
  get place(): { call: number; epoch: number; update: number } {
    return { call: this.call.index, epoch: this.epoch, update: this.update };
  }

  get position(): TrainingPosition {
    return { ...this.place, updateOfEpoch: this.updateOfEpoch, callEnded: this.ended };
  }
}
