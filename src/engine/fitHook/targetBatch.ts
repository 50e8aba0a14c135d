// A dataset whose batches have the target size: consecutive batches of the script's dataset joined or cut.
import type { Core, InnerModel, Tensor } from './innerModel';
import { sliceRows } from './sliceBatch';

/** What tfjs-layers asks of a dataset's iterator. */
export interface BatchIterator {
  next(): Promise<{ done: boolean; value: unknown }>;
}

/** What tfjs-layers asks of a dataset. */
export interface BatchSource {
  readonly size?: number | null;
  iterator(): Promise<BatchIterator>;
}

/** Inputs and targets of a batch, in the model's order. */
export interface Batch {
  readonly xs: readonly Tensor[];
  readonly ys: readonly Tensor[];
}

export function isBatchSource(value: unknown): value is BatchSource {
  return (
    typeof value === 'object' && value !== null && 'iterator' in value && typeof value.iterator === 'function'
  );
}

/**
 * The tensors of `{ xs, ys }` in the order of the model's inputs and outputs, as tfjs-layers flattens them; null for
 * anything that tfjs-layers would refuse, which is then left for it to refuse.
 */
export function flattenBatch(core: Core, model: InnerModel, value: unknown): Batch | null {
  if (typeof value !== 'object' || value === null || !('xs' in value) || !('ys' in value)) return null;
  const xs = flatten(core, model.inputNames, value.xs);
  const ys = flatten(core, model.outputNames, value.ys);
  if (xs === null || ys === null) return null;
  const rows = xs[0]?.shape[0];
  return rows !== undefined && [...xs, ...ys].every(({ shape }) => shape[0] === rows) ? { xs, ys } : null;
}

function flatten(core: Core, names: readonly string[], values: unknown): Tensor[] | null {
  if (values instanceof core.Tensor) return names.length === 1 ? [values] : null;
  if (typeof values !== 'object' || values === null) return null;
  const listed: unknown[] = Array.isArray(values) ? values : names.map((name) => Reflect.get(values, name));
  return listed.length === names.length && listed.every((one) => one instanceof core.Tensor) ? listed : null;
}

/**
 * Joins and cuts the batches of one iterator into batches of exactly `target` rows; what is left at the end (of the
 * data, or after `batches` of the script's own batches) is one smaller batch. Takes over the batches it reads: their
 * tensors are disposed once their rows are in a new batch, as tfjs disposes a batch after its step.
 */
export class Regrouper implements BatchIterator {
  private held: Batch[] = [];
  private heldRows = 0;
  private ended = false;
  private taken = 0;

  /**
   * @param target rows of a batch, asked after each batch read; null: batches stay as they are.
   * @param batches the script's own batches to take before the end; null: all there are.
   * @param ranOut told how many batches there were when the data ended before `batches`.
   */
  constructor(
    private readonly core: Core,
    private readonly model: InnerModel,
    private readonly source: BatchIterator,
    private readonly target: () => number | null,
    private readonly batches: number | null,
    private readonly ranOut: (taken: number) => void,
  ) {}

  async next(): Promise<{ done: boolean; value: unknown }> {
    while (!this.ended && !this.isFull()) {
      if (this.batches !== null && this.taken >= this.batches) {
        this.ended = true;
        break;
      }
      const { done, value } = await this.source.next();
      if (done) this.end();
      if (value === null || value === undefined) continue;
      this.taken += 1;
      const batch = this.target() === null ? null : flattenBatch(this.core, this.model, value);
      // Grouping is off, or this is not a batch as tfjs knows it, which tfjs says itself.
      if (batch === null) return { done: false, value };
      this.held.push(batch);
      this.heldRows += rowsOfBatch(batch);
    }
    if (this.heldRows === 0) return { done: true, value: null };
    return { done: false, value: this.take(Math.min(this.target() ?? this.heldRows, this.heldRows)) };
  }

  /** Frees rows that were read but not trained on (the script stopped in mid-epoch). */
  dispose(): void {
    for (const { xs, ys } of this.held) this.core.dispose([...xs, ...ys]);
    this.held = [];
    this.heldRows = 0;
    this.ended = true;
  }

  private isFull(): boolean {
    return this.heldRows > 0 && this.heldRows >= (this.target() ?? 0);
  }

  private end(): void {
    this.ended = true;
    if (this.batches !== null && this.taken < this.batches) this.ranOut(this.taken);
  }

  private take(rows: number): Batch {
    const [first] = this.held;
    if (first !== undefined && rowsOfBatch(first) === rows) {
      this.held.shift();
      this.heldRows -= rows;
      return first;
    }
    const parts: { batch: Batch; rows: number }[] = [];
    let missing = rows;
    for (const batch of this.held) {
      if (missing === 0) break;
      const part = Math.min(missing, rowsOfBatch(batch));
      parts.push({ batch, rows: part });
      missing -= part;
    }
    const join = (pick: (batch: Batch) => readonly Tensor[], count: number): Tensor[] =>
      Array.from({ length: count }, (_, index) =>
        this.core.tidy(() =>
          joined(
            this.core,
            parts.map(({ batch, rows: part }) => ({ tensor: pick(batch)[index], rows: part })),
          ),
        ),
      );
    const result: Batch = {
      xs: join(({ xs }) => xs, first?.xs.length ?? 0),
      ys: join(({ ys }) => ys, first?.ys.length ?? 0),
    };
    this.drop(rows);
    return result;
  }

  /** Forgets the first `rows` rows: whole batches are disposed, the one that was cut is replaced by its rest. */
  private drop(rows: number): void {
    let missing = rows;
    while (missing > 0) {
      const batch = this.held.shift();
      if (batch === undefined) break;
      const has = rowsOfBatch(batch);
      if (has > missing) {
        const from = missing;
        const rest = (tensors: readonly Tensor[]): Tensor[] =>
          tensors.map((tensor) => sliceRows(this.core, tensor, from, has - from));
        this.held.unshift({ xs: rest(batch.xs), ys: rest(batch.ys) });
      }
      this.core.dispose([...batch.xs, ...batch.ys]);
      missing -= Math.min(has, missing);
    }
    this.heldRows -= rows;
  }
}

function joined(core: Core, parts: readonly { tensor: Tensor | undefined; rows: number }[]): Tensor {
  const cut = parts.flatMap(({ tensor, rows }) =>
    tensor === undefined ? [] : [rows === tensor.shape[0] ? tensor : sliceRows(core, tensor, 0, rows)],
  );
  const [only] = cut;
  return cut.length === 1 && only !== undefined ? core.clone(only) : core.concat(cut, 0);
}

function rowsOfBatch({ xs }: Batch): number {
  return xs[0]?.shape[0] ?? 0;
}
