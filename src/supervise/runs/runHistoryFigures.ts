// The figures of a run's epochs as they are summed up: the last ones, and the best of each.

/** Figures by name (`loss`, `val_acc`, …); null where one was no finite number. */
export type RunFigures = Readonly<Record<string, number | null>>;

export interface BestFigure {
  readonly value: number;
  /** 1-based, in its call. */
  readonly epoch: number;
}

/**
 * True where more is better, by the name, as Keras decides it where a person does not say: accuracies and the like. A
 * loss of an output that is called `acceleration` is still a loss.
 */
export function isBetterHigher(name: string): boolean {
  const figure = name.replace(/^val_/, '').toLowerCase();
  if (figure.endsWith('loss') || figure.includes('error')) return false;
  return figure.includes('acc') || /^(fmeasure|precision|recall|auc)/.test(figure);
}

/** Takes the figures of epochs in order, and keeps the best of each; of equal ones the first. */
export class BestFigures {
  readonly #best: Record<string, BestFigure> = {};

  get all(): Readonly<Record<string, BestFigure>> {
    return { ...this.#best };
  }

  /** @param epoch 0-based */
  add(epoch: number, figures: RunFigures): void {
    for (const [name, value] of Object.entries(figures)) {
      if (value === null) continue;
      const best = this.#best[name];
      const isBetter = best === undefined || (isBetterHigher(name) ? value > best.value : value < best.value);
      if (isBetter) this.#best[name] = { value, epoch: epoch + 1 };
    }
  }
}
