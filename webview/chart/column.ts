// A growing column of numbers for charts, and a summary of any part of it without reading that part value by value.
// NaN stands for "no value".

/** A number array of fixed size that the column grows by copying. */
type Store = Float64Array | Uint32Array;

/** What is known of a part of a column. Reused between calls, so that drawing makes no garbage. */
export class Summary {
  /** Index of the first smallest value; meaningless where `count` is 0. */
  minAt = 0;
  /** Index of the first largest value; meaningless where `count` is 0. */
  maxAt = 0;
  min = Infinity;
  max = -Infinity;
  sum = 0;
  /** How many values there are; NaN is not counted. */
  count = 0;

  /** Starts anew. */
  clear(): void {
    this.min = Infinity;
    this.max = -Infinity;
    this.sum = 0;
    this.count = 0;
  }

  /** Takes in what comes after all that was taken in before. */
  take(min: number, minAt: number, max: number, maxAt: number, sum: number, count: number): void {
    if (min < this.min) {
      this.min = min;
      this.minAt = minAt;
    }
    if (max > this.max) {
      this.max = max;
      this.maxAt = maxAt;
    }
    this.sum += sum;
    this.count += count;
  }
}

/** Each level sums up this many entries of the level below: 2 to the power of `bits`. */
const bits = 3;
const branching = 2 ** bits;

/** Summaries of whole blocks of one size; a block that is not full yet has none. */
class Level {
  length = 0;
  min = new Float64Array(64);
  max = new Float64Array(64);
  minAt = new Uint32Array(64);
  maxAt = new Uint32Array(64);
  sum = new Float64Array(64);
  count = new Uint32Array(64);

  push(of: Summary): void {
    if (this.length === this.sum.length) {
      this.min = grown(this.min, this.length * 2);
      this.max = grown(this.max, this.length * 2);
      this.minAt = grown(this.minAt, this.length * 2);
      this.maxAt = grown(this.maxAt, this.length * 2);
      this.sum = grown(this.sum, this.length * 2);
      this.count = grown(this.count, this.length * 2);
    }
    this.min[this.length] = of.min;
    this.max[this.length] = of.max;
    this.minAt[this.length] = of.minAt;
    this.maxAt[this.length] = of.maxAt;
    this.sum[this.length] = of.sum;
    this.count[this.length] = of.count;
    this.length++;
  }
}

/** A column of numbers that is appended to. */
export class Column {
  #values = new Float64Array(256);
  #length = 0;
  readonly #levels: Level[] = [];
  readonly #scratch = new Summary();

  get length(): number {
    return this.#length;
  }

  /** The value there; NaN where there is none. */
  at(index: number): number {
    return index < this.#length ? (this.#values[index] ?? NaN) : NaN;
  }

  /** Adds values at the end; null and what is not finite become NaN. */
  append(values: readonly (number | null)[]): void {
    const length = this.#length + values.length;
    if (length > this.#values.length)
      this.#values = grown(this.#values, Math.max(length, this.#values.length * 2));
    let at = this.#length;
    for (const value of values) this.#values[at++] = value === null || !Number.isFinite(value) ? NaN : value;
    this.#length = length;
    this.#sumUp();
  }

  /** Adds "no value" until the column has this length. */
  padTo(length: number): void {
    if (length > this.#length) this.append(new Array<null>(length - this.#length).fill(null));
  }

  /** Forgets what is at and after this index. */
  truncate(length: number): void {
    if (length >= this.#length) return;
    this.#length = length;
    let size = branching;
    for (const level of this.#levels) {
      level.length = Math.min(level.length, Math.floor(length / size));
      size *= branching;
    }
  }

  /** Sums up the values from `from` up to, but not at, `to`. */
  summarize(from: number, to: number, into: Summary): void {
    into.clear();
    const end = Math.min(to, this.#length);
    let at = Math.max(0, from);
    while (at < end) {
      // The largest block that starts here and ends within the part.
      let taken = -1;
      let shift = 0;
      for (let level = 0; level < this.#levels.length; level++) {
        const next = shift + bits;
        if ((at & ((1 << next) - 1)) !== 0 || at + (1 << next) > end) break;
        taken = level;
        shift = next;
      }
      const level = this.#levels[taken];
      if (level === undefined) {
        const value = this.#values[at] ?? NaN;
        if (!Number.isNaN(value)) into.take(value, at, value, at, value, 1);
      } else this.#takeBlock(level, at >> shift, into);
      at += 1 << shift;
    }
  }

  #takeBlock(level: Level, block: number, into: Summary): void {
    const count = level.count[block] ?? 0;
    if (count === 0) return;
    into.take(
      level.min[block] ?? NaN,
      level.minAt[block] ?? 0,
      level.max[block] ?? NaN,
      level.maxAt[block] ?? 0,
      level.sum[block] ?? 0,
      count,
    );
  }

  /** Makes the summaries of blocks that became full. */
  #sumUp(): void {
    const summary = this.#scratch;
    let size = branching;
    for (let index = 0; Math.floor(this.#length / size) > 0; index++) {
      const level = (this.#levels[index] ??= new Level());
      const below = this.#levels[index - 1];
      while ((level.length + 1) * size <= this.#length) {
        const first = level.length * branching;
        summary.clear();
        for (let entry = first; entry < first + branching; entry++) {
          if (below !== undefined) this.#takeBlock(below, entry, summary);
          else {
            const value = this.#values[entry] ?? NaN;
            if (!Number.isNaN(value)) summary.take(value, entry, value, entry, value, 1);
          }
        }
        level.push(summary);
      }
      size *= branching;
    }
  }
}

function grown<T extends Store>(store: T, length: number): T {
  const larger = new (store.constructor as new (length: number) => T)(length);
  larger.set(store);
  return larger;
}
