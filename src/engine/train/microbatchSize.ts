// The microbatch size in use while training: cut where memory runs out, grown back towards the plan after clean updates.

/** Clean updates before the first attempt to grow; twice as many after each attempt that fails. */
const firstWait = 20;
const longestWait = 5_000;
/** A gap to a size that failed is searched until it is smaller than this part of the size in use. */
const narrowGap = 0.1;

/**
 * Where memory runs out the size is halved at once, as the same update has to be done again. After clean updates the
 * planned size is tried, as the memory may have come back. Where it has not, what could have been kept is looked for
 * between the size that works and the one that failed, by bisection, an attempt at a time; then the plan again.
 */
export class MicrobatchSize {
  #current: number;
  /** Smallest size that an attempt to grow failed with since the planned size was last tried. */
  #failed: number | null = null;
  /** The size before an attempt to grow that has not proved itself yet. */
  #before: number | null = null;
  #clean = 0;
  #wait = firstWait;

  /**
   * @param planned never exceeded
   * @param first the size to begin with, at most `planned`
   */
  constructor(
    readonly planned: number,
    first: number,
    private readonly mayGrow: boolean,
  ) {
    this.#current = Math.min(first, planned);
  }

  get current(): number {
    return this.#current;
  }

  /**
   * Memory ran out with `rows` rows at once.
   * @returns false where one row was too much already
   */
  ranOut(rows: number): boolean {
    if (rows <= 1) return false;
    const before = this.#before;
    this.#before = null;
    this.#clean = 0;
    if (before !== null && before < rows) {
      this.#failed = rows;
      this.#wait = Math.min(this.#wait * 2, longestWait);
      this.#current = before;
    } else {
      this.#failed = null;
      this.#current = Math.floor(rows / 2);
    }
    return true;
  }

  /**
   * An update was done without trouble, with at most `rows` rows at once.
   * @returns the size that the next update is to try; null where it stays
   */
  wentWell(rows: number): number | null {
    this.#before = null;
    if (!this.mayGrow || this.#current >= this.planned || rows < this.#current) return null;
    this.#clean++;
    if (this.#clean < this.#wait) return null;
    this.#clean = 0;
    this.#before = this.#current;
    this.#current = this.#next();
    return this.#current;
  }

  #next(): number {
    const failed = this.#failed;
    if (failed !== null && failed - this.#current > Math.max(1, narrowGap * this.#current)) {
      return Math.floor((this.#current + failed) / 2);
    }
    this.#failed = null;
    return this.planned;
  }
}
