// The models that a script trains, in the order of their first call, and which of them changed since the last checkpoint.
import type { LayersModel } from '../contracts';
import { modelWeights } from './checkpointTensors';

interface Known {
  readonly index: number;
  readonly name: string;
  /** Weak, so that a script that trains hundreds of models in turn (a grid search) is not made to keep them all. */
  readonly model: WeakRef<LayersModel>;
  changed: boolean;
}

export class TrainedModels {
  readonly #known: Known[] = [];
  readonly #indices = new WeakMap<LayersModel, number>();

  /** The index of a model, which is given to it at its first call. */
  indexOf(model: LayersModel, name: string): number {
    const known = this.#indices.get(model);
    if (known !== undefined) return known;
    const index = this.#known.length;
    this.#indices.set(model, index);
    this.#known.push({ index, name, model: new WeakRef(model), changed: true });
    return index;
  }

  changed(index: number): void {
    const known = this.#known[index];
    if (known) known.changed = true;
  }

  /** The models that still exist. */
  known(): { index: number; name: string; model: LayersModel }[] {
    return this.#known.flatMap(({ index, name, model }) => {
      const existing = model.deref();
      return existing && !isDisposed(existing) ? [{ index, name, model: existing }] : [];
    });
  }

  /** The models that still exist, for a checkpoint. One that shares a weight with a changed one has changed too. */
  toSave(): { index: number; name: string; model: LayersModel; changed: boolean }[] {
    const alive = this.#known.flatMap(({ index, name, model, changed }) => {
      const existing = model.deref();
      return existing && !isDisposed(existing) ? [{ index, name, model: existing, changed }] : [];
    });
    const touched = new Set(
      alive.filter(({ changed }) => changed).flatMap(({ model }) => modelWeights(model)),
    );
    return alive.map((entry) => ({
      ...entry,
      changed: entry.changed || modelWeights(entry.model).some((weight) => touched.has(weight)),
    }));
  }

  /** A checkpoint holds them all as they are now. */
  saved(): void {
    for (const known of this.#known) known.changed = false;
  }
}

function isDisposed(model: LayersModel): boolean {
  return modelWeights(model).some(({ val }) => val.isDisposed);
}
