// Makes the events of trainings that are paused, die, and go on from a checkpoint, as a trainer would write them.
import type { RunEvent } from '../../../src/protocol/runEvents';

export const start = Date.parse('2026-11-22T17:00:00Z');

const backend = {
  name: 'cpu' as const,
  version: '4.22.0',
  reason: 'it is the last one',
  usesGpu: false,
  deviceName: null,
  passedOver: [],
};

/** Something that happens behind an update; numbers choose how far back a death throws the training. */
export type Turn = 'none' | 'checkpoint' | 'pause' | 'death' | 'deathAndDamage' | 'reduced' | 'nan';

/** A training of some calls of `fit`, which is told until all of it is done. */
export class TrainingStory {
  readonly events: RunEvent[] = [];
  #second = 0;
  #attempt = 0;
  #value = 0;

  constructor(
    private readonly calls: number,
    private readonly epochs: number,
    private readonly perEpoch: number,
  ) {}

  tell(turns: readonly Turn[]): RunEvent[] {
    const left = [...turns];
    let checkpoints: { call: number; update: number }[] = [];
    let place: { call: number; update: number } | null = { call: 0, update: 0 };
    while (place !== null) {
      const turn = this.#train(place, left, checkpoints);
      if (turn === 'death') place = checkpoints.at(-1) ?? { call: 0, update: 0 };
      else if (turn === 'deathAndDamage') {
        checkpoints = checkpoints.slice(0, -1);
        place = checkpoints.at(-1) ?? { call: 0, update: 0 };
      } else place = null;
    }
    this.#add({ type: 'ended', how: 'completed', exitCode: 0, failure: null });
    return this.events;
  }

  #train(
    from: { call: number; update: number },
    turns: Turn[],
    checkpoints: { call: number; update: number }[],
  ): Turn {
    const { perEpoch } = this;
    const all = this.epochs * perEpoch;
    this.#add({
      type: 'started',
      pid: 1,
      attempt: ++this.#attempt,
      backend,
      tfjsVersion: '4.22.0',
      nodeVersion: '20.0.0',
    });
    for (let call = from.call; call < this.calls; call++) {
      const first = call === from.call ? from.update : 0;
      const isResumed = call === from.call && checkpoints.length > 0;
      const epochOf = (update: number): number => Math.floor(update / perEpoch);
      if (isResumed) this.#add({ type: 'resumed', call, epoch: epochOf(first), update: first });
      this.#add({
        type: 'call',
        call,
        method: 'fit',
        modelName: `model ${call}`,
        targetBatchSize: 8,
        microbatchSize: 4,
        examples: 8 * perEpoch,
        epochs: this.epochs,
        updatesPerEpoch: perEpoch,
        passThrough: null,
      });
      for (let update = first; update < all; update++) {
        const turn = turns.shift() ?? 'none';
        this.#update(call, epochOf(update), update, turn === 'nan');
        // A trainer looks at what is asked before the epoch's end is told.
        const next = { call, epoch: epochOf(update), update: update + 1 };
        if (turn === 'checkpoint' || turn === 'pause') {
          this.#add({ type: 'checkpoint', ...next, path: 'checkpoints/1', ms: 12, best: false });
          checkpoints.push({ call, update: Math.min(update + 1, all) });
        }
        if (turn === 'pause') {
          this.#add({ type: 'paused', ...next });
          this.#add({ type: 'resumed', ...next });
        }
        if (turn === 'reduced')
          this.#add({ type: 'microbatchReduced', ...next, from: 4, to: 2, reason: 'full' });
        if (turn === 'death' || turn === 'deathAndDamage') return turn;
        if ((update + 1) % perEpoch === 0) {
          const logs = { loss: this.#next(), val_acc: this.#next(), acc: update % 3 ? this.#next() : null };
          this.#add({ type: 'epoch', call, epoch: epochOf(update), logs, ms: 5 });
        }
      }
      this.#add({ type: 'callEnded', call });
    }
    return 'none';
  }

  #update(call: number, epoch: number, update: number, isNaN: boolean): void {
    const metrics: Record<string, number | null> = call === 1 ? { mse: this.#next() } : { acc: this.#next() };
    const loss = isNaN ? null : this.#next();
    const ms = update % 5 === 4 ? 0 : 3 + update;
    const memoryBytes = update % 4 === 3 ? null : 1e6 + update;
    const place = { call, epoch, update };
    this.#add({ type: 'update', ...place, examples: 8, microbatches: 2, ms, loss, metrics, memoryBytes });
  }

  /** Numbers that do not repeat, and go up and down. */
  #next(): number {
    this.#value++;
    return ((this.#value * 7919) % 10007) / 10007 + this.#value * 1e-9;
  }

  #add(event: Record<string, unknown>): void {
    const time = new Date(start + this.#second++ * 1000).toISOString();
    this.events.push({ ...event, time } as RunEvent);
  }
}

type Update = Extract<RunEvent, { type: 'update' }>;
type Epoch = Extract<RunEvent, { type: 'epoch' }>;

/** By comparing each event with all that come later: what no later going back undoes. */
export function bruteForce(events: readonly RunEvent[]): { updates: Update[]; epochs: Epoch[] } {
  const goesBackTo = events.map((event, index) => {
    if (event.type !== 'resumed' && event.type !== 'call') return null;
    const begun = events.slice(0, index).findLastIndex(({ type }) => type === 'started');
    const between = events.slice(begun + 1, index);
    if (between.some(({ type }) => ['resumed', 'call', 'update'].includes(type))) return null;
    return event.type === 'resumed' ? event : { call: event.call, epoch: 0, update: 0 };
  });
  const later = (index: number): NonNullable<(typeof goesBackTo)[number]>[] =>
    goesBackTo.slice(index + 1).filter((place) => place !== null);
  return {
    updates: events.filter((event, index): event is Update => {
      if (event.type !== 'update') return false;
      return later(index).every(
        ({ call, update }) => event.call < call || (event.call === call && event.update < update),
      );
    }),
    epochs: events.filter((event, index): event is Epoch => {
      if (event.type !== 'epoch') return false;
      return later(index).every(
        ({ call, epoch }) => event.call < call || (event.call === call && event.epoch < epoch),
      );
    }),
  };
}
