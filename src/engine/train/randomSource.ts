// Math.random with a seed and a state that can be saved: a resumed epoch is shuffled as it was the first time.
import type { RandomState } from '../../protocol/checkpoint';

/** A generator of the sfc32 family (Chris Doty-Humphrey, PractRand): 128 bits of state, period of about 2^127. */
export class RandomSource {
  #state: RandomState;

  /** @param seed unsigned 32-bit integer */
  constructor(readonly seed: number) {
    this.#state = [seed >>> 0, 0x9e3779b9, 0x243f6a88, 1];
    this.#mix();
  }

  /** A number in [0, 1) with 53 random bits, as Math.random gives it. */
  readonly random = (): number => {
    const high = this.#next() >>> 5;
    const low = this.#next() >>> 6;
    return (high * 0x4000000 + low) / 0x20000000000000;
  };

  get state(): RandomState {
    return [...this.#state];
  }

  set state(state: RandomState) {
    this.#state = [...state];
  }

  /** Makes Math.random draw from here. */
  install(target: { random(): number } = Math): void {
    target.random = this.random;
  }

  /**
   * Runs `work` with numbers that follow from the seed and the update's place alone. What an update draws (the masks of
   * dropout) is then the same when it is done again, and passing it over takes nothing from the numbers after it.
   */
  within<T>(place: { readonly call: number; readonly update: number }, work: () => T): T {
    const outside = this.#state;
    this.#state = [this.seed >>> 0, place.call >>> 0, place.update >>> 0, 1];
    this.#mix();
    try {
      return work();
    } finally {
      this.#state = outside;
    }
  }

  /** The first outputs still show what the state was made of; PractRand discards as many. */
  #mix(): void {
    for (let i = 0; i < 15; i++) this.#next();
  }

  #next(): number {
    const [a, b, c, counter] = this.#state;
    const sum = (a + b + counter) | 0;
    this.#state = [
      (b ^ (b >>> 9)) >>> 0,
      (c + (c << 3)) >>> 0,
      (((c << 21) | (c >>> 11)) + sum) >>> 0,
      (counter + 1) >>> 0,
    ];
    return sum >>> 0;
  }
}
